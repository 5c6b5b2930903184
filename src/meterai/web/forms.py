"""Reading forms: proven to be ours, every field a short text."""

from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.requests import Request

from meterai.errors import Invalid
from meterai.web.session import demand_own_form

FIELD_MAX = 500


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file in a form."""

    name: str
    content: bytes


class Form:
    """The fields of a form that came from our own page."""

    def __init__(self, fields: dict[str, str], sent: list[tuple[str, SentFile]]) -> None:
        self._fields = fields
        self._sent = sent

    @property
    def files(self) -> dict[str, SentFile]:
        """The last file of each field."""
        return dict(self._sent)

    def file(self, name: str) -> SentFile:
        """The file of a field, with something in it. Raises :class:`Invalid`."""
        sent = self.files.get(name)
        if sent is None or not sent.content:
            raise Invalid
        return sent

    def files_of(self, name: str) -> list[SentFile]:
        """All files of one field."""
        return [file for field, file in self._sent if field == name]

    def long_text(self, name: str) -> str:
        """A field, however long."""
        return self._fields.get(name, "")

    def text(self, name: str, otherwise: str = "") -> str:
        """A field without blanks around it."""
        return self._fields.get(name, otherwise).strip()[:FIELD_MAX]

    def flag(self, name: str) -> bool:
        """Whether a box was ticked."""
        return self._fields.get(name) in ("1", "on", "ya")

    def number(self, name: str) -> float:
        """A number. Raises :class:`Invalid`."""
        try:
            found = float(self.text(name).replace(",", "."))
        except ValueError as error:
            raise Invalid from error
        if not -100_000 < found < 100_000:
            raise Invalid
        return found

    def whole(self, name: str, otherwise: int | None = None) -> int:
        """A whole number. Raises :class:`Invalid`."""
        if otherwise is not None and not self.text(name):
            return otherwise
        return round(self.number(name))


async def own_form(
    request: Request, *, files_max: int = 1, field_bytes_max: int = 64 * 1024
) -> Form:
    """The form of this request. Raises :class:`FormNotOurs` when it did not come from our page."""
    async with request.form(
        max_files=files_max, max_fields=40, max_part_size=field_bytes_max
    ) as sent:
        fields: dict[str, str] = {}
        files: list[tuple[str, SentFile]] = []
        for name, value in sent.multi_items():
            if isinstance(value, UploadFile):
                files.append((name, SentFile(value.filename or "", await value.read())))
            else:
                fields[name] = value
    demand_own_form(request, fields.get("csrf"))
    return Form(fields, files)
