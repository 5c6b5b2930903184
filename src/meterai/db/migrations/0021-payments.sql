-- More ways to pay and to hear of a payment; what came in signed but could not be used; settlement files.

alter table payment_request
    add column method text not null default 'qris' check (method in ('qris', 'va', 'cash')),
    add column va_number text;

alter table payment_notice drop constraint payment_notice_how_check;
alter table payment_notice add constraint payment_notice_how_check
    check (how in ('callback', 'inquiry', 'settlement', 'counter'));

-- Messages that truly came from the provider and yet changed nothing: kept whole, for a person to see.
create table payment_letter (
    id           uuid primary key,
    provider     text not null,
    digest       bytea not null check (length(digest) = 32),   -- the same one again is the same letter
    path         text not null,
    sent_at      text not null,                                 -- as its sender dated it
    raw          bytea not null,
    why          text not null,                                 -- the code of the failure
    received_at  timestamptz not null default now(),
    times        int not null default 1,
    seen_at      timestamptz,
    unique (provider, digest, why)
);

-- The provider's own account of a day, line by line, matched to the rupiah.
create table settlement_file (
    id           uuid primary key,
    provider     text not null,
    day          date not null,
    digest       bytea not null check (length(digest) = 32),
    imported_by  uuid references party,
    imported_at  timestamptz not null default now(),
    unique (provider, digest)
);
create table settlement_line (
    file         uuid not null references settlement_file,
    line         int not null,
    kind         text not null check (kind in ('payment', 'refund')),
    external_id  text not null,
    reference    text not null,
    amount       bigint not null check (amount > 0),
    verdict      text not null check (verdict in ('matched', 'found', 'amount_differs', 'unknown', 'repeated')),
    ours         bigint,                                        -- what our books say of it, where they say anything
    primary key (file, line)
);
create index settlement_line_number on settlement_line (external_id);
create index payment_notice_paid on payment_notice (provider, paid_at);
