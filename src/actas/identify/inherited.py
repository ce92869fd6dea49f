"""The identity behind a session of ours: who it was sealed for, known by the pseudonym alone. Pure.

What the session does not hold is unknown, and so never in the caller's favour: of the caller's groups, roles and
scopes it holds only how they answered the rules.
"""

from actas.model.facts import Fact, Known, Missing
from actas.model.held import Held
from actas.model.identity import Actor, Identity, Kind

_KINDS = {kind.value: Known(kind) for kind in Kind}


def inherited(held: Held, vouches: str) -> Identity:
    """Make the identity; *vouches* is our own name as an issuer, for nobody else knows our pseudonyms."""
    kind: Fact[Kind] = _KINDS.get(held.kind, Missing.UNKNOWN)
    return Identity(
        provider=held.provider,
        issuer=vouches,
        subject=held.subject,
        kind=kind,
        expires_at=held.evidence_expires_at,
        issued_at=held.issued_at,
        evidence="session",
        evidence_id=held.root or held.access_key_id,  # the call that it was asked for by, where that is in the trail
        tenant=Missing.UNKNOWN,
        client=Missing.UNKNOWN,
        groups=Missing.UNKNOWN,
        roles=Missing.UNKNOWN,
        scopes=Missing.UNKNOWN,
        mfa=Missing.UNKNOWN if held.mfa is None else Known(held.mfa),
        authenticated_at=Missing.UNKNOWN if held.authenticated_at is None else Known(held.authenticated_at),
        actors=tuple(Actor(issuer=vouches, subject=one) for one in held.actors),
    )
