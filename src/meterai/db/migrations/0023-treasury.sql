-- Duty deposited with the state ahead of the stock (billing account 411611-102), and its proof.
create table deposit (
    id            uuid primary key,
    channel       text not null references channel,
    amount        bigint not null check (amount > 0),
    billing_code  text not null unique check (billing_code ~ '^[0-9]{15}$'),
    ntpn          text unique check (ntpn ~ '^[0-9A-Z]{16}$'),   -- the treasury's number of the receipt
    recorded_by   uuid not null references party,
    recorded_at   timestamptz not null default now(),
    confirmed_by  uuid references party,
    confirmed_at  timestamptz,
    check ((confirmed_at is null) = (confirmed_by is null)),
    check (confirmed_at is null or ntpn is not null)
);
create index deposit_channel on deposit (channel, recorded_at desc);
