-- Documents that people brought, and the story of each stamp put on them.

create table document (
    id            uuid primary key,
    link_hash     bytea not null unique,    -- SHA-256 of the 128-bit link; whoever has the link has the document
    code          text not null unique,     -- short code: shows status only
    party         uuid not null references party,
    channel       text not null references channel,
    file_name     text not null,
    sha256        bytea not null check (length(sha256) = 32),
    size          int not null check (size > 0),
    pages         int not null check (pages > 0),
    inspection    jsonb not null,
    object        text not null,
    kind          text,                     -- what kind of document it is, for the history
    number        text,
    dated         date,
    place         jsonb,                    -- where the person wants the mark
    still_to_sign boolean not null default false,  -- others will sign it electronically afterwards
    received_at   timestamptz not null default now(),
    keep_until    timestamptz not null,
    deleted_at    timestamptz
);
create index document_party on document (party, received_at desc);
create index document_keep on document (keep_until) where deleted_at is null;

create table affixing (
    id             uuid primary key,
    document       uuid not null references document,
    party          uuid not null references party,
    channel        text not null references channel,
    lane           smallint not null,       -- 0 people, 1 bulk
    units          smallint not null check (units > 0),
    marks          jsonb not null,          -- the places, one a unit
    certify        smallint check (certify in (1, 2)),  -- DocMDP P; null: an approval signature
    recipe         smallint not null,       -- which version of the engine makes the bytes
    source_sha256  bytea not null check (length(source_sha256) = 32),
    reserved_at    timestamptz not null,    -- also the signing time: the bytes are a function of the row
    deadline       timestamptz not null,
    attempts       smallint not null default 0,
    attempts_max   smallint not null,
    not_before     timestamptz not null default '-infinity',
    state          text not null check (state in ('waiting', 'working', 'affixed', 'restored', 'cancelled')),
    fence          int not null default 0,  -- only the newest claim may settle
    seal_until     timestamptz,             -- T: the worker of this claim stops itself then
    worker         text,
    reason         text,                    -- why it is waiting again, or was restored
    object         text,                    -- the winning object
    signed_sha256  bytea check (length(signed_sha256) = 32),
    file_sha256    bytea check (length(file_sha256) = 32),
    size           int,
    ended_at       timestamptz,
    certificate    text,                    -- restoration certificate, JWS
    request_key    text,                    -- Idempotency-Key of the request
    check ((state in ('waiting', 'working')) = (ended_at is null)),
    check ((state = 'affixed') = (object is not null)),
    check (state <> 'affixed' or (signed_sha256 is not null and file_sha256 is not null)),
    check ((state = 'working') = (seal_until is not null)),
    check (state <> 'restored' or certificate is not null),
    unique (party, request_key)
);
create index affixing_waiting on affixing (lane, reserved_at) where state = 'waiting';
create index affixing_open on affixing (deadline) where state in ('waiting', 'working');
create index affixing_working on affixing (worker) where state = 'working';
create index affixing_party on affixing (party, reserved_at desc);
create index affixing_document on affixing (document, reserved_at desc);

-- Once an affixing has ended it never changes again.
create function refuse_after_end() returns trigger language plpgsql as $$
begin
    if old.ended_at is not null then
        raise exception 'affixing % has ended as %', old.id, old.state using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger affixing_ends_once before update on affixing
    for each row execute function refuse_after_end();
