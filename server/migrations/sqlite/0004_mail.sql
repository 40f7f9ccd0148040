-- E-mail on its way: written with what caused it, and sent afterwards.
create table mail (
    id text primary key,
    -- What it is: 'transcript', or 'missed' for what a visitor left when nobody was there.
    purpose text not null,
    recipient text not null,
    subject text not null,
    -- Empty once it is sent: what was said need not be kept twice.
    body text not null,
    chat text references chat (id),
    made_at integer not null,
    tries integer not null default 0,
    -- When it is to be tried next; none once it is sent or given up.
    due_at integer,
    sent_at integer,
    -- Why it could not be sent the last time.
    problem text
) strict;
create index mail_due on mail (due_at) where due_at is not null;
create index mail_of_chat on mail (chat) where chat is not null;
create index attachment_of_chat on attachment (chat);
