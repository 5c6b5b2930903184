"""What a corpus run found, told: figures by class of file, tables for people, and a line for every file."""

import csv
from collections import Counter
from collections.abc import Sequence
from io import StringIO

from meterai.pdf.road import Road
from meterai.proving.corpus import GOOD, JUDGES, Verdict

_SIGNED = ("signed:1", "signed:2", "signed:3")
_NOT_PLAIN = frozenset({"encrypted", "user-password", "xfa", *_SIGNED})
_WORDS: dict[bool | None, str] = {True: "good", False: "bad"}
PLAIN = ("clean", "warnings")
"""Of these classes there is a narrower one, ``-plain``: unsigned, unencrypted, without XFA, with a page."""


def classes_of(verdict: Verdict) -> list[str]:
    """The classes a file belongs to: its traits by the manifest, ``attack``, and the plain ones."""
    if verdict.kind == "attack":
        return ["attack"]
    classes = [trait for trait in verdict.traits if trait]
    if verdict.pages and not _NOT_PLAIN & set(verdict.traits):
        classes += [f"{trait}-plain" for trait in PLAIN if trait in verdict.traits]
    return classes


def figures(verdicts: Sequence[Verdict]) -> dict[str, dict[str, int]]:
    """For each class how many files there are and what became of them."""
    found: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        for name in classes_of(verdict):
            counter = found.setdefault(name, Counter())
            counter["files"] += 1
            counter["stamped"] += bool(verdict.road)
            counter["accepted"] += verdict.outcome == GOOD
            counter["fast"] += verdict.road == Road.FAST.value
            counter["careful"] += verdict.road == Road.CAREFUL.value
            counter["repaired"] += verdict.road == Road.REPAIR.value
            counter["refused"] += not verdict.road
    return {name: dict(found[name]) for name in sorted(found)}


def lines(verdicts: Sequence[Verdict]) -> str:
    """CSV: a line for every file with its road and what each judge says, or why it was refused."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ["file", "class", "traits", "road", "oddity", *JUDGES, "refused", "explained", "said"]
    )
    for one in verdicts:
        judged = [_WORDS.get(one.judged.get(name), "") for name in JUDGES]
        writer.writerow(
            [
                *(one.file, one.kind, ";".join(one.traits), one.road, one.oddity, *judged),
                "" if one.road else one.outcome,
                "yes" if one.explained else "no",
                one.said,
            ]
        )
    return out.getvalue()


def table(verdicts: Sequence[Verdict]) -> str:
    """Markdown: a line a class, then the outcomes of each class, then what nothing explains."""
    lines = [
        "| class | files | stamped, all judges agree | stamped, some disagree | refused | borne out |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    kinds = list(dict.fromkeys(verdict.kind for verdict in verdicts))
    for kind in kinds:
        of_kind = [verdict for verdict in verdicts if verdict.kind == kind]
        good = sum(verdict.outcome == GOOD for verdict in of_kind)
        doubtful = sum(verdict.outcome.startswith("stamped, but") for verdict in of_kind)
        right = sum(verdict.explained for verdict in of_kind)
        lines.append(
            f"| {kind} | {len(of_kind)} | {good} | {doubtful} | {len(of_kind) - good - doubtful} "
            f"| {right} = {100 * right / len(of_kind):.1f} % |"
        )
    lines += ["", "| outcome | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for outcome, _ in Counter(verdict.outcome for verdict in verdicts).most_common():
        counts = (sum(v.outcome == outcome and v.kind == kind for v in verdicts) for kind in kinds)
        lines.append(f"| {outcome} | " + " | ".join(str(count or "") for count in counts) + " |")
    open_ = [verdict for verdict in verdicts if not verdict.explained]
    lines += ["", f"Borne out by nothing: {len(open_)}", ""]
    lines += [f"- {v.file} ({v.kind}): {v.outcome} {v.said}" for v in open_]
    times = sorted(verdict.seconds for verdict in verdicts)
    lines.append(
        f"Seconds a file, judges included: median {times[len(times) // 2]:.2f}, longest {times[-1]:.1f}."
    )
    return "\n".join(lines)
