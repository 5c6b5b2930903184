-- Event sites: what an intake (such as one for civil servants) asks of the files, and until when. Dated: deadlines move.

create table event (
    code       text primary key check (code ~ '^[a-z0-9-]{2,40}$'),
    channel    text not null references channel,
    name       text not null,
    organiser  text not null,
    opened_at  timestamptz not null default now()
);

create table event_rules (
    event           text not null references event,
    valid_from      timestamptz not null,
    deadline        timestamptz not null,
    file_bytes_max  int not null check (file_bytes_max > 0),
    papers          jsonb not null,        -- which documents, of which kind, with how many units
    rules           jsonb not null,        -- sentences about file and place, in both languages
    primary key (event, valid_from)
);
create trigger event_rules_append_only before update or delete on event_rules
    for each statement execute function refuse_change();
