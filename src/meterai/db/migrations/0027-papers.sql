-- Numbers of invoices and receipts: one series a channel, year and kind, without gaps. The row of a series is locked
-- while a number is drawn, so a number that is rolled back is the next one's.

create table paper_series (
    kind     text not null check (kind in ('invoice', 'receipt')),
    channel  text not null references channel,
    year     int not null check (year between 2020 and 9999),
    last     int not null default 0 check (last >= 0),
    primary key (kind, channel, year)
);

create table paper (
    kind       text not null,
    channel    text not null,
    year       int not null,
    number     int not null check (number > 0),
    purchase   uuid not null references purchase,
    issued_at  timestamptz not null,
    primary key (kind, channel, year, number),
    foreign key (kind, channel, year) references paper_series,
    unique (kind, purchase)                                       -- an order has one of each
);
create trigger paper_append_only before update or delete on paper
    for each statement execute function refuse_change();
