"""The documents say what the code says."""

import ast
from pathlib import Path

import pytest

from meterai.proving.reference import DOCS, PAGES, all_errors

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_reference_page_is_as_the_code_says(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), (
        "renew it: python -m meterai.proving.reference"
    )


def test_every_failure_speaks_both_languages_and_names_no_internals() -> None:
    internal = ("Traceback", "asyncpg", "postgres://", "svc.cluster", "Exception", "localhost:")
    for error in all_errors():
        for text in (*error.says, *error.next_step):
            assert text.strip(), error.code
            assert not any(word in text for word in internal), error.code


def test_codes_are_words_joined_by_underscores() -> None:
    for error in all_errors():
        assert error.code.replace("_", "").isalnum()
        assert error.code == error.code.lower()


def test_every_room_of_the_house_is_in_the_picture() -> None:
    picture = (ROOT / "ARCHITECTURE.md").read_text()
    rooms = [p.name for p in (ROOT / "src/meterai").iterdir() if (p / "__init__.py").exists()]
    assert rooms
    for room in rooms:
        assert room in picture, room


def test_an_init_holds_only_its_docstring() -> None:
    for file in (ROOT / "src/meterai").rglob("__init__.py"):
        body = ast.parse(file.read_text()).body
        rest = body[1:] if file.parent.name != "meterai" else body[2:]
        assert not rest, f"{file} does more than say what the word means"
