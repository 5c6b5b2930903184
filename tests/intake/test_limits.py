"""A child does not outlive the parent that was to watch over it."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("parent", "code"), [(str(os.getpid()), 0), (str(os.getppid()), 1), ("None", 0)]
)
def test_who_was_born_to_a_parent_that_is_gone_ends_at_once(parent: str, code: int) -> None:
    line = f"from meterai.intake.limits import die_with_parent; die_with_parent({parent})"
    assert subprocess.run([sys.executable, "-c", line], check=False).returncode == code
