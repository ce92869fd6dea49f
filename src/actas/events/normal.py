"""One normal form for what every provider tells: who, what happened to them, when, and what it concerned. Pure.

A fact that a provider does not state is None or empty, never a guess. An event that takes rights away and names no
subject speaks of everybody whom it may concern: the members of its groups or roles, else the whole provider. One
that names somebody in a way that tokens do not concerns nobody whom we could find; that is said, and never guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from actas.events.errors import EventMalformed


class Kind(Enum):
    """What happened; ``other`` is everything that none of these words fits."""

    SIGNED_IN = "signed-in"
    SIGN_IN_FAILED = "sign-in-failed"
    TOKEN_REFRESHED = "token-refreshed"  # noqa: S105 - a word, no secret
    SIGNED_OUT = "signed-out"
    SESSION_REVOKED = "session-revoked"
    ROLE_GRANTED = "role-granted"
    ROLE_REVOKED = "role-revoked"
    GROUP_JOINED = "group-joined"
    GROUP_LEFT = "group-left"
    USER_DISABLED = "user-disabled"
    USER_DELETED = "user-deleted"
    CREDENTIAL_CHANGED = "credential-changed"
    CLIENT_CHANGED = "client-changed"
    RISK_CHANGED = "risk-changed"
    OTHER = "other"


KINDS: Final = tuple(kind.value for kind in Kind)
LONGEST_ID: Final = 255
LONGEST: Final = 512
"""Characters of any other text."""
MOST: Final = 1000
"""Roles, or groups, of one event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityEvent:
    """One thing that happened at a provider; making one that cannot be raises `EventMalformed`."""

    id: str
    """The provider's own name for the event: the same whichever way, and however often, it comes."""
    source: str
    """The name in ``events.sources``."""
    provider: str
    """The name in ``providers`` whose callers it speaks of."""
    kind: Kind
    happened_at: datetime
    """By the provider's clock; watermarks and the order of a person's events go by it."""
    heard_at: datetime
    """By ours."""
    type: str = ""
    """What the provider calls it: ``access.LOGIN``, ``group.user_membership.remove``."""
    subject: str | None = field(default=None, repr=False)
    """Whom it happened to, by the identifier that tokens carry (the preset says which)."""
    actor: str | None = field(default=None, repr=False)
    """Who did it, where somebody else than the subject."""
    client: str | None = None
    """The client by which it was done."""
    session: str | None = field(default=None, repr=False)
    """The provider's session: the ``sid`` of tokens."""
    roles: tuple[str, ...] = field(default=(), repr=False)
    groups: tuple[str, ...] = field(default=(), repr=False)
    reason: str | None = None
    """The provider's word for why: ``invalid_user_credentials``, ``hijacking``."""
    named: tuple[str, ...] = field(default=(), repr=False)
    """How the provider names the subject where it does not by that identifier: ``email:…``, ``phone_number:…``."""
    raw: bytes | None = field(default=None, repr=False)
    """What came, as it came; kept, sealed, only where the source's settings say so."""

    def __post_init__(self) -> None:
        """Refuse what no provider can mean."""
        for name, longest in _LENGTHS.items():
            _check_text(name, getattr(self, name), longest)
        for name in ("roles", "groups", "named"):
            found = getattr(self, name)
            if type(found) is not tuple or len(found) > MOST:
                raise EventMalformed(why=f"its {name} are no list of at most {MOST}")
            for one in found:
                _check_text(name, one, LONGEST)
        for name in ("id", "source", "provider"):
            if not getattr(self, name):
                raise EventMalformed(why=f"it has no {name}")
        if not isinstance(self.kind, Kind):
            raise EventMalformed(why="its kind is none that we know")
        for name in ("happened_at", "heard_at"):
            found = getattr(self, name)
            if not isinstance(found, datetime) or found.tzinfo is not UTC or not 1970 <= found.year <= 9998:
                raise EventMalformed(why=f"its {name} is no time in UTC")


_LENGTHS: Final[Mapping[str, int]] = {
    "id": LONGEST_ID, "source": 64, "provider": 64, "type": LONGEST, "subject": LONGEST, "actor": LONGEST,
    "client": LONGEST, "session": LONGEST, "reason": LONGEST,
}  # fmt: skip


def _check_text(name: str, text: object, longest: int) -> None:
    if text is None and name not in ("id", "source", "provider", "type", "roles", "groups", "named"):
        return
    if not isinstance(text, str) or len(text) > longest:
        raise EventMalformed(why=f"its {name} is no text of at most {longest} characters")
    if any(letter < " " or letter == "\x7f" or "\ud800" <= letter <= "\udfff" for letter in text):
        raise EventMalformed(why=f"its {name} holds what no name holds")
