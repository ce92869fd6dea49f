"""What Security Event Tokens say: SSF, CAEP and RISC events and their subjects (protocols.md, 7.4). Pure.

Takes the claims of a token whose signature holds. A subject that tokens do not carry (an e-mail address, a telephone
number, a device) is no subject: what it means for access is for whoever reads `Told` to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from actas.events.sources.errors import MalformedDelivery
from actas.events.sources.reading import strict
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
FORMATS: Final = frozenset(
    {
        *("account", "email", "iss_sub", "opaque", "phone_number", "did", "uri", "aliases"),  # RFC 9493, section 3.2
        *("jwt_id", "saml_assertion_id", "ip-addresses", "complex"),  # SSF 1.0, section 3
    }
)
_MOST_EVENTS: Final = 10
_MOST_ALIASES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom a token speaks of, as far as tokens of ours carry it."""

    subject: str | None = field(default=None, repr=False)
    session: str | None = field(default=None, repr=False)
    mail: str | None = field(default=None, repr=False)
    is_read: bool = True
    """False where its format is one that nobody knows."""


def told(claims: Mapping[str, Any], *, issuer: str) -> tuple[Told, ...]:
    """Give the events of a token, without those that are about the stream; *issuer* is that of the subjects."""
    found = events(claims)
    name = strict.required(_text(claims.get("jti")), "jti")
    several = len(found) > 1
    return tuple(
        _one(uri, event, claims, issuer, f"{name}.{place}" if several else name)
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


def _one(uri: str, event: Mapping[str, Any], claims: Mapping[str, Any], issuer: str, name: str) -> Told:
    kind: Kind = KINDS.get(uri, "other")
    whom = subject_of(claims.get("sub_id", event.get("subject")), issuer, alone_is_session=kind == "session-revoked")
    at = event.get("event_timestamp", claims.get("toe", claims.get("iat")))
    if isinstance(at, bool) or not isinstance(at, (int, float)):
        raise MalformedDelivery(why="its time is no number")
    return Told(
        id=name,
        type=uri,
        kind=kind,
        at=strict.moment(at),
        subject=whom.subject,
        subject_mail=whom.mail,
        session=whom.session,
        reason=strict.name(_text(event.get("reason"))),
    )


def subject_of(value: Any, issuer: str, *, alone_is_session: bool = False) -> Subject:
    """Read a Subject Identifier (RFC 9493), simple or complex (SSF 1.0, section 3.2)."""
    if not isinstance(value, dict):
        raise MalformedDelivery(why="it names no subject")
    form = value.get("format", value.get("subject_type"))  # Google's transmitter writes the older name
    if form == "complex" or (form is None and ("user" in value or "session" in value)):
        return _complex(value, issuer)
    if not isinstance(form, str):
        raise MalformedDelivery(why="its subject has no format")
    if alone_is_session and form == "opaque":
        return Subject(session=strict.name(_text(value.get("id"))))
    return _simple(form.replace("-", "_") if form != "ip-addresses" else form, value, issuer)


def _complex(value: Mapping[str, Any], issuer: str) -> Subject:
    user = subject_of(value["user"], issuer) if isinstance(value.get("user"), dict) else Subject(is_read=True)
    held = value.get("session")
    session = strict.name(_text(held.get("id"))) if isinstance(held, dict) and held.get("format") == "opaque" else None
    return Subject(subject=user.subject, mail=user.mail, session=session, is_read=user.is_read)


def _simple(form: str, value: Mapping[str, Any], issuer: str) -> Subject:
    match form:
        case "iss_sub" | "id_token_claims":
            # A subject of another issuer is none of ours, however alike its name is.
            ours = value.get("iss") == issuer
            return Subject(subject=strict.name(_text(value.get("sub"))) if ours else None, is_read=ours)
        case "opaque":
            return Subject(subject=strict.name(_text(value.get("id"))))
        case "email":
            return Subject(mail=strict.name(_text(value.get("email"))))
        case "account":
            return Subject(mail=strict.name((_text(value.get("uri")) or "").removeprefix("acct:")))
        case "aliases":
            return _aliases(value.get("identifiers"), issuer)
        case _:
            return Subject(is_read=form in FORMATS)


def _aliases(listed: Any, issuer: str) -> Subject:
    """All of them name the same: the first that tokens carry is it (RFC 9493, section 3.2.8: never nested)."""
    if not isinstance(listed, list) or not 0 < len(listed) <= _MOST_ALIASES:
        raise MalformedDelivery(why="its subject has no aliases")
    if any(isinstance(one, dict) and one.get("format") == "aliases" for one in listed):
        raise MalformedDelivery(why="its subject has aliases of aliases")
    found = [subject_of(one, issuer) for one in listed]
    mail = next((one.mail for one in found if one.mail), None)
    return next((one for one in found if one.subject), Subject(mail=mail))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
