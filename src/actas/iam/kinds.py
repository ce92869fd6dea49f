"""The kinds of policy, and the two values that have a name: UNKNOWN and ANONYMOUS."""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Final, Literal


class Kind(StrEnum):
    """What a policy is attached to; each kind has a grammar of its own."""

    IDENTITY = "identity"
    RESOURCE = "resource"
    TRUST = "trust"
    BOUNDARY = "boundary"
    SESSION = "session"
    SCP = "scp"
    RCP = "rcp"
    ENDPOINT = "endpoint"


class Unknown(Enum):
    """The type of UNKNOWN."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        """Read as it is written."""
        return "iam.UNKNOWN"


UNKNOWN: Final[Literal[Unknown.UNKNOWN]] = Unknown.UNKNOWN
"""A context value that the caller of the library could not find out: it may be anything, or absent."""

ANONYMOUS: Final = "*"
"""The principal of a request that nobody signed."""

PRINCIPALED: Final = frozenset({Kind.RESOURCE, Kind.TRUST, Kind.RCP, Kind.ENDPOINT})
"""The kinds whose statements name a principal."""
