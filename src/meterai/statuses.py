"""Which HTTP status a failure has, and which failure a status of the framework is: the same at every door."""

from meterai.errors import (
    Broken,
    Busy,
    Conflict,
    Invalid,
    MeteraiError,
    NotFound,
    Refused,
    RequestTooLarge,
    TooMany,
)

Status = tuple[type[MeteraiError], int]

_OF_ROOTS: tuple[Status, ...] = (
    (Invalid, 400),
    (NotFound, 404),
    (Conflict, 409),
    (Refused, 422),
    (TooMany, 429),
    (Busy, 503),
    (Broken, 500),
)
_FROM_THE_FRAMEWORK: dict[int, type[MeteraiError]] = {
    404: NotFound,
    405: NotFound,
    413: RequestTooLarge,
}


def status_of(error: MeteraiError, *own: Status) -> int:
    """The status of this failure; ``own`` are a door's exceptions, which go first."""
    return next((status for kind, status in (*own, *_OF_ROOTS) if isinstance(error, kind)), 500)


def headers_of(error: MeteraiError) -> dict[str, str]:
    """When to come again (``Retry-After``, seconds) where that may help."""
    return {"retry-after": str(error.facts.get("seconds", 5))} if isinstance(error, Busy) else {}


def failure_of(status: int) -> MeteraiError:
    """What a framework means by this status, in our words."""
    return _FROM_THE_FRAMEWORK.get(status, Invalid)()
