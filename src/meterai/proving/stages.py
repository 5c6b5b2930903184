"""What each step of a stamp costs, measured one batch at a time, so that nothing else runs meanwhile."""

import asyncio
import time
from dataclasses import replace
from uuid import UUID

from meterai.affixing.affix import POINTS, affix, affix_waiting, claim_waiting
from meterai.affixing.model import Lane
from meterai.affixing.reservation import AffixingWish
from meterai.clock import monotonic
from meterai.ids import new_id
from meterai.proving.laboratory import CHANNEL, OURS, Here, cpu_by_part
from meterai.wiring import open_workbench

_STEPS = {
    "stamped": "stamp",
    "sealed": "seal",
    "stored": "store",
    "settling": "write settled",
    "settled": "commit settled",
}
assert set(POINTS) == {"claimed", *_STEPS}


class _Watch:
    """Reads the clocks when the last of a batch has reached a point: what was spent belongs to the step."""

    def __init__(self, here: Here) -> None:
        self._here = here
        self._before = cpu_by_part(here) | {"wall": monotonic()}
        self._reached: dict[str, int] = {}
        self.batch = 0
        self.spent: dict[str, dict[str, float]] = {}

    def note(self, step: str) -> None:
        """The step is over."""
        now = cpu_by_part(self._here) | {"wall": monotonic()}
        parts = self.spent.setdefault(step, {})
        for part, seconds in now.items():
            name = "python" if part == OURS else part
            parts[name] = parts.get(name, 0.0) + seconds - self._before.get(part, 0.0)
        self._before = cpu_by_part(self._here) | {"wall": monotonic()}
        self._before[OURS] = time.process_time()  # reading the clocks is not the step's work

    async def __call__(self, point: str, _affixing: UUID) -> None:
        self._reached[point] = self._reached.get(point, 0) + 1
        if point in _STEPS and self._reached[point] % self.batch == 0:
            self.note(_STEPS[point])


async def cost_of_stages(here: Here) -> dict[str, dict[str, float]]:
    """Milliseconds an affixing, by step: of processor time by who spends it, and on the wall.

    Every held document is stamped, one batch after the other.

    Nobody else works meanwhile: start the workers afterwards.
    """
    bench = open_workbench(here.app)
    await _reserve_all(here)
    while await affix_waiting(bench, "stages"):
        pass
    watch = _Watch(here)
    await _reserve_all(here)
    watch.note("reserve")
    watched = replace(bench, at=watch)
    affixed = 0
    while (claimed := await claim_waiting(watched, "stages")).claims:
        watch.note("claim")
        watch.batch = len(claimed.claims)
        affixed += watch.batch
        await affix(watched, claimed)
    return {
        step: {part: round(s * 1000 / affixed, 3) for part, s in parts.items() if s > 0}
        for step, parts in watch.spent.items()
    }


async def _reserve_all(here: Here) -> None:
    wishes = [
        AffixingWish(new_id(), document, here.buyer, CHANNEL, Lane.BULK, repeat_wanted=True)
        for document in here.held
    ]
    await asyncio.gather(*map(here.app.reservations.submit, wishes))
