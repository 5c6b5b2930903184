"""What each step of a stamp costs, measured one batch at a time, so that nothing else runs meanwhile."""

import asyncio
import time
from dataclasses import replace
from uuid import UUID

from meterai.affixing.affix import POINTS, Workbench, affix_waiting
from meterai.affixing.model import Lane
from meterai.affixing.reservation import AffixingWish
from meterai.ids import new_id
from meterai.proving.laboratory import CHANNEL, OURS, Here, cpu_by_part
from meterai.wiring import open_workbench

_STEPS = {
    "claimed": "claim",
    "stamped": "stamp",
    "sealed": "seal",
    "stored": "store",
    "settling": "settle",
    "settled": "settle",
}
assert tuple(_STEPS) == POINTS


class _Watch:
    """Reads the clocks at every point: what was spent since the point before belongs to the step."""

    def __init__(self, here: Here) -> None:
        self._here = here
        self._before = cpu_by_part(here)
        self.spent: dict[str, dict[str, float]] = {}
        self.affixed = 0

    def note(self, step: str) -> None:
        """The step is over, or a piece of it."""
        now = cpu_by_part(self._here)
        parts = self.spent.setdefault(step, {})
        for part, seconds in now.items():
            name = "python" if part == OURS else part
            parts[name] = parts.get(name, 0.0) + seconds - self._before.get(part, 0.0)
        self._before = cpu_by_part(self._here)
        self._before[OURS] = time.process_time()  # reading the clocks is not the step's work

    async def __call__(self, point: str, _affixing: UUID) -> None:
        self.note(_STEPS[point])
        self.affixed += point == "settled"


async def cost_of_stages(here: Here) -> dict[str, dict[str, float]]:
    """Milliseconds of processor time an affixing, by step and by who spends it; every held document is stamped.

    Nobody else works meanwhile: start the workers afterwards.
    """
    bench = open_workbench(here.app)
    await _reserve_all(here)
    await _work_off(bench)
    watch = _Watch(here)
    await _reserve_all(here)
    watch.note("reserve")
    await _work_off(replace(bench, at=watch))
    return {
        step: {part: round(s * 1000 / watch.affixed, 3) for part, s in parts.items() if s > 0}
        for step, parts in watch.spent.items()
    }


async def _reserve_all(here: Here) -> None:
    wishes = [
        AffixingWish(new_id(), document, here.buyer, CHANNEL, Lane.BULK, repeat_wanted=True)
        for document in here.held
    ]
    await asyncio.gather(*map(here.app.reservations.submit, wishes))


async def _work_off(bench: Workbench) -> None:
    while await affix_waiting(bench, "stages"):
        pass
