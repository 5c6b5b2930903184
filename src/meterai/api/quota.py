"""Units by state."""

from fastapi import APIRouter, Request
from pydantic import BaseModel

from meterai.api.access import Reader, app_of
from meterai.quota.balance import holdings
from meterai.quota.model import total

router = APIRouter(tags=["units"])


class ChannelUnits(BaseModel):
    """Units bought from one channel."""

    channel: str
    available: int
    reserved: int
    used: int


class UnitsByState(BaseModel):
    """All units of the caller; the sums are the ledger's own."""

    available: int
    reserved: int
    used: int
    channels: list[ChannelUnits]


@router.get("/units")
async def read_units(request: Request, caller: Reader) -> UnitsByState:
    """The caller's units by state."""
    async with app_of(request).database.reading() as connection:
        held = await holdings(connection, caller.id)
    sums = total(held)
    return UnitsByState(
        available=sums.available,
        reserved=sums.reserved,
        used=sums.used,
        channels=[
            ChannelUnits(channel=h.channel, available=h.available, reserved=h.reserved, used=h.used)
            for h in held
        ],
    )
