"""Which server a command talks to, and with which key."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from meterai.cli.instance import joined, running
from meterai.cli.speech import say
from meterai.client.calls import Client
from meterai.client.errors import ServerUnreachable
from meterai.errors import Refused, Text
from meterai.settings import Settings


class KeyNeeded(Refused):
    """The server is no demo, so it wants a key."""

    code = "key_needed"
    says = Text("Server {url} memerlukan kunci API.", "The server {url} wants an API key.")
    next_step = Text(
        "Isi METERAI_API_KEY, atau jalankan `meterai login`.",
        "Set METERAI_API_KEY, or run `meterai login`.",
    )


@contextmanager
def connected(settings: Settings, server: str | None, key: str | None) -> Iterator[Client]:
    """A client that may stamp: the named server, the running local one, or one started for this."""
    if server is not None:
        with _with_key(settings, server, key) as client:
            yield client
        return
    with joined(settings) as found, _with_key(settings, found.url, key) as client:
        yield client


@contextmanager
def reachable(settings: Settings, server: str | None) -> Iterator[Client | None]:
    """A client for questions that need no key, or None when no server runs: then work goes offline."""
    found = running(settings)
    url = server or (found.url if found else None)
    if url is None:
        say("meterai: tidak ada server; diperiksa luring (nomor seri tidak ditanyakan).")
        yield None
        return
    with Client(url) as client:
        if server is None and not _alive(client):
            yield None
        else:
            yield client


def _alive(client: Client) -> bool:
    try:
        client.instance()
    except ServerUnreachable:
        return False
    return True


@contextmanager
def _with_key(settings: Settings, url: str, key: str | None) -> Iterator[Client]:
    key = key or _kept_key(settings, url)
    with Client(url) as stranger:
        instance = stranger.instance()
        if key is None and instance.demo:
            # Only a demo gives a key to whoever asks; everywhere else one must be brought.
            key = stranger.demo_key()
    if key is None:
        raise KeyNeeded(url=url)
    with Client(url, key) as client:
        yield client


def _key_file(settings: Settings, url: str) -> Path:
    name = urlsplit(url).netloc.replace(":", "_") or "local"
    return settings.data_dir / "logins" / name


def _kept_key(settings: Settings, url: str) -> str | None:
    file = _key_file(settings, url)
    return file.read_text().strip() or None if file.is_file() else None


def keep_key(settings: Settings, server: str | None, key: str) -> None:
    """The key is kept for this server, readable by nobody else."""
    found = running(settings)
    url = server or (found.url if found else settings.base_url_local)
    file = _key_file(settings, url)
    file.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    file.touch(0o600)
    file.write_text(key.strip() + "\n")
    say(f"meterai: kunci untuk {url} disimpan.")
