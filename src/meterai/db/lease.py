"""Leadership by a row: one holder at a time, taken over when it stops renewing."""

from datetime import timedelta

from meterai.db.connection import Connection


async def hold(connection: Connection, name: str, holder: str, lasting: timedelta) -> bool:
    """Whether ``holder`` leads now; if so, for so long from this moment."""
    found = await connection.fetchval(
        """insert into lease (name, holder, until) values ($1, $2, clock_timestamp() + $3::interval)
           on conflict (name) do update set holder = excluded.holder, until = excluded.until
           where lease.holder = excluded.holder or lease.until < clock_timestamp()
           returning holder""",
        name,
        holder,
        lasting,
    )
    return bool(found == holder)


async def let_go(connection: Connection, name: str, holder: str) -> None:
    """The holder leads no more; somebody else may at once."""
    await connection.execute("delete from lease where name = $1 and holder = $2", name, holder)
