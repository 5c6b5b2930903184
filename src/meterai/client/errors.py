"""What a call can meet, as the server says it."""

from meterai.errors import Broken, Busy, MeteraiError, Text


class ServerUnreachable(Busy):
    """Nobody answers at that address."""

    code = "server_unreachable"
    says = Text("Server {url} tidak menjawab.", "The server {url} does not answer.")
    next_step = Text(
        "Periksa alamatnya, atau jalankan `meterai run`.",
        "Check the address, or start one with `meterai run`.",
    )


class StrangeAnswer(Broken):
    """The server failed without saying why, or something between us and it answered."""

    code = "strange_answer"
    says = Text(
        "Server {url} menjawab {status} tanpa penjelasan.",
        "The server {url} answered {status} without saying why.",
    )
    next_step = Text(
        "Coba lagi sebentar lagi dengan perintah yang sama; tidak ada yang dihitung dua kali.",
        "Try the same command again in a moment; nothing is counted twice.",
    )


class Problem(MeteraiError):
    """A failure that the server named: its code, sentences and status."""

    code = "problem"

    def __init__(self, status: int, body: dict[str, object]) -> None:
        self.status = status
        self.server_code = str(body.get("code", "error"))
        self._title = Text(str(body.get("title", "")), str(body.get("title_en", "")))
        self._next = Text(str(body.get("next_step", "")), str(body.get("next_step_en", "")))
        super().__init__()

    def sentence(self, language: str = "id") -> str:
        """As the server said it."""
        return self._title.en if language == "en" else self._title.id

    def advice(self, language: str = "id") -> str:
        """As the server said it."""
        return self._next.en if language == "en" else self._next.id
