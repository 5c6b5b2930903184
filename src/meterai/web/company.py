"""A company's own page: quota, members, API keys."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from meterai.errors import Invalid
from meterai.people import store as people
from meterai.people.errors import RoleMissing
from meterai.people.model import CompanyRole, Membership, Scope
from meterai.people.signin import new_key
from meterai.quota.balance import holdings
from meterai.quota.model import total
from meterai.web.forms import own_form
from meterai.web.pages import page
from meterai.web.session import app_of, signed_in, visitor_of


async def _membership(request: Request) -> Membership:
    await signed_in(request)
    memberships = (await visitor_of(request)).memberships
    if not memberships:
        raise RoleMissing
    return memberships[0]


async def overview(request: Request) -> Response:
    """Quota by state and the keys that open the API."""
    return await _overview(request, fresh_key=None)


async def _overview(request: Request, *, fresh_key: str | None) -> Response:
    membership = await _membership(request)
    async with app_of(request).database.reading() as connection:
        held = total(await holdings(connection, membership.company.id))
        keys = await people.keys_of(connection, membership.company.id)
    return await page(
        request,
        "company.html",
        membership=membership,
        held=held,
        keys=keys,
        fresh_key=fresh_key,
        may_manage=membership.role is CompanyRole.OWNER,
    )


async def make_key(request: Request) -> Response:
    """A new API key, shown this once."""
    membership = await _membership(request)
    if membership.role is not CompanyRole.OWNER:
        raise RoleMissing
    form = await own_form(request)
    async with app_of(request).database.transaction() as connection:
        key = await new_key(
            connection,
            membership.company.id,
            label=form.text("nama")[:60] or "API",
            scopes=frozenset({Scope.STAMP, Scope.READ, Scope.VERIFY}),
        )
    return await _overview(request, fresh_key=key)


async def revoke_key(request: Request) -> Response:
    """The key opens nothing any more."""
    membership = await _membership(request)
    if membership.role is not CompanyRole.OWNER:
        raise RoleMissing
    form = await own_form(request)
    try:
        id = UUID(form.text("kunci"))
    except ValueError as error:
        raise Invalid from error
    async with app_of(request).database.transaction() as connection:
        await people.revoke_key(connection, membership.company.id, id)
    return RedirectResponse("/perusahaan", 303)


routes = [
    Route("/perusahaan", overview),
    Route("/perusahaan/kunci", make_key, methods=["POST"]),
    Route("/perusahaan/kunci/cabut", revoke_key, methods=["POST"]),
]
