"""What pyHanko's validator thinks, as the second of two engines that must agree."""

from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def completed(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """The result of a coroutine that never waits: pyHanko's validator, once it may fetch nothing.

    So it can be asked from plain functions, inside and outside an event loop.
    """
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: Result = done.value
        return result
    coroutine.close()
    raise RuntimeError("the validator waited for something")
