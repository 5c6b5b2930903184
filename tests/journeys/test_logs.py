"""What the logs tell after a person was here: nothing of the person."""

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from journeys.steps import bring, choose_place, finish, order, pay
from world.demo import Demo

pytestmark = pytest.mark.browser


def test_no_log_names_the_person_the_file_or_the_link(
    phone: BrowserContext, demo: Demo, letter: Path, tmp_path: Path
) -> None:
    number = "081298765432"
    page = phone.new_page()
    bring(page, letter)
    token = page.url.rsplit("/", 1)[1]
    choose_place(page)
    order(page, number)
    pay(page)
    finish(page, tmp_path)
    logs = [*demo.data_dir.rglob("*.log"), demo.data_dir.parent / f"{demo.data_dir.name}.log"]
    said = b"".join(log.read_bytes() for log in logs)
    assert said, "there are logs to look into"
    for private in (number, number.removeprefix("0"), letter.name, letter.stem, token):
        assert private.encode() not in said, private
