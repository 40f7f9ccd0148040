-- Forgetting visitors, and what is too old.

-- Who turned out to be another visitor, and which: what is known of both belongs to one person.
alter table visitor add column joined text references visitor (id);
-- A visitor who was erased left this behind: nobody, whom what stays of the log belongs to.
alter table visitor add column erased_at integer;
-- What happened under one name in a session that belongs to another by now.
update visitor set joined = pairs.main from (
    select distinct event.visitor as part, session.visitor as main from event join session on session.id = event.session
    where session.visitor <> event.visitor) as pairs
    where visitor.id = pairs.part;
create index visitor_joined on visitor (joined) where joined is not null;
create index visitor_erased on visitor (site) where erased_at is not null;

-- The visitor a letter is about, whoever it goes to.
alter table mail add column visitor text;
update mail set visitor = (select visitor from chat where chat.id = mail.chat) where chat is not null;
create index mail_of_visitor on mail (visitor) where visitor is not null;

-- What was said long ago.
create index entry_by_age on entry (said_at);
