"""Why somebody is not let in, or not understood."""

from meterai.errors import Invalid, NotFound, Refused, Text


class PhoneNotUnderstood(Invalid):
    """This is no Indonesian mobile number."""

    code = "phone_not_understood"
    says = Text("Nomor telepon belum bisa dibaca.", "The telephone number could not be read.")
    next_step = Text(
        "Tulis nomor ponsel Indonesia, misalnya 0812 3456 7890.",
        "Write an Indonesian mobile number, such as 0812 3456 7890.",
    )


class CodeWrong(Refused):
    """The one-time code does not fit."""

    code = "code_wrong"
    says = Text("Kode tidak cocok.", "The code does not fit.")
    next_step = Text(
        "Periksa pesan terakhir, lalu masukkan lagi. Sisa percobaan: {left}.",
        "Look at the newest message and enter it again. Tries left: {left}.",
    )


class CodeOver(Refused):
    """The code expired, was used, or was tried too often."""

    code = "code_over"
    says = Text("Kode ini sudah tidak berlaku.", "This code is no longer valid.")
    next_step = Text("Minta kode baru.", "Ask for a new code.")


class TooManyCodes(Refused):
    """More codes were asked for than one number gets in an hour."""

    code = "too_many_codes"
    says = Text(
        "Terlalu banyak kode diminta untuk nomor ini.",
        "Too many codes were requested for this number.",
    )
    next_step = Text(
        "Pakai kode terakhir, atau coba lagi satu jam kemudian.",
        "Use the last code, or try again in an hour.",
    )


class SignInFirst(Refused):
    """This needs somebody who is signed in."""

    code = "sign_in_first"
    says = Text("Halaman ini perlu masuk lebih dahulu.", "This page needs you to sign in first.")
    next_step = Text("Masuk dengan nomor telepon Anda.", "Sign in with your telephone number.")


class NotYours(NotFound):
    """It exists, but not for this visitor; it looks like any other thing that does not exist."""

    code = "not_found"


class RoleMissing(Refused):
    """The visitor is known but may not do this."""

    code = "role_missing"
    says = Text("Peran Anda tidak mencakup halaman ini.", "Your role does not include this page.")
    next_step = Text(
        "Masuk dengan akun lain, atau minta peran ini kepada pengelola.",
        "Sign in as somebody else, or ask the operator for this role.",
    )


class KeyNotAccepted(Refused):
    """The API key is unknown, revoked, or lacks the scope."""

    code = "key_not_accepted"
    says = Text("Kunci API tidak diterima.", "The API key was not accepted.")
    next_step = Text(
        "Periksa kunci dan cakupannya di halaman Perusahaan.",
        "Check the key and its scopes on the company page.",
    )
