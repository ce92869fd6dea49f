"""The SAML doors, wired. What reads XML is imported when their first request comes."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from starlette.routing import Route, Router

from actas.gateway import Gateway
from actas.http.calls import CallDoor
from actas.wiring.furnish import Furnished
from actas.wiring.parts import Parts

if TYPE_CHECKING:
    from actas.http.saml.visit import Now


class House(Protocol):
    """What the doors are made with; `doors.Standing` says it of all doors."""

    parts: Parts
    gateway: Gateway
    furnished: Furnished
    public: CallDoor


class SamlDoors:
    """The doors, made when the first request comes."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._router: Router | None = None

    def routes(self) -> Sequence[Route]:
        """Give the one path that all of them are below."""
        return (Route("/saml/{provider}/{page}", self),)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand the request to its door."""
        if self._router is None:
            from actas.http.saml.door import SamlDoors as Doors

            self._router = Router(routes=Doors(self.now).routes(), redirect_slashes=False)
        await self._router(scope, receive, send)

    def now(self) -> "Now":
        """Say what stands."""
        from actas.http.saml.visit import Now

        house, parts = self._house, self._house.parts
        return Now(
            front=house.furnished.front,
            gateway=house.gateway,
            patience=house.public.patience,
            identify=parts.identify,
            seals=parts.sealing,
            keys=parts.saml.ours,
            once=parts.saml.once,
            passed_on=parts.passed_on,
            ends=self._end,
        )

    async def _end(self, *, provider: str, subject: str | None, session: str | None, at: datetime) -> None:
        parts = self._house.parts
        await parts.marks.append(
            await parts.audit.store(), provider=provider, at=at, reason="signed out", subject=subject, session=session
        )
        if subject is not None:
            parts.sessions.end(provider=provider, subject=subject)
