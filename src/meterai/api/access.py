"""Who calls: an API key in ``Authorization: Bearer``, its party and its scopes."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Header, Request

from meterai.people import store
from meterai.people.errors import KeyNotAccepted
from meterai.people.model import Party, Scope
from meterai.people.signin import digest
from meterai.wiring import App


def app_of(request: Request) -> App:
    """What wiring built for this process."""
    app = request.app.state.app
    assert isinstance(app, App)
    return app


def caller_with(scope: Scope) -> Callable[..., Awaitable[Party]]:
    """A dependency that gives the calling party. Raises :class:`KeyNotAccepted`."""

    async def caller(
        request: Request, authorization: Annotated[str | None, Header()] = None
    ) -> Party:
        kind, _, key = (authorization or "").partition(" ")
        if kind.lower() != "bearer" or not key:
            raise KeyNotAccepted
        async with app_of(request).database.reading() as connection:
            found = await store.key_holder(connection, digest(key.strip()))
        if found is None or scope.value not in found[1]:
            raise KeyNotAccepted
        return found[0]

    return caller


Stamper = Annotated[Party, Depends(caller_with(Scope.STAMP))]
Reader = Annotated[Party, Depends(caller_with(Scope.READ))]
Checker = Annotated[Party, Depends(caller_with(Scope.VERIFY))]
Auditor = Annotated[Party, Depends(caller_with(Scope.AUDIT))]
