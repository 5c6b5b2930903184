"""Handing out files: always as an attachment, under a name that cannot mean anything to a server or shell."""

from urllib.parse import quote

from starlette.responses import Response


def pdf_download(content: bytes, name: str, *, ending: str = "") -> Response:
    """A PDF to be saved (RFC 6266); ``ending`` goes before ``.pdf``."""
    stem = name[:-4] if name.lower().endswith(".pdf") else name
    full = f"{stem}{ending}.pdf"
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_. ") else "_" for c in full)
    return Response(
        content,
        media_type="application/pdf",
        headers={
            "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(full)}",
            "content-security-policy": "sandbox",
        },
    )


CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def table_download(content: bytes, name: str, media_type: str) -> Response:
    """A table to be saved; ``name`` is one of ours, in plain signs."""
    return Response(
        content,
        media_type=media_type,
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )
