-- Ids are UUIDs as text; times are milliseconds since 1970 in UTC; documents and settings are JSON.

create table site (
    key text primary key,
    settings text not null
) strict;

-- Every version that was ever published stays, for the visitors who began with it.
create table conversation (
    site text not null references site (key),
    id text not null,
    version integer not null,
    document text not null,
    published_at integer not null,
    primary key (site, id, version)
) strict;

create table published (
    site text not null,
    conversation text not null,
    version integer not null,
    primary key (site, conversation),
    foreign key (site, conversation, version) references conversation (site, id, version)
) strict;

create table visitor (
    id text primary key,
    site text not null references site (key),
    token_hash blob not null unique,
    created_at integer not null
) strict;

create table attribute (
    visitor text not null references visitor (id),
    name text not null,
    value text not null,
    changed_at integer not null,
    primary key (visitor, name)
) strict;

create table session (
    id text primary key,
    visitor text not null references visitor (id),
    seq integer not null,
    started_at integer not null,
    active_at integer not null
) strict;

create index session_of_visitor on session (visitor, active_at);

create table progress (
    visitor text not null references visitor (id),
    conversation text not null,
    version integer not null,
    standing text not null check (standing in ('offered', 'at', 'ended')),
    card text,
    turn integer not null,
    entries integer not null,
    answered integer not null,
    counted text not null,
    changed_at integer not null,
    primary key (visitor, conversation),
    check ((standing = 'at') = (card is not null))
) strict;

create table entry (
    visitor text not null,
    conversation text not null,
    number integer not null,
    author text not null check (author in ('bot', 'visitor')),
    card text not null,
    text text,
    answer text,
    said_at integer not null,
    primary key (visitor, conversation, number),
    foreign key (visitor, conversation) references progress (visitor, conversation)
) strict;

create unique index entry_by_answer on entry (visitor, conversation, answer) where answer is not null;

-- The log. Its position grows in the order of commits.
create table event (
    position integer primary key autoincrement,
    id text not null unique,
    type text not null,
    seq integer not null,
    time integer not null,
    site text not null,
    visitor text not null,
    session text not null references session (id),
    view text not null,
    conversation text,
    page text not null,
    data text not null,
    unique (session, seq)
) strict;

create index event_of_view on event (view, position);
create index event_of_session on event (session, position);
create index event_of_site on event (site, position);
create index event_of_type on event (type, position);

create table api_key (
    hash blob primary key,
    name text not null,
    created_at integer not null
) strict;
