"""What SAML evidence needs from outside this room: our own name, our keys, and where used assertions are kept."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

DecryptionKeys = Callable[[], Sequence[Any]]
"""Gives the private keys that the gateway makes itself, as `actas.saml` takes them."""


class Replays(Protocol):
    """Knows what was shown before, at whichever door of whichever replica."""

    async def first(self, *, issuer: str, id: str, until: datetime) -> bool:  # noqa: A002 - its name in SAML
        """Remember it until then, and tell whether it is new."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SamlEdges:
    """What reaches outside: our own name, our keys, and where used assertions are kept."""

    control_url: str
    replays: Callable[[], Awaitable[Replays]] | None = None
    """None: nothing is taken, only looked at, as by ``actas who``."""
    decryption_keys: DecryptionKeys = tuple
