import json

from typer.testing import CliRunner

from meterai.proving.bench import commands
from meterai.proving.verdicts import WAYS, count_false_alarms


def test_no_untouched_stamp_raises_an_alarm_on_either_road() -> None:
    found = count_false_alarms(24)
    assert found["stamps"] == 24
    assert found["on_the_fast_road"] == 21  # all but the approvals
    assert found["ways"] == dict.fromkeys((way.name for way in WAYS), 3)
    assert found["false_alarms"] == 0
    assert found["alarms"] == []


def test_the_bench_tells_ours_the_other_and_the_limit_for_each_case() -> None:
    told = CliRunner().invoke(
        commands(), ["verify", "--document", "100kb", "--rounds", "1", "--json"]
    )
    assert told.exit_code == 0, told.output
    cases = json.loads(told.stdout)["cases"]
    assert [(case["document"], case["key"], case["level"]) for case in cases] == [
        ("100kb", "rsa-2048", "B-T"),
        ("100kb", "p-256", "B-T"),
    ]
    for case in cases:
        assert 95_000 < case["bytes"] < 105_000
        assert 0 < case["limit_ms"] < case["ours_ms"] < case["pyhanko_tuned_ms"]
