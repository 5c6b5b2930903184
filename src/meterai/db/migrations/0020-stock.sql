-- Stock that moves between channels, what keeps it from running dry unseen, and what else a channel promises.

alter table channel add column disrupted_since timestamptz;   -- cannot sell now, whatever its stock

alter table channel_terms
    add column units_per_day int check (units_per_day > 0),          -- a person and day (WIB); null: no cap
    add column refund_days int not null default 30 check (refund_days >= 0),
    add column refund_share smallint not null default 100 check (refund_share between 0 and 100),
    add column refund_cost bigint not null default 0 check (refund_cost >= 0),     -- kept from each refund
    add column refund_two_above bigint not null default 1000000 check (refund_two_above >= 0),
    add column opens time,                                           -- WIB; null: always open
    add column closes time,
    add constraint opens_and_closes check ((opens is null) = (closes is null));

-- Where people meet a channel in person.
create table outlet (
    id         text primary key check (id ~ '^[a-z0-9-]{2,40}$'),
    channel    text not null references channel,
    name       text not null,
    address    text not null,
    latitude   double precision check (latitude between -90 and 90),
    longitude  double precision check (longitude between -180 and 180),
    opened_at  timestamptz not null default now(),
    closed_at  timestamptz,
    check ((latitude is null) = (longitude is null))
);
create index outlet_channel on outlet (channel);

-- How a channel's stock is watched and kept.
create table stock_rule (
    channel    text primary key references channel,
    floor      int not null default 0 check (floor >= 0),            -- never given to another channel
    low_hours  real not null default 4 check (low_hours > 0),        -- alarm below so many hours of stock
    refill_to  int check (refill_to > 0)                             -- filled up from the parent when low; null: never
);

-- Why units stand in a channel's stock: one row for each movement between stocks, the ledger beside it.
create table allocation (
    id          uuid primary key,
    giver       text references channel,                             -- null: newly issued
    taker       text not null references channel,
    units       int not null check (units > 0),
    why         text not null check (why in ('issued', 'topped_up', 'moved', 'refilled', 'returned')),
    decided_by  uuid references party,                               -- null: by a rule
    at          timestamptz not null default now(),
    check (giver is distinct from taker),
    check ((why = 'issued') = (giver is null))
);
create index allocation_giver on allocation (giver, at);
create index allocation_taker on allocation (taker, at);
create trigger allocation_append_only before update or delete on allocation
    for each statement execute function refuse_change();

-- Once a minute: how many units have left a stock to buyers so far. The rate follows without counting orders.
create table stock_reading (
    channel  text not null references channel,
    at       timestamptz not null default now(),
    taken    bigint not null,
    primary key (channel, at)
);

create table stock_alarm (
    id          uuid primary key,
    channel     text not null references channel,
    units       int not null,
    hours       real,                                                -- null: nothing left
    raised_at   timestamptz not null default now(),
    cleared_at  timestamptz
);
create unique index stock_alarm_open on stock_alarm (channel) where cleared_at is null;

alter table purchase
    add column buyer bytea;                                          -- whose daily cap this counts against
create index purchase_buyer on purchase (channel, buyer, placed_at) where buyer is not null;
