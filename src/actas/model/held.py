"""What a sealed session holds (design.md, 8.3): whose it is, what it may be used for, on what it rests.

A struct, because it travels sealed in the session's own token; nothing but `assume` seals or opens one.
"""

import base64
import hashlib
from datetime import datetime
from functools import lru_cache
from typing import Literal

import msgspec

from actas.model.rule_ref import RuleRef


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """One watermark that can end a session, by the name under which the table has it; it names nobody."""

    provider: str
    whose: bytes | None
    since: datetime | None
    """When what the watermark is about began: the evidence's ``iat``, or the session's own beginning."""


class Held(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One session, whole."""

    purpose: Literal["invoke", "work"]
    access_key_id: str
    secret_access_key: str
    issued_at: datetime
    expires_at: datetime
    provider: str
    issuer: str
    subject: str
    """The pseudonym."""
    actors: tuple[str, ...]
    kind: str
    authenticated_at: datetime | None
    mfa: bool | None
    evidence_expires_at: datetime
    role: str
    role_arn: str
    rules: tuple[RuleRef, ...]
    facts: tuple[tuple[str, str], ...]
    functions: tuple[str, ...]
    """Qualified ARNs: an invoke session's one function, a work session's fence."""
    policy: str | None = None
    root: str | None = None
    marks: tuple[Mark, ...] = ()
    """Every watermark that ends it; a session without any is refused."""
    evidence: str = "bearer"
    """What its first caller showed."""
    took: tuple[str, ...] = ()
    """The actions that the role's trust policy was asked about; empty where the role has none."""
    took_as: tuple[str, ...] = ()
    """The principals that it was asked about."""
    narrowed: tuple[tuple[str, ...], ...] = ()
    """Session policies that were passed along: of each step those of which one must allow."""
    session_name: str = ""
    """``RoleSessionName``, where somebody asked for one."""
    source_identity: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    transitive: tuple[str, ...] = ()
    """Keys of the tags that sessions taken from this one have too."""

    def __repr__(self) -> str:
        return f"Held({self.purpose}, {self.role})"

    @property
    def name(self) -> str:
        """The session's name in ARNs: what was asked for, else the pseudonym."""
        return self.session_name or self.subject

    @property
    def arn(self) -> str:
        """Who uses it, as AWS names sessions."""
        _, partition, _, _, account, resource = self.role_arn.split(":", 5)
        return f"arn:{partition}:sts::{account}:assumed-role/{resource.rpartition('/')[2]}/{self.name}"

    @property
    def passed_on(self) -> tuple[tuple[str, str], ...]:
        """The tags that sessions taken from this one have too; case tells no key of a tag from another."""
        keys = {key.casefold() for key in self.transitive}
        return tuple([one for one in self.tags if one[0].casefold() in keys])

    @property
    def user_id(self) -> str:
        """Its unique id, as AWS writes those of sessions: the same for the same role and name, and no ARN."""
        return f"{_role_id(self.role_arn)}:{self.name}"


@lru_cache(maxsize=1024)  # base32 takes its time
def _role_id(role_arn: str) -> str:
    return "AROA" + base64.b32encode(hashlib.sha256(role_arn.encode()).digest()).decode()[:17]
