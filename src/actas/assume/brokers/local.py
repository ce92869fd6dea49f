"""Sessions that this gateway seals itself; what functions on this machine get.

In the settings file::

    roles:
      finance-reader: {arn: "arn:aws:iam::111122223333:role/finance-reader", session: 15m}
"""

import base64
import secrets
from datetime import datetime, timedelta
from typing import Literal, Protocol

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from actas.assume import key as keys
from actas.assume import policies
from actas.assume.errors import EvidenceTooShort
from actas.assume.held import Held, seal
from actas.model.decision import Grant
from actas.model.evidence import Evidence
from actas.model.secret import Secret
from actas.model.session import NO_ROLE, Session, Sessions

LONGEST = timedelta(hours=1)
SHORTEST = timedelta(seconds=1)


class Sealer(Protocol):
    """The part of the sealing ring that seals."""

    def newest(self) -> tuple[str, AESGCM]:
        """Give the key that seals now, with its id."""
        ...


class PseudonymOf(Protocol):
    """Names people without naming them."""

    async def of(self, issuer: str, subject: str) -> str:
        """Give the pseudonym of *subject*."""
        ...


class LocalBroker:
    """Seals an invoke session and a work session for a grant."""

    shape = "local"
    shows_evidence = False

    def __init__(self, ring: Sealer, pseudonyms: PseudonymOf) -> None:
        self._ring = ring
        self._pseudonyms = pseudonyms

    async def issue(self, grant: Grant, *, now: datetime, evidence: Evidence | None = None) -> Sessions:  # noqa: ARG002 - nothing is passed on
        """Make the trade: no network, no database for a person who is known."""
        if grant.role is None:
            return NO_ROLE
        ends = lasts_until(grant, now=now)
        identity = grant.identity
        subject = await self._pseudonyms.of(identity.issuer, identity.subject)
        actors = tuple([await self._pseudonyms.of(actor.issuer, actor.subject) for actor in identity.actors])
        held = _held(grant, subject=subject, actors=actors, now=now, ends=ends)
        return Sessions(
            invoke=self._sealed(held, "invoke", (grant.function_arn,), policies.invoke_policy(grant.function_arn)),
            work=self._sealed(held, "work", grant.fence, policies.work_policy(grant.fence, grant.role.policy)),
            id=keys.name(keys.rests(grant, broker=self.shape)),
        )

    def _sealed(
        self, held: Held, purpose: Literal["invoke", "work"], functions: tuple[str, ...], policy: str
    ) -> Session:
        whole = _for_purpose(held, purpose, functions, policy)
        key_id, key = self._ring.newest()
        return Session(
            purpose=purpose,
            role_arn=whole.role_arn,
            access_key_id=whole.access_key_id,
            secret_access_key=Secret(whole.secret_access_key),
            session_token=Secret(seal(whole, key_id=key_id, key=key, nonce=secrets.token_bytes(12))),
            expires_at=whole.expires_at,
        )


def lasts_until(grant: Grant, *, now: datetime) -> datetime:
    """Say when sessions from *grant* end: with the evidence, the role's ``session`` or an hour, whichever is first."""
    assert grant.role is not None
    ends = min(grant.expires_at, grant.identity.expires_at, now + grant.role.session, now + LONGEST)
    if ends - now < SHORTEST:
        raise EvidenceTooShort(left=(ends - now).total_seconds(), needed=SHORTEST.total_seconds())
    return ends


def _held(grant: Grant, *, subject: str, actors: tuple[str, ...], now: datetime, ends: datetime) -> Held:
    key = keys.rests(grant)
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
    )


def _for_purpose(held: Held, purpose: Literal["invoke", "work"], functions: tuple[str, ...], policy: str) -> Held:
    return msgspec.structs.replace(
        held,
        purpose=purpose,
        functions=functions,
        policy=policy,
        access_key_id="ASIA" + base64.b32encode(secrets.token_bytes(10)).decode(),
        secret_access_key=base64.b64encode(secrets.token_bytes(30)).decode(),
    )
