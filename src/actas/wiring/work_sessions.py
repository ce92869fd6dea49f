"""The door of work sessions, wired: what it reads at each request."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from starlette.routing import Route

from actas.assume.errors import RevocationsUnread
from actas.gateway import Gateway
from actas.http.calls import CallDoor
from actas.http.work_sessions import Now, WorkSessions
from actas.lambda_.proof import PATH
from actas.model import clock
from actas.model.decision import Grant
from actas.wiring.furnish import Furnished
from actas.wiring.over import is_over
from actas.wiring.parts import Parts


class House(Protocol):
    """What the door is made with; `doors.Standing` says it of all doors."""

    parts: Parts
    gateway: Gateway
    furnished: Furnished
    public: CallDoor


class WorkSessionDoors:
    """What the door is made with, one for each gateway."""

    def __init__(self, house: House) -> None:
        self._house = house

    def routes(self) -> Sequence[Route]:
        """Give the one path that there is."""
        return [Route(PATH, WorkSessions(self.now), methods=["POST"])]

    def is_over(self, grant: Grant, began: datetime | None) -> bool:
        """Tell whether a grant was revoked; raise `RevocationsUnread` where nobody knows."""
        marks = self._house.parts.marks
        if not marks.fresh(clock.now()):
            raise RevocationsUnread
        return is_over(marks, grant, began)

    def now(self) -> Now:
        """Say what stands."""
        house, furnished = self._house, self._house.furnished
        parts, settings = house.parts, furnished.settings
        return Now(
            front=furnished.front,
            gateway=house.gateway,
            patience=house.public.patience,
            flights=parts.flights,
            exchange=parts.exchange,
            audit=parts.audit,
            keys=parts.signing.jwks,
            once=parts.saml.once,
            is_over=self.is_over,
            issuer=settings.gateway.control_url,
            functions=settings.functions,
        )
