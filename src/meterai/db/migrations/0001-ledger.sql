-- The books: accounts, transfers, and the chain that makes tampering show.
-- Vocabulary and guarantees are TigerBeetle's: pending -> posted | voided | expired, exactly once;
-- the caller's id is the idempotency key; limits are part of the account.

create table account (
    id               bigint generated always as identity primary key,
    ledger           smallint not null check (ledger in (1, 2)),   -- 1 rupiah, 2 units
    code             smallint not null,                            -- what kind of account; given by who opens it
    owner            uuid,                                         -- opaque to the ledger
    scope            text,                                         -- opaque to the ledger
    flags            smallint not null default 0 check (flags in (0, 1, 2)),
    debits_pending   bigint not null default 0 check (debits_pending >= 0),
    debits_posted    bigint not null default 0 check (debits_posted >= 0),
    credits_pending  bigint not null default 0 check (credits_pending >= 0),
    credits_posted   bigint not null default 0 check (credits_posted >= 0),
    opened_at        timestamptz not null default now(),
    unique nulls not distinct (ledger, code, owner, scope),
    constraint debits_must_not_exceed_credits
        check (flags <> 1 or debits_pending + debits_posted <= credits_posted),
    constraint credits_must_not_exceed_debits
        check (flags <> 2 or credits_pending + credits_posted <= debits_posted)
) with (fillfactor = 50);  -- balances change in place: leave room on the page

create index account_owner on account (owner) where owner is not null;

-- One link a batch: SHA-256 over the previous digest and the batch's transfers in order of id.
create table journal_link (
    seq        bigint primary key,
    previous   bytea not null check (length(previous) = 32),
    digest     bytea not null check (length(digest) = 32),
    transfers  int not null check (transfers > 0),
    at         timestamptz not null
);

-- The newest link, in one row that every writer locks last.
create table journal_head (
    one     boolean primary key default true check (one),
    seq     bigint not null,
    digest  bytea not null check (length(digest) = 32)
);
insert into journal_head (seq, digest) values (0, decode(repeat('00', 32), 'hex'));

-- The columns debit and credit name accounts; that they exist is made certain under their locks
-- (a foreign key would ask again for each row), and audited.
create table transfer (
    id          uuid primary key,          -- minted by the caller: the idempotency key
    kind        "char" not null check (kind in ('S', 'P', 'C', 'V', 'X')),
                                           -- single, pending; and its end: posted (C), voided, expired
    code        smallint not null,         -- why; given by the caller
    debit       bigint not null,
    credit      bigint not null check (credit <> debit),
    amount      bigint not null check (amount > 0),
    pending_id  uuid,                      -- which pending transfer this one ends
    ref         uuid,                      -- which happening this belongs to; opaque to the ledger
    link        bigint not null,           -- the batch it was written in
    check ((kind in ('C', 'V', 'X')) = (pending_id is not null))
);

-- A pending transfer ends once: this index is what makes "post" and "void" race safely.
create unique index transfer_ends_once on transfer (pending_id) where pending_id is not null;
create index transfer_ref on transfer (ref) where ref is not null;
create index transfer_link on transfer using brin (link) with (pages_per_range = 16);

-- Append-only: what was written is never edited, only answered by another transfer.
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the journal is append-only' using errcode = 'restrict_violation';
end $$;
create trigger transfer_append_only before update or delete on transfer
    for each statement execute function refuse_change();
create trigger journal_link_append_only before update or delete on journal_link
    for each statement execute function refuse_change();
