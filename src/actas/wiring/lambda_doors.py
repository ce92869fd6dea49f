"""The Lambda API and function URLs, wired: what their doors read at each request, and the events that run later."""

from collections.abc import Sequence
from typing import Protocol

from starlette.routing import Route

from actas.gateway import Gateway
from actas.http.calls import CallDoor
from actas.http.lambda_api.directory import Directory
from actas.http.lambda_api.door import LambdaDoor, Now
from actas.http.lambda_api.operations import DATES
from actas.http.signed import Signed
from actas.wiring.furnish import Furnished
from actas.wiring.parts import Parts


class House(Protocol):
    """What the doors are made with; `doors.Standing` says it of all doors."""

    parts: Parts
    gateway: Gateway
    furnished: Furnished
    public: CallDoor


class LambdaDoors:
    """What the doors are made with, one for each gateway."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._signed = Signed(house.parts.sealing, house.parts.marks)
        self._directory: tuple[Furnished, Directory] | None = None

    def routes(self) -> Sequence[Route]:
        """Give the paths of the Lambda API, whatever their date."""
        door = LambdaDoor(self.now)
        return [Route(f"/{date}/{{rest:path}}", door) for date in DATES]

    def now(self) -> Now:
        """Say what stands."""
        house = self._house
        return Now(
            front=house.furnished.front,
            gateway=house.gateway,
            signed=self._signed,
            directory=self._functions(house.furnished),
            patience=house.public.patience,
            later=None,
        )

    def _functions(self, furnished: Furnished) -> Directory:
        """Make the directory of these settings, once."""
        if self._directory is None or self._directory[0] is not furnished:
            settings = furnished.settings
            direct = [(one.function, one.arn) for one in furnished.rules.targets if one.route is None]
            made = Directory(
                settings.functions, direct, region=settings.gateway.region, account=settings.gateway.account
            )
            self._directory = (furnished, made)
        return self._directory[1]
