"""What a session holds of the grant it came from, and what it inherits of the session that was shown for it.

A session got from a session never has more than that one: the same person, facts and fence, the same watermarks and
those of its own role, every session policy that was passed along, and an end that is no later.
"""

import base64
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from actas.assume import key as keys
from actas.model.decision import Grant
from actas.model.held import Held, Mark

_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
RandomBytes = Callable[[int], bytes]


class PseudonymOf(Protocol):
    """Names people without naming them."""

    async def of(self, issuer: str, subject: str) -> str:
        """Give the pseudonym of *subject*."""
        ...


class MarksOf(Protocol):
    """Names the watermarks that end a session."""

    def of(
        self,
        *,
        provider: str,
        subject: str,
        session: str | None,
        issued_at: datetime | None,
        began: datetime,
        address: str | None = None,
        acting: Sequence[str] = (),
    ) -> tuple[Mark, ...]:
        """List those of a person, whoever is *acting* for them, a provider and everybody."""
        ...

    def of_role(self, role_arn: str, began: datetime) -> Mark:
        """Give that of a role."""
        ...


async def inherited(grant: Grant, *, pseudonyms: PseudonymOf, marks: MarksOf, now: datetime, ends: datetime) -> Held:
    """Write down what a session from *grant* holds, but its purpose and its credentials."""
    key, parent = keys.rests(grant), grant.parent
    if parent is not None:
        return _child(parent, key, grant, marks, now=now, ends=ends)
    identity = grant.identity
    subject = await pseudonyms.of(identity.issuer, identity.subject)
    actors = tuple([await pseudonyms.of(actor.issuer, actor.subject) for actor in identity.actors])
    whose = marks.of(
        provider=key.provider,
        subject=key.subject,
        session=key.provider_session,
        issued_at=key.evidence_issued_at,
        began=now,
        address=key.address,
        acting=identity.acting,
    )
    return Held(
        purpose="invoke",
        access_key_id="",
        secret_access_key="",
        issued_at=now,
        expires_at=ends,
        provider=key.provider,
        issuer=key.issuer,
        subject=subject,
        actors=actors,
        kind=key.kind,
        authenticated_at=key.authenticated_at,
        mfa=key.mfa,
        evidence_expires_at=key.evidence_expires_at,
        role=key.role,
        role_arn=key.role_arn,
        rules=key.rules,
        facts=key.facts,
        functions=(),
        marks=(*whose, marks.of_role(key.role_arn, now)),
        evidence=identity.evidence,
        took=key.took,
        took_as=key.took_as,
    )


def _child(parent: Held, key: keys.Rests, grant: Grant, marks: MarksOf, *, now: datetime, ends: datetime) -> Held:
    own = () if key.role_arn == parent.role_arn else (marks.of_role(key.role_arn, now),)
    return msgspec.structs.replace(
        parent,
        issued_at=now,
        expires_at=min(ends, parent.expires_at),
        role=key.role,
        role_arn=key.role_arn,
        rules=key.rules,
        facts=key.facts,
        functions=grant.fence,
        marks=(*parent.marks, *own),
        took=key.took,
        took_as=key.took_as,
        policy=None,
    )


def armed(
    held: Held,
    purpose: Literal["invoke", "work"],
    *,
    functions: tuple[str, ...],
    policy: str,
    random: RandomBytes = secrets.token_bytes,
) -> Held:
    """Give *held* its purpose, and credentials of its own."""
    return msgspec.structs.replace(
        held,
        purpose=purpose,
        functions=functions,
        policy=policy,
        access_key_id=access_key_id(held.role_arn, random(5)),
        secret_access_key=base64.b64encode(random(30)).decode(),
    )


def access_key_id(role_arn: str, random: bytes) -> str:
    """Make a name for temporary credentials that tells the account, as AWS's own do."""
    number = (1 << 47 | int(role_arn.split(":")[4]) << 7 | random[0] & 0x7F) << 32 | int.from_bytes(random[1:])
    # Base32 by hand: the library's takes ten times as long for so little.
    return "ASIA" + "".join([_BASE32[number >> shift & 31] for shift in range(75, -1, -5)])


def account_of(access_key_id: str) -> str | None:
    """Read the account out of an access key id; None where it is none of ours, nor of the kind of AWS's."""
    try:
        octets = base64.b32decode(access_key_id[4:].encode())
    except ValueError:
        return None
    if access_key_id[:4] not in ("ASIA", "AKIA") or len(octets) != 10:
        return None
    account = int.from_bytes(octets[:6]) >> 7 & (1 << 40) - 1
    return f"{account:012}" if account < 10**12 else None
