-- Meetings, call backs, calendars, forms, and opening hours.

-- Days that are otherwise than their day of the week: JSON, the lines as people write them.
alter table agent add column exceptions text not null default '[]';
-- Opening hours of a team of its own: JSON.
alter table team add column hours text;

-- A key of the server's own, by its use: what it signs is believed when it comes back.
create table server_key (
    name text primary key,
    key blob not null
) strict;

-- How an agent can be met.
create table calendar (
    agent text primary key references agent (id),
    -- The hours for meetings: JSON; none: the hours for chats.
    hours text,
    -- Minutes before and after a meeting in which nothing else may be.
    buffer_before integer not null default 0,
    buffer_after integer not null default 0,
    daily integer,
    -- The address by which a calendar program subscribes to the meetings; a secret.
    feed_hash blob unique,
    -- Where the agent's other calendar is read from.
    busy_url text,
    -- A calendar on a CalDAV server, which is read and written. The password has to be sent, so it cannot be hashed.
    caldav_url text,
    caldav_user text,
    caldav_password text,
    -- When it is to be read again; none while there is nothing to read.
    poll_at integer,
    -- When it was read last, and why that failed if it did; what was read before then stays.
    read_at integer,
    problem text,
    -- Why the last meeting that was to be written to it was not.
    write_problem text
) strict;
create index calendar_due on calendar (poll_at) where poll_at is not null;

-- When an agent is busy by their other calendars, as it was last read.
create table busy (
    agent text not null references agent (id),
    starts_at integer not null,
    ends_at integer not null
) strict;
create index busy_of_agent on busy (agent, ends_at);

create table meeting (
    id text primary key,
    site text not null references site (key),
    visitor text not null references visitor (id),
    conversation text not null,
    -- The session it was booked in, whose log it writes to. It may be made in the same transaction, after the meeting.
    session text not null references session (id) deferrable initially deferred,
    agent text not null references agent (id),
    phase text not null check (phase in ('held', 'booked', 'cancelled', 'released')),
    -- The domain's state of it, as JSON; the columns say parts of it again.
    state text not null,
    starts_at integer not null,
    ends_at integer not null,
    -- With the buffers before and after it.
    occupied_from integer not null,
    occupied_to integer not null,
    -- The next moment at which something happens to it by itself: it is released, or its guest reminded.
    due_at integer,
    reminded integer not null default 0,
    page text not null,
    made_at integer not null,
    changed_at integer not null,
    -- When it is to be written to the agent's CalDAV calendar; none once it is, or if there is none.
    push_at integer,
    push_tries integer not null default 0,
    check (starts_at < ends_at and occupied_from <= starts_at and ends_at <= occupied_to)
) strict;
create index meeting_due on meeting (due_at) where due_at is not null;
create index meeting_push on meeting (push_at) where push_at is not null;
create index meeting_of_agent on meeting (agent, occupied_to) where phase in ('held', 'booked');
create index meeting_of_visitor on meeting (visitor, conversation);
create index meeting_of_site on meeting (site, starts_at);

-- No two meetings of an agent overlap, buffers included: whoever comes second is refused here, whatever was looked at before.
create trigger meeting_overlaps before insert on meeting
when new.phase in ('held', 'booked') and exists (
    select 1 from meeting where agent = new.agent and phase in ('held', 'booked') and id <> new.id
        and occupied_from < new.occupied_to and occupied_to > new.occupied_from)
begin
    select raise(abort, 'meeting_overlaps');
end;
create trigger meeting_moved_overlaps before update on meeting
when new.phase in ('held', 'booked') and exists (
    select 1 from meeting where agent = new.agent and phase in ('held', 'booked') and id <> new.id
        and occupied_from < new.occupied_to and occupied_to > new.occupied_from)
begin
    select raise(abort, 'meeting_overlaps');
end;

create table callback (
    id text primary key,
    site text not null references site (key),
    visitor text not null references visitor (id),
    conversation text not null,
    session text not null references session (id) deferrable initially deferred,
    phase text not null check (phase in ('choosing', 'waiting', 'claimed', 'done', 'dropped')),
    state text not null,
    -- The team that calls; empty: any agent of the site.
    team text not null,
    agent text references agent (id),
    -- When the time that was chosen begins, and which of the places at that time it has.
    slot_at integer,
    seat integer,
    -- From when somebody is to call.
    call_from integer not null,
    page text not null,
    requested_at integer not null,
    changed_at integer not null,
    note text not null default ''
) strict;
-- A place is had once.
create unique index callback_seat on callback (site, team, slot_at, seat)
    where slot_at is not null and phase in ('waiting', 'claimed');
create index callback_open on callback (site, call_from) where phase in ('waiting', 'claimed');
create index callback_of_visitor on callback (visitor, conversation);
create index callback_of_site on callback (site, changed_at);

-- Forms that visitors filled in.
create table submission (
    id text primary key,
    site text not null references site (key),
    visitor text not null references visitor (id),
    conversation text not null,
    version integer not null,
    card text not null,
    purpose text not null check (purpose in ('contact', 'survey')),
    -- The kind of contact it came before.
    kind text not null,
    -- The chat it is about, and who answered that last.
    chat text references chat (id),
    agent text references agent (id),
    -- What was given to each field: a JSON list of names and values.
    answers text not null,
    submitted_at integer not null
) strict;
create index submission_of_site on submission (site, purpose, submitted_at);
create index submission_of_visitor on submission (visitor, submitted_at);

-- To whom a company, or whoever writes from a domain, is assigned. Both are in lower case.
create table account (
    site text not null references site (key),
    kind text not null check (kind in ('company', 'domain')),
    name text not null,
    agent text not null references agent (id),
    primary key (site, kind, name)
) strict;

alter table progress add column chat text;
-- A calendar entry that goes with a letter, and what it asks of who gets it.
alter table mail add column calendar text;
alter table mail add column method text;
