"""The Lambda API and function URLs, wired: what their doors read at each request, and the events that run later."""

import contextlib
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

import anyio
from starlette.routing import Route

from actas.gateway import Gateway
from actas.http.calls import CallDoor
from actas.http.function_urls import FunctionUrls
from actas.http.lambda_api.directory import Directory
from actas.http.lambda_api.door import LambdaDoor, Now
from actas.http.lambda_api.operations import DATES
from actas.http.signed import Signed
from actas.model import clock
from actas.store.errors import StoreError
from actas.wiring.furnish import Furnished
from actas.wiring.parts import Parts

if TYPE_CHECKING:
    from actas.http.lambda_api.later import Later
    from actas.store.outbox import Outbox, Work

AT_ONCE: Final = 64
"""Events that run at once; what one function may have at once its schedule says."""
TELLING_AT_ONCE: Final = 8
COUNT_EVERY: Final = 5.0


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
        """Give the paths of the Lambda API, whatever their date, and those of function URLs."""
        door = LambdaDoor(self.now)
        urls = FunctionUrls(self.now, domain=self._domain, account=self._account)
        return [Route("/function-url/{rest:path}", urls), *(Route(f"/{date}/{{rest:path}}", door) for date in DATES)]

    def _domain(self) -> str:
        return urlsplit(self._house.furnished.settings.gateway.public_url).hostname or "localhost"

    def _account(self) -> str:
        return self._house.furnished.settings.gateway.account

    def now(self) -> Now:
        """Say what stands."""
        house = self._house
        return Now(
            front=house.furnished.front,
            gateway=house.gateway,
            signed=self._signed,
            directory=self._functions(house.furnished),
            patience=house.public.patience,
            later=house.parts.later,
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


async def run_later(house: House) -> None:
    """Run the events that callers left here, and tell their destinations, until cancelled."""
    from actas.http.lambda_api import later, telling  # they bring the database with them
    from actas.http.lambda_api.shares import Room

    outbox = await house.parts.opened_outbox()
    doors = LambdaDoors(house)
    tells = telling.Tells(outbox=outbox, gateway=house.gateway, clock=clock.now)
    made = later.Later(
        outbox=outbox,
        gateway=house.gateway,
        directory=lambda: doors.now().directory,
        tells=tells,
        clock=clock.now,
        chance=lambda: secrets.randbelow(1000) / 1000,
        room=lambda: Room.by(house.furnished.settings.gateway.limits),
    )
    await made.count()
    house.parts.later = made
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_run, outbox, later.QUEUE, made.work, AT_ONCE)
        tasks.start_soon(_run, outbox, telling.QUEUE, tells.work, TELLING_AT_ONCE)
        tasks.start_soon(_count, made)


async def _run(outbox: "Outbox", queue: str, work: "Work", at_once: int) -> None:
    await outbox.run(queue, work, at_once=at_once)


async def _count(made: "Later") -> None:
    """Learn again and again how many wait; a database that does not answer is asked again."""
    while True:
        await anyio.sleep(COUNT_EVERY)
        with contextlib.suppress(StoreError):
            await made.count()
