import json
import subprocess
import sys
from pathlib import Path

from world.demo import SRC


def logging_to(path: str) -> subprocess.CompletedProcess[str]:
    """A program that logs one event to this file and then answers."""
    program = (
        "import structlog; from meterai.logs import configure; configure();"
        "structlog.get_logger('t').error('crashed', said='telepon 081298765432'); print('answered')"
    )
    with Path(path).open("w") as log:
        return subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": str(SRC)},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            check=False,
        )


def test_an_event_is_one_json_line_without_the_persons_number(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert logging_to(str(log)).stdout == "answered\n"
    event = json.loads(log.read_text())
    assert (event["event"], event["said"], event["level"]) == ("crashed", "telepon […]", "error")


def test_a_full_disk_costs_the_log_line_and_not_the_answer() -> None:
    assert logging_to("/dev/full").stdout == "answered\n"
