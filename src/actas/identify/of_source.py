"""The identity of a source of events: this gateway itself vouches for it, and for nobody in the event. Pure.

Rules name it as a provider: ``who: {provider: corp-events, kind: service}``. It is no person and has no groups, roles
or scopes; what a function then does it does as the role that a rule gives the source.
"""

from datetime import UTC, datetime, timedelta

from actas.model.facts import Known, Missing
from actas.model.identity import Identity, Kind

LASTS = timedelta(hours=1)
"""How long sessions that rest on it may live; the settings say less for most roles."""
WINDOW = timedelta(minutes=5)
"""Deliveries of one window are one caller's with one evidence, and share sessions and warm processes.

Where somebody revokes what the source had, its deliveries therefore fail, and are tried again, until the next one.
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def of_source(name: str, *, vouches: str, key: str, now: datetime) -> Identity:
    """Make the identity; *vouches* is our own name as an issuer, *key* names the delivery in the trail."""
    began = now - (now - _EPOCH) % WINDOW
    return Identity(
        provider=name,
        issuer=vouches,
        subject=f"event-source:{name}",
        kind=Known(Kind.SERVICE),
        expires_at=began + WINDOW + LASTS,
        issued_at=began,
        evidence="event",
        evidence_id=key,
        tenant=Missing.ABSENT,
        client=Missing.ABSENT,
        groups=Missing.ABSENT,
        roles=Missing.ABSENT,
        scopes=Missing.ABSENT,
        mfa=Missing.ABSENT,
        authenticated_at=Missing.ABSENT,
    )
