-- The registry of serial numbers, and the channels that sell with their dated terms.

create table serial (
    number         text primary key check (number ~ '^[0-9A-Z]{22}$'),
    state          text not null check (state in ('allotted', 'bound', 'affixed', 'void')),
    channel        text not null,
    holder         uuid,                    -- whose unit it is while allotted
    affixing       uuid,
    position       smallint not null default 1,  -- which mark of the document
    source_sha256  bytea check (length(source_sha256) = 32),
    signed_sha256  bytea check (length(signed_sha256) = 32),
    file_sha256    bytea check (length(file_sha256) = 32),
    pages          int,
    allotted_at    timestamptz not null default now(),
    affixed_at     timestamptz,
    voided_at      timestamptz,
    check ((state = 'affixed') = (affixed_at is not null)),
    check ((state = 'void') = (voided_at is not null)),
    check (state <> 'affixed' or (affixing is not null and signed_sha256 is not null
                                  and source_sha256 is not null)),
    check (state <> 'void' or (signed_sha256 is null and file_sha256 is null))
);
create index serial_affixing on serial (affixing) where affixing is not null;

-- Affixed and void are final.
create function refuse_second_end() returns trigger language plpgsql as $$
begin
    if old.state in ('affixed', 'void') and new.state <> old.state then
        raise exception 'serial % is already %', old.number, old.state using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger serial_ends_once before update on serial
    for each row execute function refuse_second_end();

create table channel (
    id         text primary key check (id ~ '^[a-z0-9-]{2,40}$'),
    name       text not null,
    kind       text not null check (kind in ('issuer', 'distributor', 'reseller', 'counter', 'event')),
    parent     text references channel,
    opened_at  timestamptz not null default now()
);

-- What a channel promises from a moment on. A row is never changed: what was sold keeps the terms it was sold under.
create table channel_terms (
    channel            text not null references channel,
    valid_from         timestamptz not null,
    duty               bigint not null check (duty > 0),             -- rupiah a unit, to the state
    service_fee        bigint not null check (service_fee >= 0),     -- rupiah a unit, to the channel
    units_per_order    int not null check (units_per_order > 0),
    order_seconds      int not null check (order_seconds > 0),       -- how long an order waits for its payment
    file_bytes_max     int not null check (file_bytes_max > 0),
    attempts_max       int not null check (attempts_max > 0),
    deadline_seconds   int not null check (deadline_seconds > 0),    -- affixed or restored within
    keep_days          int not null check (keep_days > 0),           -- how long files are kept
    primary key (channel, valid_from)
);
create trigger channel_terms_append_only before update or delete on channel_terms
    for each statement execute function refuse_change();
