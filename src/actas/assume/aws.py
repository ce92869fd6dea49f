"""What all brokers do that take a role at AWS: two trades for one grant, each with the policy that fences it.

Beside it what is said of the caller there: a name for the session and tags. Pure but for the waiting.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol
from unicodedata import category

import anyio

from actas.assume import key as keys
from actas.assume import policies, sts
from actas.assume.brokers.local import lasts_until
from actas.assume.errors import AssumeError, CannotNarrow, PolicyTooLong
from actas.assume.sts import Issued
from actas.model.decision import Grant, Role
from actas.model.session import Session, Sessions

LONGEST_TAG: Final = 256
RESERVED: Final = "aws:"
"""No tag's key or value begins with it (IAM User Guide, "Rules for tagging in IAM and AWS STS")."""
TAGS: Final = ("provider", "kind", "actor")
"""The tags that say who the caller is; the settings add others, and may not set these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One of the two sessions."""

    purpose: Literal["invoke", "work"]
    role: Role
    name: str
    """The caller's pseudonym: the session's name, so that AWS's own trail names who it was."""
    policy: str
    seconds: int

    def form(self) -> dict[str, str]:
        """Write the parameters that every action that takes a role has."""
        return {"RoleArn": self.role.arn, "DurationSeconds": str(self.seconds), "Policy": self.policy}


class PseudonymOf(Protocol):
    """Names people without naming them."""

    async def of(self, issuer: str, subject: str) -> str:
        """Give the pseudonym of *subject*."""
        ...


Trade = Callable[[Wanted], Awaitable[Issued]]


async def both(grant: Grant, trade: Trade, *, pseudonyms: PseudonymOf, now: datetime, id: str) -> Sessions:  # noqa: A002 - as `Sessions` calls it
    """Make the trade twice at once: to invoke, and to work."""
    assert grant.role is not None
    ends = lasts_until(grant, now=now)
    name = await whose(grant, pseudonyms)
    until = ends if ends - now < timedelta(seconds=sts.SHORTEST) else None
    texts: dict[Literal["invoke", "work"], str] = {
        "invoke": policies.invoke_policy(grant.function_arn, until=until),
        "work": policies.work_policy(grant.fence, grant.role.policy, until=until),
    }
    longest = max(len(text) for text in texts.values())
    if longest > sts.LONGEST_POLICY:
        raise PolicyTooLong(size=longest, allowed=sts.LONGEST_POLICY)
    seconds = max(sts.SHORTEST, int((ends - now).total_seconds()))
    made: dict[str, Session] = {}

    async def one(wanted: Wanted) -> None:
        made[wanted.purpose] = _session(wanted, await trade(wanted), ends)

    try:
        async with anyio.create_task_group() as tasks:
            for purpose, policy in texts.items():
                wanted = Wanted(purpose=purpose, role=grant.role, name=name, policy=policy, seconds=seconds)
                tasks.start_soon(one, wanted)
    except ExceptionGroup as several:
        ours = several.subgroup(AssumeError)
        if ours is None:
            raise
        raise ours.exceptions[0] from several  # either is enough: without one of the two there is no call
    return Sessions(invoke=made["invoke"], work=made["work"], id=id)


async def whose(grant: Grant, pseudonyms: PseudonymOf) -> str:
    """Name the caller; what came by a session of ours is named as its first caller is."""
    if grant.parent is None:
        return (await pseudonyms.of(grant.identity.issuer, grant.identity.subject))[:64]
    if grant.parent.narrowed:  # STS takes one policy, and two that must both allow are not one
        raise CannotNarrow
    return grant.parent.subject[:64]


def _session(wanted: Wanted, issued: Issued, ends: datetime) -> Session:
    return Session(
        purpose=wanted.purpose,
        role_arn=wanted.role.arn,
        access_key_id=issued.access_key_id,
        secret_access_key=issued.secret_access_key,
        session_token=issued.session_token,
        expires_at=min(ends, issued.expires_at),
    )


def tags(grant: Grant, more: Mapping[str, str]) -> dict[str, str]:
    """Say what AWS may decide by: who vouches for the caller, what kind it is, who acts; and what the settings add."""
    found = {**more, "provider": grant.identity.provider, "kind": keys.kind_of(grant.identity)}
    if grant.identity.actors:
        found["actor"] = grant.identity.actors[0].client or "yes"
    return {name: _taggable(value) for name, value in found.items()}


def _taggable(value: str) -> str:
    """Give a tag's value, or where STS would not take it a digest: two values never become one tag."""
    takes = len(value) <= LONGEST_TAG and not value.lower().startswith(RESERVED)
    if takes and all(one in "_.:/=+-@" or category(one)[0] in "LZN" for one in value):
        return value
    return f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"
