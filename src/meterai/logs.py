"""Structured logs: one JSON line an event, and nothing in it that belongs to a person."""

import contextlib
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog

_LONG_NUMBER = re.compile(r"(?<!\d)(?:\+?62|0)8\d{7,11}(?!\d)|(?<!\d)\d{15,16}(?!\d)")
"""Telephone numbers, NIK and NPWP; they should not be here, and if they are, they are blotted out."""


def _blot_out(
    _logger: Any, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _LONG_NUMBER.sub("[…]", value)
    return event


class _StandardError:
    """Where events go. One that cannot be written is lost, and what it tells of goes on: on a full disk a
    typed answer must not turn into a crash because its log line found no room.
    """

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.flush()


def configure(level: str = "info") -> None:
    """Events go to standard error as JSON, with moment and level."""
    # pyHanko speaks at length of strange files; what matters of them is said by our own events.
    logging.getLogger("pyhanko").setLevel(logging.ERROR)
    logging.getLogger("pyhanko_certvalidator").setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _blot_out,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
        ),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _StandardError())),
        cache_logger_on_first_use=True,
    )
