-- Endpoints that events are sent to. What is yet to be sent stands in the log itself, after the place an endpoint has come to: the log is
-- the outbox, and is written in the transaction of what happened.
create table webhook_endpoint (
    id text primary key,
    site text not null references site (key),
    -- What people said of it: JSON.
    settings text not null,
    -- What is signed with, as whsec_…; it has to be known to sign, so it cannot be hashed.
    secret text not null,
    -- The one before it, and until when that is signed with, too.
    previous_secret text,
    previous_until integer,
    -- Up to where the log was taken up: all before it was sent, or is in webhook_delivery.
    position integer not null,
    -- 'on'; or why nothing is sent: 'person', 'gone' (it answered 410) or 'failing' (for too long).
    state text not null check (state in ('on', 'person', 'gone', 'failing')),
    -- Since when nothing but failures came of it, and how many.
    failing_since integer,
    failures integer not null default 0,
    -- The last failure, in words.
    problem text,
    created_at integer not null,
    changed_at integer not null
) strict;
create index webhook_endpoint_of_site on webhook_endpoint (site, id);

-- Events that were taken up and not yet accepted; and those that somebody wants sent again.
create table webhook_delivery (
    endpoint text not null references webhook_endpoint (id) on delete cascade,
    event text not null,
    tries integer not null default 0,
    first_at integer not null,
    -- When it is tried next; none once it is given up.
    due_at integer,
    primary key (endpoint, event)
) strict;
create index webhook_delivery_due on webhook_delivery (endpoint, due_at) where due_at is not null;
create index webhook_delivery_of_event on webhook_delivery (event);

-- What came of each attempt.
create table webhook_attempt (
    id integer primary key autoincrement,
    -- Those of an endpoint that was removed go when they are old, as all do: there may be too many to go at once.
    endpoint text not null,
    event text not null,
    at integer not null,
    -- How long it took, in milliseconds.
    took integer not null,
    -- The status that was answered, if something was.
    status integer,
    -- Why it counts as failed; none: it was accepted.
    problem text
) strict;
create index webhook_attempt_of_endpoint on webhook_attempt (endpoint, id);
create index webhook_attempt_failed on webhook_attempt (endpoint, id) where problem is not null;
create index webhook_attempt_of_event on webhook_attempt (event);
create index webhook_attempt_by_age on webhook_attempt (at);

-- Finds what happened in a stretch of time: to send it again, and for exports.
create index event_of_site_by_time on event (site, time);
