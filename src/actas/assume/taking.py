"""Seal a session for somebody who takes a role for no function in particular, as they wish it.

An edge: it asks for pseudonyms. The session is one to work with, fenced to what the grant's rules name; unlike what a
function gets it may take other roles, at this gateway's own door.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from actas.assume import policies
from actas.assume.brokers.local import LONGEST, Sealer, lasts_until
from actas.assume.errors import LastsTooLong
from actas.assume.held import seal
from actas.assume.inherit import MarksOf, PseudonymOf, armed, inherited
from actas.model.decision import Grant
from actas.model.held import Held
from actas.model.secret import Secret
from actas.model.session import Session
from actas.model.wish import Wish

CHAINED: Final = timedelta(hours=1)
"""How long a session may last that was taken with a session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """A session that was taken, and what it holds."""

    session: Session
    held: Held


class Taker:
    """Seals sessions for grants of roles."""

    def __init__(self, ring: Sealer, pseudonyms: PseudonymOf, marks: MarksOf) -> None:
        self._ring, self._pseudonyms, self._marks = ring, pseudonyms, marks

    async def take(self, grant: Grant, wish: Wish, *, call: str, now: datetime) -> Took:
        """Make the session; *call* is the one that asked for it, under which the trail has it."""
        ends = _ends(grant, wish, now)
        held = await inherited(grant, pseudonyms=self._pseudonyms, marks=self._marks, now=now, ends=ends)
        assert grant.role is not None
        policy = policies.work_policy(grant.fence, grant.role.policy, chains=True)
        whole = armed(_wished(held, wish, call), "work", functions=grant.fence, policy=policy)
        key_id, key = self._ring.newest()
        session = Session(
            purpose="work",
            role_arn=whole.role_arn,
            access_key_id=whole.access_key_id,
            secret_access_key=Secret(whole.secret_access_key),
            session_token=Secret(
                seal(whole, key_id=key_id, key=key, nonce=secrets.token_bytes(12), at_least=wish.at_least)
            ),
            expires_at=whole.expires_at,
        )
        return Took(session=session, held=whole)


def _ends(grant: Grant, wish: Wish, now: datetime) -> datetime:
    """Say when it ends: as asked, but never after what it was taken with, nor after what the role allows."""
    assert grant.role is not None
    ends = lasts_until(grant, now=now)
    if wish.at_most is not None:
        ends = min(ends, now + wish.at_most)
    if wish.lasts is None:
        return ends
    if grant.parent is not None and wish.lasts > CHAINED:
        raise LastsTooLong(asked=wish.lasts, allowed=CHAINED, is_chained=True)
    if wish.lasts > (allowed := min(grant.role.session, LONGEST)):
        raise LastsTooLong(asked=wish.lasts, allowed=allowed, is_chained=False)
    return min(ends, now + wish.lasts)


def _wished(held: Held, wish: Wish, call: str) -> Held:
    return msgspec.structs.replace(
        held,
        root=call,
        session_name=wish.session_name,
        source_identity=held.source_identity or wish.source_identity,
        tags=(*held.passed_on, *wish.tags),
        transitive=(*held.transitive, *wish.transitive),
        narrowed=(*held.narrowed, wish.narrowed) if wish.narrowed else held.narrowed,
    )
