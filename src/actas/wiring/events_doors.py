"""The door for pushed events, wired: what it reads at each request."""

from collections.abc import Sequence
from typing import Protocol

from starlette.routing import Route

from actas.gateway import Gateway
from actas.http.calls import CallDoor
from actas.http.events_door import Came, EventsDoor, Now, Said
from actas.wiring.furnish import Furnished
from actas.wiring.parts import Parts


class House(Protocol):
    """What the door is made with; `doors.Standing` says it of all doors."""

    parts: Parts
    gateway: Gateway
    furnished: Furnished
    public: CallDoor


class EventsDoors:
    """What the door is made with, one for each gateway."""

    def __init__(self, house: House) -> None:
        self._house = house

    def routes(self) -> Sequence[Route]:
        """Give the one path that there is; which methods a source takes it says itself."""
        return [Route("/events/{source:path}", EventsDoor(self.now))]

    def now(self) -> Now:
        """Say what stands."""
        house = self._house
        return Now(
            front=house.furnished.front,
            gateway=house.gateway,
            patience=house.public.patience,
            take=None if house.parts.ears is None else self._take,
        )

    async def _take(self, came: Came) -> Said:
        """Give a delivery to its source; what it told is durable on return."""
        from actas.events.interface import Pushed  # a gateway without events does without them

        ears = self._house.parts.ears
        assert ears is not None
        pushed = Pushed(
            method=came.method, query=came.query, headers=came.headers, body=came.body, received_at=came.received_at
        )
        said: Said = await ears.hearing.pushed(came.source, pushed)
        return said
