-- Agents, and the chats visitors have with them.

create table agent (
    id text primary key,
    -- In lower case.
    email text not null unique,
    name text not null,
    role text not null check (role in ('administrator', 'author', 'agent')),
    -- Argon2id, as a PHC string; none until the invitation is accepted.
    password text,
    -- JSON lists.
    languages text not null default '[]',
    skills text not null default '[]',
    -- The most chats at once; none: as the server's setting says.
    chat_limit integer,
    time_zone text not null default 'UTC',
    -- The blocks of the week: JSON.
    hours text not null default '[]',
    -- What the agent has switched by hand, and until when it holds; without an end it holds until it is switched again.
    switched text check (switched in ('on', 'off')),
    switched_until integer,
    -- Until when the agent counts as present; a connected console moves it on and on.
    present_until integer not null default 0,
    -- When a chat was last offered to them.
    offered_at integer,
    created_at integer not null,
    disabled_at integer
) strict;

-- The sites an agent or author works for; an administrator works for all.
create table agent_site (
    agent text not null references agent (id),
    site text not null references site (key),
    primary key (agent, site)
) strict;

create table team (
    site text not null references site (key),
    id text not null,
    name text not null,
    primary key (site, id)
) strict;

create table team_member (
    site text not null,
    team text not null,
    agent text not null references agent (id),
    primary key (site, team, agent),
    foreign key (site, team) references team (site, id)
) strict;

-- A link that lets a person choose a password: the first administrator's, an invitation, a forgotten password.
create table invitation (
    hash blob primary key,
    agent text not null references agent (id),
    created_at integer not null,
    expires_at integer not null
) strict;

create table login (
    hash blob primary key,
    agent text not null references agent (id),
    created_at integer not null,
    seen_at integer not null
) strict;
create index login_of_agent on login (agent);

create table canned_response (
    id text primary key,
    site text not null references site (key),
    shortcut text not null,
    text text not null,
    unique (site, shortcut)
) strict;

create table chat (
    id text primary key,
    site text not null references site (key),
    visitor text not null references visitor (id),
    conversation text not null,
    -- The session it was requested in, whose log it writes to.
    session text not null references session (id),
    -- The domain's state of it, as JSON; the columns below say parts of it again, to be searched.
    state text not null,
    phase text not null check (phase in ('queued', 'offered', 'online', 'ended')),
    -- Who holds it, or is asked.
    agent text references agent (id),
    -- Who else is asked, while it is handed on.
    asked text references agent (id),
    -- The next moment at which something happens to it by itself.
    due_at integer,
    requested_at integer not null,
    accepted_at integer,
    ended_at integer,
    changed_at integer not null,
    -- The load of the page the visitor was last seen on, which is told what happens; its address and language.
    view text not null,
    page text not null,
    locale text not null,
    -- Up to which line each side has seen the transcript.
    seen_by_agent integer not null default 0,
    seen_by_visitor integer not null default 0,
    tags text not null default '[]',
    -- Whether the visitor has a connection.
    connected integer not null default 0
) strict;
create unique index chat_under_way on chat (visitor, conversation) where phase <> 'ended';
create index chat_due on chat (due_at) where due_at is not null;
create index chat_of_agent on chat (agent, phase);
create index chat_asked on chat (asked) where asked is not null;
create index chat_of_site on chat (site, phase, changed_at);
create index chat_of_visitor on chat (visitor, requested_at);

create table note (
    id text primary key,
    chat text not null references chat (id),
    agent text not null references agent (id),
    text text not null,
    written_at integer not null
) strict;
create index note_of_chat on note (chat);

-- What visitors and agents send each other.
create table attachment (
    id text primary key,
    chat text not null references chat (id),
    name text not null,
    type text not null,
    content blob not null,
    sent_at integer not null
) strict;

-- A line of an agent, or a notice: who it is about. SQLite cannot change a check, so the table is made anew.
create table entry_now (
    visitor text not null,
    conversation text not null,
    number integer not null,
    author text not null check (author in ('bot', 'visitor', 'agent')),
    card text not null,
    text text,
    answer text,
    said_at integer not null,
    format text not null default 'text',
    taken_back integer not null default 0,
    agent text,
    agent_name text,
    primary key (visitor, conversation, number),
    foreign key (visitor, conversation) references progress (visitor, conversation)
) strict;
insert into entry_now (visitor, conversation, number, author, card, text, answer, said_at, format, taken_back)
    select visitor, conversation, number, author, card, text, answer, said_at, format, taken_back from entry;
drop table entry;
alter table entry_now rename to entry;
create unique index entry_by_answer on entry (visitor, conversation, answer) where answer is not null;

-- What happened while no page of the visitor was there; the next page that is there is told.
create index event_untold on event (visitor) where view = '';
