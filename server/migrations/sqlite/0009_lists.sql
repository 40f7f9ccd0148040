-- What the API lists page by page: of a site, in the order of ids.
create index visitor_in_order on visitor (site, id);
create index chat_in_order on chat (site, id);
create index meeting_in_order on meeting (site, id);
create index callback_in_order on callback (site, id);
create index survey_in_order on submission (site, id) where purpose = 'survey';

-- The log, as it is read of one visitor, and of one conversation.
create index event_of_visitor on event (visitor, position);
create index event_of_conversation on event (conversation, position) where conversation is not null;
