-- Who did what: written in the transaction of what was done.
create table audit (
    position integer primary key autoincrement,
    at integer not null,
    -- 'agent', 'key', 'command line' or 'server', and which: an agent's id, a key's id.
    actor_kind text not null,
    actor text not null,
    -- What was done, such as 'visitor.erased'.
    action text not null,
    site text,
    -- What it was done to: an id or a name.
    subject text not null,
    -- What else there is to say: JSON, without anything that a visitor said or is.
    detail text not null
) strict;
create index audit_of_site on audit (site, position);
create index audit_of_subject on audit (subject, position);

-- What a key may do, and where; none: everything, everywhere, as the keys made before this.
alter table api_key add column id text not null default '';
update api_key set id = lower(hex(randomblob(16)));
alter table api_key add column scopes text;
alter table api_key add column sites text;
-- Its last four characters, by which its owner knows it again.
alter table api_key add column ending text not null default '';
alter table api_key add column used_at integer;
create unique index api_key_by_id on api_key (id);

-- What a write with an Idempotency-Key was answered, so that the same write is done once.
create table idempotency (
    key_id text not null,
    token text not null,
    -- A hash of the method, the path and the body: another request may not come with the same token.
    request blob not null,
    answer text not null,
    made_at integer not null,
    primary key (key_id, token)
) strict;
create index idempotency_by_age on idempotency (made_at);
