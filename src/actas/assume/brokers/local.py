"""Sessions that this gateway seals itself; what functions on this machine get.

In the settings file::

    roles:
      finance-reader: {arn: "arn:aws:iam::111122223333:role/finance-reader", session: 15m}
"""

import secrets
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from actas.assume import key as keys
from actas.assume import policies
from actas.assume.errors import EvidenceTooShort
from actas.assume.held import Held, is_short, seal
from actas.assume.inherit import MarksOf, PseudonymOf, armed, inherited
from actas.model.decision import Grant
from actas.model.evidence import Evidence
from actas.model.secret import Deferred, Secret
from actas.model.session import NO_ROLE, Session, Sessions

LONGEST = timedelta(hours=1)
SHORTEST = timedelta(seconds=1)


class Sealer(Protocol):
    """The part of the sealing ring that seals."""

    def newest(self) -> tuple[str, AESGCM]:
        """Give the key that seals now, with its id."""
        ...


class LocalBroker:
    """Seals an invoke session and a work session for a grant."""

    shape = "local"
    shows_evidence = False

    def __init__(self, ring: Sealer, pseudonyms: PseudonymOf, marks: MarksOf) -> None:
        self._ring, self._pseudonyms, self._marks = ring, pseudonyms, marks

    async def issue(self, grant: Grant, *, now: datetime, evidence: Evidence | None = None) -> Sessions:  # noqa: ARG002 - nothing is passed on
        """Make the trade: no network, no database for a person who is known."""
        if grant.role is None:
            return NO_ROLE
        ends = lasts_until(grant, now=now)
        held = await inherited(grant, pseudonyms=self._pseudonyms, marks=self._marks, now=now, ends=ends)
        return Sessions(
            invoke=self._sealed(held, "invoke", (grant.function_arn,), policies.invoke_policy(grant.function_arn)),
            work=self._sealed(held, "work", grant.fence, policies.work_policy(grant.fence, grant.role.policy)),
            id=keys.name(keys.rests(grant, broker=self.shape)),
        )

    def _sealed(
        self, held: Held, purpose: Literal["invoke", "work"], functions: tuple[str, ...], policy: str
    ) -> Session:
        whole = armed(held, purpose, functions=functions, policy=policy)
        return Session(
            purpose=purpose,
            role_arn=whole.role_arn,
            access_key_id=whole.access_key_id,
            secret_access_key=Secret(whole.secret_access_key),
            # Measured: half of what a session costs is its token, which nobody reads but a local function.
            session_token=Deferred(partial(self._token, whole)) if is_short(whole) else Secret(self._token(whole)),
            expires_at=whole.expires_at,
        )

    def _token(self, whole: Held) -> str:
        key_id, key = self._ring.newest()
        return seal(whole, key_id=key_id, key=key, nonce=secrets.token_bytes(12))


def lasts_until(grant: Grant, *, now: datetime) -> datetime:
    """Say when sessions from *grant* end: with the evidence, the role's ``session`` or an hour, whichever is first."""
    assert grant.role is not None
    ends = min(grant.expires_at, grant.identity.expires_at, now + grant.role.session, now + LONGEST)
    if ends - now < SHORTEST:
        raise EvidenceTooShort(left=(ends - now).total_seconds(), needed=SHORTEST.total_seconds())
    return ends
