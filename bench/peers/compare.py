"""Our engine beside the Java libraries people use, on the same documents: ``python bench/peers/compare.py``.

Debian: ``apt-get install libpdfbox2-java libitext5-java libbcprov-java libbcpkix-java default-jdk-headless``.
Turns are taken: the Java peers, our engine, the Java peers again.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from meterai.pdf import mark as art
from meterai.proving import engine

HERE = Path(__file__).parent
JARS = Path("/usr/share/java")
NEEDED = ("pdfbox2", "fontbox2", "itext5", "bcprov", "bcpkix", "bcutil", "commons-logging")
SERIAL = "7K4P2M9QAB0O1I5S8BZ2XY"
PASSWORD = "contoh"  # noqa: S105 - of a file that lives as long as this run


def main() -> None:
    """One JSON object: ours, the peers and the ratios."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--document", default="100kb-table", choices=engine.DOCUMENTS)
    asked.add_argument("--key", default="rsa-2048", choices=engine.KEYS)
    asked.add_argument("--warm-up", type=int, default=2000)
    asked.add_argument("--rounds", type=int, default=10)
    wanted = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="peers-") as kept:
        folder = Path(kept)
        peers = _Peers(folder, wanted.document, wanted.key)
        before = peers.run(wanted.warm_up, wanted.rounds)
        found = engine.measure(
            [wanted.document], rounds=wanted.rounds, keys=(wanted.key,), levels=("B-B",)
        )
        after = peers.run(wanted.warm_up, wanted.rounds)
        peers.check()
    ours = next(case for case in found["cases"] if case["road"] == "fast")
    best = {name: min(before[name], after[name]) for name in ("pdfbox_ms", "itext_ms")}
    told = {name: ours[name] for name in ("document", "key", "level", "limit_ms", "ours_ms")}
    times = min(best.values()) / float(str(ours["ours_ms"]))
    print(json.dumps(told | best | {"times_best_peer": round(times, 1)}))


class _Peers:
    """The Java program, compiled, and what it needs."""

    def __init__(self, folder: Path, document: str, key: str) -> None:
        missing = [name for name in NEEDED if not (JARS / f"{name}.jar").exists()]
        if missing:
            sys.exit(f"not installed: {', '.join(missing)}")
        self._folder = folder
        self._path = os.pathsep.join([str(folder), *(str(JARS / f"{name}.jar") for name in NEEDED)])
        _run("javac", "-proc:none", "-d", str(folder), "-cp", self._path, str(HERE / "Peers.java"))
        papers = folder / "papers"
        papers.mkdir()
        for number in range(engine.DISTINCT):
            paper = engine.DOCUMENTS[document](number)
            (papers / f"{number:02}.pdf").write_bytes(paper)
        (folder / "drawing").write_bytes(_drawing())
        engine.keep_p12(folder, key)
        self._key = folder / f"{key}.p12"

    def run(self, warm_up: int, rounds: int) -> dict[str, float]:
        """Median milliseconds of the signing thread for a document, by library."""
        folder = self._folder
        told: dict[str, float] = json.loads(
            _run(
                *("java", "-XX:+UseSerialGC", "-cp", self._path, "Peers", str(folder / "papers")),
                *(str(self._key), PASSWORD, str(folder / "drawing"), str(folder)),
                *(str(warm_up), str(rounds)),
            )
        )
        return told

    def check(self) -> None:
        """What they wrote is whole, so that nothing easier was measured."""
        for name in ("pdfbox", "itext"):
            said = _run("pdfsig", "-nocert", str(self._folder / f"{name}.pdf"))
            if "Signature is Valid" not in said or "Total document signed" not in said:
                sys.exit(f"{name}: {said}")


def _drawing() -> bytes:
    """Our mark with its ground in it, in a device colour space, which needs no resources."""
    face = art.face(SERIAL, f"HTTPS://METERAI.EXAMPLE.ID/C/{SERIAL}")
    drawn = b"q " + art.ground() + b" Q " + face.replace(b"/G Do ", b"")
    return drawn.replace(b"/C cs", b"/DeviceRGB cs").replace(b"/C CS", b"/DeviceRGB CS")


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


if __name__ == "__main__":
    main()
