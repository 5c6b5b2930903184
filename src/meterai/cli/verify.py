"""``meterai verify``: one verdict for each file; the registry is asked where a server answers."""

from pathlib import Path

from meterai.cli.speech import Progress, record, say
from meterai.client.calls import Client
from meterai.clock import now
from meterai.errors import MeteraiError
from meterai.settings import Settings
from meterai.signing.validation import examine
from meterai.verification.judgement import judge_offline
from meterai.verification.model import WORDS, Verdict
from meterai.verification.reasons import SENTENCES
from meterai.wiring import trust_of

GOOD = frozenset({Verdict.GENUINE.value, Verdict.GENUINE_OFFLINE.value})


def find_files(paths: list[Path]) -> list[Path]:
    """The PDF files among files and folders, in order."""
    files = []
    for path in paths:
        if path.is_dir():
            files += sorted(p for p in path.rglob("*") if p.suffix.lower() == ".pdf")
        else:
            files.append(path)
    return files


def verify_all(
    files: list[Path], client: Client | None, settings: Settings, *, as_json: bool
) -> bool:
    """Whether every file is genuine; each verdict is said."""
    progress = Progress(len(files))
    all_good = True
    for file in files:
        try:
            said = _online(client, file) if client else _offline(settings, file)
        except (OSError, MeteraiError) as error:
            code = error.code if isinstance(error, MeteraiError) else "file_error"
            said = {"verdict": Verdict.UNREADABLE.value, "reason": code, "sentence": str(error)}
        good = said["verdict"] in GOOD
        all_good = all_good and good
        progress.step(failed=not good)
        _report(file, said, as_json=as_json)
    progress.end()
    return all_good


def _online(client: Client, file: Path) -> dict[str, object]:
    found = client.verify(file.name, file.read_bytes())
    return {
        "verdict": found.verdict,
        "reason": found.reason,
        "title": found.title,
        "sentence": found.sentence,
        "serial": found.serials[0] if found.serials else None,
        "sha256": found.sha256,
        "sealed_at": found.sealed_at,
    }


def _offline(settings: Settings, file: Path) -> dict[str, object]:
    content = file.read_bytes()
    found = judge_offline(examine(content, trust_of(settings), now()))
    return {
        "verdict": found.verdict.value,
        "reason": found.reason,
        "title": WORDS[found.verdict].id,
        "sentence": SENTENCES[found.reason].id,
        "serial": found.serials[0] if found.serials else None,
        "sha256": found.sha256.hex(),
        "sealed_at": found.sealed_at,
    }


def _report(file: Path, said: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        record(
            {"file": str(file), **{k: v for k, v in said.items() if k not in ("title", "sentence")}}
        )
        return
    say(f"{said.get('title', said['verdict'])!s:<28} {file}  {said.get('serial') or ''}")
    say(f"    {said.get('sentence', '')} [{said['reason']}]")
