-- Counters: shifts, the block of vouchers that one device may sell without the centre, sales, and voids.

create table shift (
    id            uuid primary key,
    channel       text not null references channel,
    outlet        text not null references outlet,
    clerk         uuid not null references party,
    terms_from    timestamptz not null,            -- the terms a device sells under, also without the centre
    opening_cash  bigint not null check (opening_cash >= 0),
    block_units   int not null check (block_units >= 0),
    returned_units int not null default 0,         -- of the block, unsold at closing
    device        bytea,                           -- digest of the one device that has the block
    opened_at     timestamptz not null default now(),
    closed_at     timestamptz,
    counted_cash  bigint check (counted_cash >= 0),
    remark        text,                            -- why counted and expected differ
    check ((closed_at is null) = (counted_cash is null))
);
create unique index shift_open on shift (clerk) where closed_at is null;
create index shift_channel on shift (channel, opened_at desc);

-- Ten signs on paper or in a message: whoever brings them gets the units, once.
create table voucher (
    id           uuid primary key,
    channel      text not null references channel,
    code_index   bytea not null unique check (length(code_index) = 32),   -- keyed: the code itself is sealed
    code         bytea not null,
    units        int not null check (units > 0),
    state        text not null check (state in ('kept', 'live', 'redeemed', 'revoked')),
    giver        uuid references party,            -- whose units are in it; null: the channel's own (a block)
    shift        uuid references shift,
    purchase     uuid references purchase,
    made_at      timestamptz not null default now(),
    redeemed_by  uuid references party,
    ended_at     timestamptz,
    check ((state in ('redeemed', 'revoked')) = (ended_at is not null)),
    check ((state = 'redeemed') = (redeemed_by is not null)),
    check (state not in ('live', 'redeemed') or giver is not null),
    check (giver is not null or shift is not null)
);
create index voucher_shift on voucher (shift) where shift is not null;
create index voucher_giver on voucher (giver, made_at desc) where giver is not null;
create index voucher_purchase on voucher (purchase) where purchase is not null;

-- Wrong codes, so that nobody tries them out.
create table voucher_miss (
    party  uuid not null references party,
    at     timestamptz not null default now()
);
create index voucher_miss_party on voucher_miss (party, at);

create table counter_sale (
    purchase  uuid primary key references purchase,
    shift     uuid not null references shift,
    method    text not null check (method in ('cash', 'qris')),
    sold_at   timestamptz not null                 -- as the device says, which may have been away
);
create index counter_sale_shift on counter_sale (shift);

create table counter_void (
    voucher      uuid primary key references voucher,
    shift        uuid not null references shift,
    why          text not null,
    asked_by     uuid not null references party,
    asked_at     timestamptz not null default now(),
    decided_by   uuid references party,
    decided_at   timestamptz,
    granted      boolean,
    check ((decided_at is null) = (decided_by is null) and (decided_at is null) = (granted is null)),
    check (decided_by is distinct from asked_by)
);
create index counter_void_shift on counter_void (shift);
