"""Rendering: templates, both languages, and how numbers, moments and states are said."""

from datetime import datetime
from typing import Any
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from meterai import __version__
from meterai.clock import date_said, moment_said, time_said
from meterai.money import grouped, rupiah
from meterai.serial.model import grouped as serial_grouped
from meterai.web import session, words
from meterai.web.assets import asset_path

_templates = Environment(
    loader=PackageLoader("meterai.web"),
    autoescape=select_autoescape(["html", "svg"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals.update(
    asset=asset_path,
    version=__version__,
    rupiah=rupiah,
    grouped=grouped,
    serial_grouped=serial_grouped,
    words=words,
)


async def page(
    request: Request, template: str, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """The page in the visitor's language; ``template`` is a name such as ``home.html``."""
    language = session.language_of(request)
    visitor = await session.visitor_of(request)
    html = _templates.get_template(template).render(
        request_path=request.url.path,
        language=language,
        t=_chooser(language),
        visitor=visitor,
        form_token=session.form_token(request),
        demo=session.app_of(request).settings.demo,
        moment=_teller(moment_said, language),
        day=_teller(date_said, language),
        hour=time_said,
        **values,
    )
    return HTMLResponse(html, status_code=status)


def _chooser(language: str) -> Any:
    def choose(indonesian: str, english: str, **facts: object) -> str | Markup:
        """One of the two; both stand side by side in the template, so none can be missing."""
        said = english if language == "en" else indonesian
        return said.format(**facts) if facts else said

    return choose


def _teller(say: Any, language: str) -> Any:
    def tell(moment: datetime | None) -> str:
        return "–" if moment is None else str(say(moment, language))

    return tell


def short(id: UUID) -> str:
    """The end of an id, enough for a person to tell two apart."""
    return id.hex[-8:].upper()
