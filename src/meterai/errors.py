"""Every way to fail, in one screen. A feature adds classes of its own in its ``errors.py``.

::

    MeteraiError
    ├── Invalid     the request cannot be understood or is malformed: change it
    ├── NotFound    there is no such thing, or not for you
    ├── Conflict    it contradicts what is already written down
    ├── Refused     understood and declined by a rule; costs nothing, nothing is lost
    ├── Busy        not now: the same request may succeed in a moment
    └── Broken      our side failed; what was promised is kept or given back by itself

Each class carries a stable ``code`` (part of every interface), one sentence that says what happened
and one that says the next step, Indonesian first. Doors translate a root class into a status or an
exit code; nothing here knows HTTP. ``docs/errors.md`` is generated from these classes and tested against them.
"""

from typing import ClassVar, NamedTuple


class Text(NamedTuple):
    """One sentence in both languages; ``{name}`` is filled from the facts of the error."""

    id: str
    en: str


class MeteraiError(Exception):
    """The root of every failure that the platform knows by name.

    ``facts`` fill the sentences and are safe to show to the person concerned.
    """

    code: ClassVar[str] = "error"
    says: ClassVar[Text] = Text("Terjadi kesalahan.", "Something went wrong.")
    next_step: ClassVar[Text] = Text("Coba lagi sebentar lagi.", "Try again in a moment.")

    def __init__(self, **facts: str | int) -> None:
        self.facts = facts
        super().__init__(self.sentence("en"))

    def sentence(self, language: str = "id") -> str:
        """What happened, in one sentence; ``language`` is ``"id"`` or ``"en"``."""
        return (self.says.en if language == "en" else self.says.id).format(**self.facts)

    def advice(self, language: str = "id") -> str:
        """What to do next, in one sentence; ``language`` is ``"id"`` or ``"en"``."""
        return (self.next_step.en if language == "en" else self.next_step.id).format(**self.facts)


class Invalid(MeteraiError):
    """The request cannot be understood."""

    code = "invalid"
    says = Text("Permintaan belum bisa dibaca.", "The request could not be read.")
    next_step = Text("Periksa isian lalu kirim lagi.", "Check what you entered and send it again.")


class RequestTooLarge(Invalid):
    """More came than this address takes."""

    code = "request_too_large"
    says = Text("Kiriman ini terlalu besar.", "This request is too large.")
    next_step = Text(
        "Tidak ada yang tersimpan dan kuota tidak terpakai. Perkecil berkasnya, lalu kirim lagi.",
        "Nothing was kept and no quota was used. Make the file smaller and send it again.",
    )


class NotFound(MeteraiError):
    """There is no such thing, or it is not shown to this person."""

    code = "not_found"
    says = Text("Yang Anda cari tidak ditemukan.", "What you are looking for was not found.")
    next_step = Text(
        "Periksa kembali tautan atau kodenya.", "Check the link or the code once more."
    )


class Conflict(MeteraiError):
    """The request contradicts what is already written down."""

    code = "conflict"
    says = Text(
        "Permintaan ini bertentangan dengan yang sudah tercatat.",
        "The request contradicts what is already recorded.",
    )
    next_step = Text("Muat ulang halaman, lalu coba lagi.", "Reload the page and try again.")


class Refused(MeteraiError):
    """A rule declines the request; nothing was charged and nothing was lost."""

    code = "refused"
    says = Text("Permintaan tidak dapat dilakukan.", "The request cannot be done.")
    next_step = Text(
        "Tidak ada kuota yang terpakai. Lihat Bantuan untuk pilihan lain.",
        "No quota was used. See Help for other ways.",
    )


class Busy(MeteraiError):
    """Not now: the same request may succeed in a moment."""

    code = "busy"
    says = Text("Layanan sedang padat.", "The service is busy.")
    next_step = Text(
        "Tunggu sebentar; permintaan yang sama boleh dikirim lagi.",
        "Wait a moment; the same request may be sent again.",
    )


class TooMany(Busy):
    """One address asked more often than its share."""

    code = "too_many_requests"
    says = Text(
        "Terlalu banyak permintaan dari alamat Anda dalam waktu singkat.",
        "Too many requests from your address within a short time.",
    )
    next_step = Text(
        "Tunggu {seconds} detik, lalu kirim lagi; tidak ada yang hilang.",
        "Wait {seconds} seconds and send it again; nothing is lost.",
    )


class Broken(MeteraiError):
    """Our side failed; what was promised is kept or given back without being asked."""

    code = "broken"
    says = Text("Ada gangguan di pihak kami.", "Something failed on our side.")
    next_step = Text(
        "Anda tidak perlu melapor. Kuota yang ditahan kembali dengan sendirinya.",
        "You need not report it. Quota that was held comes back by itself.",
    )
