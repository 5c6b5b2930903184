-- Money that goes back: for unused units of a paid order, or for a payment that fits no order.
-- The books hold it from the moment it is asked for; a row says why, who agreed, and how far it is.
create table refund (
    id               uuid primary key,
    reference        text not null unique,              -- what the provider is told: it makes a repetition harmless
    kind             text not null check (kind in ('units', 'payment')),
    party            uuid references party,
    purchase         uuid references purchase,
    notice           uuid not null references payment_notice,   -- the payment it comes from
    units            int not null default 0 check (units >= 0),
    duty             bigint not null default 0 check (duty >= 0),
    service_fee      bigint not null default 0 check (service_fee >= 0),
    withheld         bigint not null default 0 check (withheld >= 0),
    amount           bigint not null check (amount > 0),        -- what arrives at the payer
    why              text not null,
    by_hand          boolean not null,                  -- the provider cannot send it: cash, virtual account
    approvals_needed smallint not null check (approvals_needed between 0 and 2),
    state            text not null check (state in ('asked', 'approved', 'stuck', 'paid', 'declined')),
    asked_by         uuid references party,             -- null: by a rule
    asked_at         timestamptz not null default now(),
    approved_at      timestamptz,
    tries            int not null default 0,
    not_before       timestamptz not null default '-infinity',
    trouble          text,                              -- why the provider did not pay
    provider_number  text,
    ended_at         timestamptz,
    check ((kind = 'units') = (purchase is not null and units > 0)),
    check (kind = 'payment' or duty + service_fee = amount),
    check ((state in ('paid', 'declined')) = (ended_at is not null)),
    check (state <> 'paid' or provider_number is not null)
);
create unique index refund_of_payment on refund (notice) where kind = 'payment' and state <> 'declined';
create index refund_purchase on refund (purchase) where purchase is not null;
create index refund_open on refund (not_before) where state = 'approved' and not by_hand;
create index refund_party on refund (party, asked_at desc);
create index refund_waiting on refund (asked_at) where state in ('asked', 'stuck', 'approved');

create function refuse_change_of_ended_refund() returns trigger language plpgsql as $$
begin
    if old.state in ('paid', 'declined') then
        raise exception 'refund % has ended as %', old.id, old.state using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger refund_ends_once before update on refund
    for each row execute function refuse_change_of_ended_refund();

create table refund_approval (
    refund  uuid not null references refund,
    person  uuid not null references party,
    at      timestamptz not null default now(),
    primary key (refund, person)
);
