"""What SAML evidence needs from outside this room: our own name, our keys, and where used assertions are kept."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from actas.model.replays import Replays

DecryptionKeys = Callable[[], Sequence[Any]]
"""Gives the private keys that the gateway makes itself, as `actas.saml` takes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamlEdges:
    """What reaches outside: our own name, our keys, and where used assertions are kept."""

    control_url: str
    replays: Callable[[], Awaitable[Replays]] | None = None
    """None: nothing is taken, only looked at, as by ``actas who``."""
    decryption_keys: DecryptionKeys = tuple
