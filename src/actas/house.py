"""The rooms as the settings of one moment furnish them: what the gateway needs of each, and no more."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from actas.assume.interface import Broker
from actas.assume.taking import Took
from actas.assume.use import Marks
from actas.decide.interface import Decider
from actas.invoke.interface import Backend
from actas.invoke.origins import Nesting, Origins
from actas.model.call import Address, Call
from actas.model.decision import Grant
from actas.model.evidence import Evidence
from actas.model.facts import Fact
from actas.model.identity import Identity
from actas.model.record import Decided, Ended
from actas.model.session import Sessions
from actas.model.wish import Wish


class Identifies(Protocol):
    """What the gateway needs of `identify`."""

    def known(self, token: str, now: datetime) -> Identity | None:
        """Find the identity of a token that was verified before and still holds; None where it must be verified."""
        ...

    async def verify(self, evidence: Evidence, *, now: datetime) -> Identity:
        """Believe the caller, or raise an `IdentifyError`."""
        ...


class Takes(Protocol):
    """What the gateway needs of `assume`: sessions in use, given back when the block is left."""

    async def take(
        self, grant: Grant, broker: Broker, *, now: datetime, evidence: Evidence | None = None
    ) -> AbstractContextManager[Sessions]:
        """Take the grant's role; *evidence* is for brokers that pass on what the caller showed."""
        ...


class Seals(Protocol):
    """What the gateway needs of `assume` for sessions that callers themselves get."""

    async def take(self, grant: Grant, wish: Wish, *, call: str, now: datetime) -> Took:
        """Take the grant's role as somebody wishes it."""
        ...


class Admits(Protocol):
    """Limits on how often one caller may call."""

    def admit(self, identity: Identity, *, now: datetime) -> None:
        """Let the call pass, or raise an error of status 429."""
        ...


class Keeps(Protocol):
    """What the gateway needs of `audit`."""

    async def of(self, issuer: str, subject: str, /) -> str:
        """Give the pseudonym of a subject."""
        ...

    async def decided(self, record: Decided, /) -> None:
        """Keep *record*; return when it is durable."""
        ...

    def ended(self, record: Ended, /) -> None:
        """Keep *record* soon; the caller does not wait."""
        ...

    def stranger(self, reason: str, address: Fact[Address], /) -> None:
        """Count a call that never became an identity."""
        ...


Envelope = Callable[[Call, Grant, bytes, datetime], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The rooms as the settings of one moment furnish them; swapped whole when the settings change."""

    identify: Identifies
    decider: Decider
    admits: Admits
    takes: Takes
    brokers: Mapping[str | None, Broker]
    """By role name; None for calls that need no role."""
    backends: Mapping[str, Backend]
    audit: Keeps
    envelope: Envelope
    seals: Seals
    marks: Marks
    """What ends sessions before their time."""
    issuer: str
    """Our own name as an issuer: whoever is known to us by a pseudonym only is known as one of its subjects."""
    origins: Origins = field(default_factory=Origins)
    nesting: Nesting = field(default_factory=Nesting)
