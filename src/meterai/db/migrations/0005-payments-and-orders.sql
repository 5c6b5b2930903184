-- Money that came in, and the orders it may belong to. A payment knows no order; an order is matched to it.

create table payment_request (
    reference           text primary key check (length(reference) between 8 and 64),
    provider            text not null,
    provider_reference  text,
    amount              bigint not null check (amount > 0),
    qris                text,
    requested_at        timestamptz not null default now(),
    expires_at          timestamptz not null,
    settled             boolean not null default false,   -- nothing more is expected to come
    asked_at            timestamptz                       -- when the provider was last asked
);
create index payment_request_open on payment_request (coalesce(asked_at, requested_at)) where not settled;

create table payment_notice (
    id           uuid primary key,
    provider     text not null,
    external_id  text not null,            -- the provider's own number of the payment
    reference    text not null,            -- what the payer paid for
    amount       bigint not null check (amount > 0),
    paid_at      timestamptz not null,
    how          text not null check (how in ('callback', 'inquiry')),
    received_at  timestamptz not null default now(),
    state        text not null default 'new' check (state in ('new', 'credited', 'unplaced', 'refunded')),
    reason       text,                     -- why it is unplaced
    ended_at     timestamptz,
    unique (provider, external_id),        -- a payment is recorded once, whoever reports it and how often
    check ((state = 'new') = (ended_at is null))
);
create index payment_notice_new on payment_notice (received_at) where state = 'new';
create index payment_notice_reference on payment_notice (reference);

create table purchase (
    id           uuid primary key,
    reference    text not null unique references payment_request,
    party        uuid not null references party,
    channel      text not null references channel,
    terms_from   timestamptz not null,
    units        int not null check (units > 0),
    duty         bigint not null check (duty > 0),
    service_fee  bigint not null check (service_fee >= 0),
    document     uuid,                     -- bought for this document; affixed as soon as it is paid
    state        text not null check (state in ('placed', 'paid', 'expired', 'cancelled')),
    placed_at    timestamptz not null default now(),
    expires_at   timestamptz not null,
    paid_at      timestamptz,
    check ((state = 'paid') = (paid_at is not null))
);
create index purchase_party on purchase (party, placed_at desc);
create index purchase_due on purchase (expires_at) where state = 'placed';
create index purchase_document on purchase (document) where document is not null;
