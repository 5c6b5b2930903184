-- Who holds quota, who may do what, and how they prove who they are.
-- Telephone numbers are stored encrypted, with a keyed index for looking up; secrets only as digests.

create table party (
    id           uuid primary key,
    kind         text not null check (kind in ('guest', 'person', 'company')),
    name         text,
    phone        bytea,                    -- encrypted
    phone_index  bytea,                    -- HMAC; equal numbers are found without being read
    language     text not null default 'id' check (language in ('id', 'en')),
    joined_at    timestamptz not null default now()
);
create unique index party_person_phone on party (phone_index) where kind = 'person';

create table membership (
    company    uuid not null references party,
    person     uuid not null references party,
    role       text not null check (role in ('owner', 'finance', 'stamper', 'viewer')),
    since      timestamptz not null default now(),
    primary key (company, person)
);
create index membership_person on membership (person);

-- What somebody may do on behalf of the platform or of a sales channel.
create table duty_role (
    person   uuid not null references party,
    role     text not null check (role in ('distributor', 'clerk', 'committee', 'officer', 'auditor')),
    channel  text,
    since    timestamptz not null default now(),
    unique nulls not distinct (person, role, channel)
);

create table one_time_code (
    id           uuid primary key,
    phone        bytea not null,
    phone_index  bytea not null,
    code_mac     bytea not null,
    tries        int not null default 0,
    created_at   timestamptz not null default now(),
    expires_at   timestamptz not null,
    used_at      timestamptz
);
create index one_time_code_phone on one_time_code (phone_index, created_at);

create table session (
    token_hash  bytea primary key,
    party       uuid not null references party,
    created_at  timestamptz not null default now(),
    expires_at  timestamptz not null
);
create index session_party on session (party);

create table api_key (
    id          uuid primary key,
    party       uuid not null references party,
    label       text not null,
    shown       text not null,             -- the first signs, so that a person can tell keys apart
    key_hash    bytea not null unique,
    scopes      text[] not null,
    created_at  timestamptz not null default now(),
    revoked_at  timestamptz
);
create index api_key_party on api_key (party);
