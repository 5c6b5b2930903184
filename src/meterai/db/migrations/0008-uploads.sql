-- Files that are still coming in, piece by piece; a cut connection goes on where it stopped.
create table upload (
    id          uuid primary key,
    link_hash   bytea not null unique,
    party       uuid references party,      -- who is signed in; null: a guest to be
    channel     text not null references channel,
    file_name   text not null,
    size        int not null check (size > 0),
    received    int not null default 0 check (received <= size),
    pieces      int not null default 0,
    started_at  timestamptz not null default now(),
    document    uuid references document    -- set when the whole file was received and accepted
);
create index upload_started on upload (started_at) where document is null;
