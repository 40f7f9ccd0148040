-- The numbers: counted from the log as it grows, and from transcripts as they are written.

-- Up to where the log is counted: one row.
create table analytics_cursor (
    id integer primary key check (id = 1),
    -- The place of the last event that is counted.
    position integer not null,
    -- The time of that event.
    time integer not null
) strict;
insert into analytics_cursor (id, position, time) values (1, 0, 0);

-- Sums of a day, of 8 days and of 64 days, so that a year is read from few rows. A span begins at a multiple of its length, counted in days of UTC
-- since 1970.
create table tally (
    site text not null,
    -- What is told apart: 'all', 'conversation', 'page' or 'agent'; and which one of those, empty for all.
    dimension text not null check (dimension in ('all', 'conversation', 'page', 'agent')),
    span integer not null check (span in (1, 8, 64)),
    day integer not null,
    value text not null,
    triggered integer not null,
    engaged integer not null,
    completed integer not null,
    closed integer not null,
    -- E-mail addresses given, once for each visitor and session.
    acquired integer not null,
    -- Visitors who gave an address or a number for the first time.
    contacts integer not null,
    emails integer not null,
    phones integer not null,
    meetings integer not null,
    meetings_cancelled integer not null,
    chats_requested integer not null,
    chats_answered integer not null,
    chats_missed integer not null,
    -- How many have waited for an agent who came, and how long all of them together, in milliseconds.
    waits integer not null,
    waited integer not null,
    -- How many agents have written their first message in a chat, and how long that took all of them together.
    answers integer not null,
    answering integer not null,
    surveys integer not null,
    -- How many of them hold a rating, and the sum of those, each from 0 to 10,000.
    rated integer not null,
    rating integer not null,
    callbacks integer not null,
    callbacks_completed integer not null,
    primary key (site, dimension, span, day, value)
) strict, without rowid;

-- What is known of a chat while it is under way, as far as the log is counted.
create table tally_chat (
    chat text primary key,
    requested_at integer not null,
    accepted_at integer,
    -- Whether an agent has written in it.
    answered integer not null default 0
) strict, without rowid;

-- Finds what a visitor gave before: few events are of these types.
create index event_contact on event (visitor, position) where type in ('input.email', 'input.phone');

-- How many visitors have come to a card for the first time, have answered it for the first time, and came to it last and are there still.
create table funnel (
    site text not null,
    conversation text not null,
    day integer not null,
    version integer not null,
    card text not null,
    reached integer not null,
    answered integer not null,
    waiting integer not null,
    primary key (site, conversation, day, version, card)
) strict, without rowid;

-- The day on which the visitor came to the card they are at.
alter table progress add column since integer;
update progress set since = changed_at / 86400000 where standing = 'at';

-- What was said before is counted from the transcripts.
insert into funnel (site, conversation, day, version, card, reached, answered, waiting)
select site, conversation, day, version, card, sum(reached), sum(answered), sum(waiting)
from (
    select visitor.site as site, line.conversation as conversation, line.said_at / 86400000 as day, progress.version as version,
        line.card as card, case when line.author = 'bot' then 1 else 0 end as reached,
        case when line.author = 'visitor' then 1 else 0 end as answered, 0 as waiting
    from (
        select visitor, conversation, card, author, min(said_at) as said_at from entry where author in ('bot', 'visitor')
        group by visitor, conversation, card, author
    ) as line
    join progress on progress.visitor = line.visitor and progress.conversation = line.conversation
    join visitor on visitor.id = line.visitor
    union all
    select visitor.site, progress.conversation, progress.since, progress.version, progress.card, 0, 0, 1
    from progress join visitor on visitor.id = progress.visitor where progress.standing = 'at'
) as counted
group by site, conversation, day, version, card;
