-- Who leads: one holder a name, until a moment. Rows instead of advisory locks, so that any pooler may stand between.
create table lease (
    name    text primary key,
    holder  text not null,
    until   timestamptz not null
);
