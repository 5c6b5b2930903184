-- The transactional outbox, and messages to people.

create table outbox (
    id          bigint generated always as identity primary key,
    topic       text not null,
    about       uuid not null,
    payload     jsonb not null default '{}',
    created_at  timestamptz not null default now()
);

create table message (
    id          uuid primary key,
    medium      text not null check (medium in ('whatsapp', 'email')),
    template    text not null,
    recipient   bytea not null,            -- encrypted
    shown       text not null,             -- masked
    text        text not null,             -- {secret} stands where a code belongs
    secret      bytea,                     -- encrypted
    about       uuid,
    created_at  timestamptz not null default now(),
    sent_at     timestamptz
);
create index message_created on message (created_at desc);
