"""The doors beside the one for calls, each one visible line; and what runs in the background as long as the gateway.

A door reads what stands at the moment through *house*, which is swapped when the settings change.
"""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Protocol

from starlette.routing import Route

from actas.gateway import Gateway
from actas.http.calls import CallDoor
from actas.wiring.events_doors import EventsDoors
from actas.wiring.furnish import Furnished
from actas.wiring.hear import hear
from actas.wiring.lambda_doors import LambdaDoors, run_later
from actas.wiring.parts import Parts
from actas.wiring.saml_doors import SamlDoors
from actas.wiring.sts_doors import StsDoors
from actas.wiring.work_sessions import WorkSessionDoors

Job = Callable[[], Coroutine[Any, Any, None]]


class Standing(Protocol):
    """What a door or a job is made with."""

    parts: Parts
    gateway: Gateway
    furnished: Furnished
    """The house of this moment: read it at each request, never keep it."""
    public: CallDoor
    """The door in front of all others of the public origin; there when requests come."""


def public(house: Standing) -> Sequence[Route]:
    """Give the pages of the public origin that come after calls."""
    return (*LambdaDoors(house).routes(), *EventsDoors(house).routes())


def control(house: Standing) -> Sequence[Route]:
    """Give the pages of the control origin beside health, keys and the admin API."""
    return (*SamlDoors(house).routes(), *StsDoors(house).routes(), *WorkSessionDoors(house).routes())


def jobs(house: Standing) -> Sequence[Job]:
    """Give what runs from the moment calls are taken until the gateway stops."""
    return (partial(hear, house), partial(run_later, house))
