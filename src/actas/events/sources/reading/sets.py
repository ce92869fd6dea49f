"""What Security Event Tokens say: SSF, CAEP and RISC events and their subjects (protocols.md, 7.4). Pure.

Takes the claims of a token whose signature holds.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from actas.events.sources.errors import MalformedDelivery
from actas.events.sources.reading import strict
from actas.events.sources.reading.subjects import subject_of
from actas.events.sources.reading.told import Kind, Told

CAEP: Final = "https://schemas.openid.net/secevent/caep/event-type/"
RISC: Final = "https://schemas.openid.net/secevent/risc/event-type/"
SSF: Final = "https://schemas.openid.net/secevent/ssf/event-type/"
OAUTH: Final = "https://schemas.openid.net/secevent/oauth/event-type/"
VERIFICATION: Final = f"{SSF}verification"
STREAM_UPDATED: Final = f"{SSF}stream-updated"
KINDS: Final[dict[str, Kind]] = {
    f"{CAEP}session-revoked": "session-revoked",
    # What older tokens say is not so any more; which way it changed is not told.
    f"{CAEP}token-claims-change": "role-revoked",
    f"{CAEP}credential-change": "credential-changed",
    f"{CAEP}assurance-level-change": "risk-changed",
    f"{CAEP}device-compliance-change": "risk-changed",
    f"{CAEP}risk-level-change": "risk-changed",
    f"{CAEP}session-established": "signed-in",
    f"{RISC}account-purged": "user-deleted",
    f"{RISC}account-disabled": "user-disabled",
    f"{RISC}account-credential-change-required": "credential-changed",
    f"{RISC}recovery-information-changed": "credential-changed",
    f"{RISC}credential-compromise": "risk-changed",
    f"{RISC}recovery-activated": "risk-changed",
    f"{RISC}sessions-revoked": "session-revoked",
    f"{OAUTH}tokens-revoked": "session-revoked",
    f"{OAUTH}token-revoked": "session-revoked",
}
_MOST_EVENTS: Final = 10
_UNDERSTOOD: Final = frozenset({"user", "session"})
"""What we match tokens by."""


def told(claims: Mapping[str, Any], *, issuers: Collection[str], critical: Collection[str] = ()) -> tuple[Told, ...]:
    """Give the events of a token, without those that are about the stream; *issuers* are those of our subjects.

    *critical* are the members of complex subjects that nobody may pass over (SSF 1.0, section 7.1).
    """
    found = events(claims)
    name = strict.required(_text(claims.get("jti")), "jti")
    several = len(found) > 1
    return tuple(
        _one(uri, event, claims, _Whose(issuers, critical, f"{name}.{place}" if several else name))
        for place, (uri, event) in enumerate(found.items())
        if not uri.startswith(SSF)
    )


def events(claims: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Give the member ``events``: at least one, each an object under a URI (RFC 8417, section 2.2)."""
    found = claims.get("events")
    if not isinstance(found, dict) or not 0 < len(found) <= _MOST_EVENTS:
        raise MalformedDelivery(why="events is no object with one event")
    for uri, event in found.items():
        if strict.name(uri) is None or ":" not in uri or not isinstance(event, dict):
            raise MalformedDelivery(why="an event is no object under a URI")
    return found


class _Whose(NamedTuple):
    issuers: Collection[str]
    critical: Collection[str]
    name: str


def _one(uri: str, event: Mapping[str, Any], claims: Mapping[str, Any], whose: _Whose) -> Told:
    kind: Kind = KINDS.get(uri, "other")
    value = claims.get("sub_id", event.get("subject"))
    whom = subject_of(value, whose.issuers, alone_is_session=kind == "session-revoked")
    if whom.members.intersection(whose.critical) - _UNDERSTOOD:
        kind = "other"  # an event with a critical member that we cannot process is to be discarded: it may mean less
    at = event.get("event_timestamp", claims.get("toe", claims.get("iat")))
    if isinstance(at, bool) or not isinstance(at, (int, float)):
        raise MalformedDelivery(why="its time is no number")
    return Told(
        id=whose.name,
        type=uri,
        kind=kind,
        at=strict.moment(at),
        subject=whom.subject,
        session=whom.session,
        named=whom.named,
        reason=strict.name(_text(event.get("reason"))),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
