"""Calls that functions elsewhere are answering right now, so that a function can fetch the work session of its call.

A call is found here from the moment its request leaves until its answer is over, and by nobody afterwards.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from actas.invoke.interface import Delivery
from actas.model.decision import Grant
from actas.model.session import Session

MOST: Final = 16
"""How often one call may fetch its session: for a retry or two within the function."""


@dataclass(slots=True, kw_only=True)
class Flight:
    """One call on its way."""

    function: str
    """Its name in the settings."""
    function_arn: str
    """As it was granted, with its qualifier: the envelope's audience."""
    role: str
    work: Session = field(repr=False)
    grant: Grant = field(repr=False)
    began: datetime | None
    """When its sessions were made; with the grant, what a revocation is compared with."""
    fetched: int = 0


class InFlight:
    """The calls of all backends."""

    def __init__(self) -> None:
        self._calls: dict[str, Flight] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def begin(self, delivery: Delivery) -> None:
        """Let the call be found; one without a work session has nothing to fetch."""
        work, role = delivery.sessions.work, delivery.grant.role
        if work is not None and role is not None:
            self._calls[delivery.call.id] = Flight(
                function=delivery.call.function,
                function_arn=delivery.grant.function_arn,
                role=role.name,
                work=work,
                grant=delivery.grant,
                began=delivery.sessions.began,
            )

    def end(self, delivery: Delivery) -> None:
        """Forget the call."""
        self._calls.pop(delivery.call.id, None)

    def find(self, call: str) -> Flight | None:
        """Find a call; None where it is over, or never was."""
        return self._calls.get(call)
