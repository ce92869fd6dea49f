"""STS, wired: what its door reads at each request."""

from collections.abc import Sequence
from typing import Protocol

from starlette.routing import Route

from actas.gateway import Gateway
from actas.http.calls import CallDoor
from actas.http.signed import Signed
from actas.http.sts.acting import Means
from actas.http.sts.door import Now, StsDoor
from actas.identify.saml_profile import Doors
from actas.wiring.furnish import Furnished
from actas.wiring.parts import Parts


class House(Protocol):
    """What the door is made with; `doors.Standing` says it of all doors."""

    parts: Parts
    gateway: Gateway
    furnished: Furnished
    public: CallDoor


class StsDoors:
    """What the door is made with, one for each gateway."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._signed = Signed(house.parts.sealing, house.parts.marks)

    def routes(self) -> Sequence[Route]:
        """Give the one path that there is."""
        return [Route("/", StsDoor(self.now), methods=["GET", "POST"])]

    def now(self) -> Now:
        """Say what stands."""
        house, furnished = self._house, self._house.furnished
        control_url = furnished.settings.gateway.control_url
        return Now(
            front=furnished.front,
            gateway=house.gateway,
            signed=self._signed,
            patience=house.public.patience,
            means=Means(
                gateway=house.gateway,
                ring=house.parts.sealing,
                managed=furnished.managed,
                recipient=lambda provider: Doors.of(control_url, provider).acs,
            ),
        )
