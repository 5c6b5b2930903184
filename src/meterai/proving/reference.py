"""Writes the parts of the documents that follow from the code: ``docs/errors.md`` and ``docs/settings.md``.

``python -m meterai.proving.reference`` renews them; a test compares them with the code.
"""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import meterai
from meterai.errors import Broken, Busy, Conflict, Invalid, MeteraiError, NotFound, Refused
from meterai.settings import Settings

ROOTS = (Invalid, NotFound, Conflict, Refused, Busy, Broken)
DOCS = Path(__file__).parents[3] / "docs"


def all_errors() -> list[type[MeteraiError]]:
    """Every failure that the platform knows, in order of its code."""
    for module in pkgutil.walk_packages(meterai.__path__, "meterai."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = {c.code: c for c in _below(MeteraiError) if "code" in vars(c)}
    return [found[code] for code in sorted(found)]


def _below(root: type[MeteraiError]) -> Iterator[type[MeteraiError]]:
    for child in root.__subclasses__():
        yield child
        yield from _below(child)


def _root_of(error: type[MeteraiError]) -> str:
    return next((root.__name__ for root in ROOTS if issubclass(error, root)), "MeteraiError")


def errors_page() -> str:
    """``docs/errors.md``."""
    lines = [
        "# Errors",
        "",
        "Every failure that is known by name. The code is stable and part of every interface; doors",
        "translate the root into a status (Invalid 400, NotFound 404, Conflict 409, Refused 422, Busy 503,",
        "Broken 500) or an exit code. Written by `python -m meterai.proving.reference`; do not edit.",
        "",
        "| Code | Root | Dikatakan | Langkah berikutnya | Said in English |",
        "|---|---|---|---|---|",
    ]
    for error in all_errors():
        said = [error.says.id, error.next_step.id, error.says.en]
        cells = " | ".join(text.replace("|", "\\|") for text in said)
        lines.append(f"| `{error.code}` | {_root_of(error)} | {cells} |")
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """``docs/settings.md``."""
    lines = [
        "# Settings",
        "",
        "What differs from machine to machine, as environment variables. What differs by channel and date",
        "(prices, limits, deadlines, retention) are dated rows of the channel's terms, not settings.",
        "Written by `python -m meterai.proving.reference`; do not edit.",
        "",
        "| Variable | Default | Means |",
        "|---|---|---|",
    ]
    defaults = Settings(data_dir=Path("~/.local/share/meterai"))
    for name, text in _documented_fields().items():
        value = getattr(defaults, name)
        shown = (
            "" if value in (None, ()) else f"`{int(value) if value in (True, False) else value}`"
        )
        lines.append(f"| `METERAI_{name.upper()}` | {shown} | {text} |")
    return "\n".join(lines) + "\n"


def _documented_fields() -> dict[str, str]:
    """The fields of Settings with the sentence below each."""
    (tree,) = [
        node
        for node in ast.parse(inspect.getsource(importlib.import_module("meterai.settings"))).body
        if isinstance(node, ast.ClassDef) and node.name == "Settings"
    ]
    found: dict[str, str] = {}
    name = None
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id
            found[name] = ""
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and name:
            found[name] = " ".join(str(node.value.value).split())
            name = None
    return found


PAGES = {"errors.md": errors_page, "settings.md": settings_page}


def main() -> None:
    """The pages are as the code says."""
    for name, write in PAGES.items():
        (DOCS / name).write_text(write(), encoding="utf-8")


if __name__ == "__main__":
    main()
