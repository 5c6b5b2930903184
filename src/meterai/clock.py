"""The only file that reads the clock, and how a moment is said to people.

Deadlines and leases are judged by the database's clock (one clock for all hosts); this one stamps
logs, ids and statements, and measures how long something took.
"""

import time
from datetime import UTC, datetime, timedelta, timezone

WIB = timezone(timedelta(hours=7), "WIB")
"""Western Indonesian Time; the archipelago keeps no daylight-saving time."""

_MONTHS = (
    "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember"
).split()
_MONTHS_EN = (
    "January February March April May June July August September October November December"
).split()


def now() -> datetime:
    """The present moment, in UTC, with its zone."""
    return datetime.now(UTC)  # noqa: TID251 - the one place


def now_ms() -> int:
    """Milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


def monotonic() -> float:
    """Seconds on a clock that never goes back; only differences mean something."""
    return time.monotonic()


def date_said(moment: datetime, language: str = "id") -> str:
    """``24 November 2026`` in Western Indonesian Time."""
    local = moment.astimezone(WIB)
    months = _MONTHS_EN if language == "en" else _MONTHS
    return f"{local.day} {months[local.month - 1]} {local.year}"


def time_said(moment: datetime) -> str:
    """``14.05.09 WIB``: the zone is always named."""
    return moment.astimezone(WIB).strftime("%H.%M.%S WIB")


def moment_said(moment: datetime, language: str = "id") -> str:
    """``24 November 2026, 14.05.09 WIB``."""
    return f"{date_said(moment, language)}, {time_said(moment)}"
