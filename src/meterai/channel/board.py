"""The public board of stock: what everybody may know of every channel, as one small document."""

from datetime import datetime
from math import asin, cos, radians, sin, sqrt
from typing import Any

from meterai.channel import stock, store
from meterai.channel.model import Level, Outlet
from meterai.db.connection import Connection

_ORDER = {Level.IN_STOCK: 0, Level.LOW: 1, Level.SOLD_OUT: 2, Level.DISRUPTED: 3}
_EARTH_KM = 6371


async def board(connection: Connection, moment: datetime) -> dict[str, Any]:
    """Every channel that sells, best first: level, price in its parts, outlets; never a number of units."""
    states = await stock.states(connection)
    terms = await store.terms_of(connection, [state.channel.id for state in states])
    outlets: dict[str, list[Outlet]] = {}
    for outlet in await store.outlets(connection):
        outlets.setdefault(outlet.channel, []).append(outlet)
    rows = [
        {
            "id": state.channel.id,
            "name": state.channel.name,
            "kind": state.channel.kind,
            "state": state.level.value,
            "duty": terms[state.channel.id].duty,
            "service_fee": terms[state.channel.id].service_fee,
            "outlets": [
                {
                    "name": outlet.name,
                    "address": outlet.address,
                    "latitude": outlet.latitude,
                    "longitude": outlet.longitude,
                }
                for outlet in outlets.get(state.channel.id, [])
            ],
        }
        for state in sorted(states, key=lambda s: (_ORDER[s.level], s.channel.name))
        if state.channel.id in terms  # without terms nobody can buy there
    ]
    return {"at": moment.isoformat(timespec="seconds"), "currency": "IDR", "channels": rows}


def kilometres(
    here: tuple[float, float], latitude: float | None, longitude: float | None
) -> float | None:
    """As the crow flies; None for a place that is nowhere."""
    if latitude is None or longitude is None:
        return None
    lat, lon = radians(here[0]), radians(here[1])
    other, away = radians(latitude), radians(longitude)
    half = sin((other - lat) / 2) ** 2 + cos(lat) * cos(other) * sin((away - lon) / 2) ** 2
    return 2 * _EARTH_KM * asin(sqrt(half))
