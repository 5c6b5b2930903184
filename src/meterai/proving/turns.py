"""Contenders in turns on one core, so that whatever happens to the machine happens to all of them."""

import gc
import itertools
import os
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

Run = TypeVar("Run")


@contextmanager
def on_one_core() -> Iterator[None]:
    """This process keeps to one core, while others may have the rest."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def warm_ups(
    contenders: Mapping[str, tuple[Run, int]], items: Sequence[bytes], most: int
) -> Iterator[tuple[Run, bytes]]:
    """Each contender with what it does before anything counts: ``most`` items, the slow ones two."""
    for run, few in contenders.values():
        for item in itertools.islice(itertools.cycle(items), most if few > 8 else 2):
            yield run, item


def turns(
    contenders: Mapping[str, tuple[Run, int]], items: Sequence[bytes], rounds: int
) -> Iterator[tuple[str, Run, bytes]]:
    """In every round each contender by its name, with so many items as it has; other items each round.

    What was made before is not looked at by the garbage collector meanwhile.
    """
    gc.collect()
    gc.freeze()
    try:
        for turn in range(rounds):
            for name, (run, few) in contenders.items():
                for place in range(few):
                    yield name, run, items[(turn * few + place) % len(items)]
    finally:
        gc.unfreeze()


def medians_ms(spent: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The median of each contender's times (seconds), in milliseconds."""
    return {name: statistics.median(times) * 1000 for name, times in spent.items()}
