-- Drafts and files of a site, what going back and beginning again need, and visitors whom a site identifies.

-- What the author wrote, to give back as it was; the revision grows with everything that visitors are to see.
alter table site add column source text;
alter table site add column secret text;
alter table site add column revision integer not null default 1;
-- The launcher has settings of its own.
update site set settings =
    json_remove(json_set(settings, '$.launcher', json_object('corner', json_extract(settings, '$.corner'))), '$.corner');
-- As the author wrote it, before its sub-flows were put in.
alter table conversation add column source text;

create table draft (
    site text not null references site (key),
    id text not null,
    source text not null,
    changed_at integer not null,
    primary key (site, id)
) strict;

create table file (
    site text not null references site (key),
    name text not null,
    type text not null,
    hash text not null,
    content blob not null,
    primary key (site, name)
) strict;

alter table progress add column completed integer not null default 0;
alter table progress add column trail text not null default '[]';
update progress set completed = 1 where standing = 'ended';

alter table entry add column format text not null default 'text';
-- Lines that the visitor took back by going back, or by beginning again.
alter table entry add column taken_back integer not null default 0;

-- A visitor may come with several browsers, each with a token of its own; the first stays in the visitor's row, too.
create table token (
    hash blob primary key,
    visitor text not null references visitor (id)
) strict;
insert into token (hash, visitor) select token_hash, id from visitor;
create index token_of_visitor on token (visitor);

-- The site's own name for them, told with a hash that only the site can make.
alter table visitor add column identity text;
create unique index visitor_by_identity on visitor (site, identity) where identity is not null;
create index attribute_by_value on attribute (name, value);
