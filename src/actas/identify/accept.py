"""Refuse whatever is no token of the kind that is taken, though its signature holds.

Pure. All keys that an issuer publishes may sign its access tokens, and its other tokens too (RFC 9068, section 5),
so the kind has to be read from the token: its header's ``typ``, what the provider's own marks say, and claims that
only other kinds have. Each check is one function; `CHECKS` is all of them.
"""

from collections.abc import Mapping
from typing import Any, Final

from actas.identify.errors import (
    MissingClaim,
    NotAnAccessToken,
    SenderConstrained,
    WrongAudience,
    WrongClient,
    WrongTenant,
    WrongType,
)
from actas.identify.paths import first_text
from actas.identify.profile import Issuer, Profile, normal_type

OTHER_TYPES: Final = {
    "dpop+jwt": "a DPoP proof",  # RFC 9449, section 4.2
    "logout+jwt": "a logout token",  # OpenID Connect Back-Channel Logout 1.0, section 2.4
    "secevent+jwt": "a security event token",  # RFC 8417, section 2.3
    "token-introspection+jwt": "an introspection answer",  # RFC 9701, section 5
    "oauth-authz-req+jwt": "a request object",  # RFC 9101, section 10.8
    "client-authentication+jwt": "a client's assertion",
    "refresh+jwt": "a refresh token",
    "id_token+jwt": "an ID token",
}
"""Header types that are never taken, whatever the settings list."""

_PAYLOAD_TYPES: Final = {  # protocols.md, 1.1: Keycloak's payload typ
    "id": "an ID token",
    "refresh": "a refresh token",
    "offline": "a refresh token",
    "logout": "a logout token",
}
_PROOF: Final = ("htm", "htu")  # RFC 9449, section 4.2
_OF_ID_TOKENS: Final = ("nonce", "at_hash", "c_hash", "s_hash")  # OpenID Connect Core 1.0, sections 2 and 3.3.2.11
_PLAIN: Final = 100

Claims = Mapping[str, Any]
Header = Mapping[str, Any]


def accept(claims: Claims, header: Header, issuer: Issuer) -> None:
    """Raise the first reason why this token is not taken; return if there is none."""
    for check in CHECKS:
        check(claims, header, issuer)


def _has_a_taken_type(_claims: Claims, header: Header, issuer: Issuer) -> None:
    found = normal_type(header.get("typ") or "")
    if found in OTHER_TYPES:
        raise NotAnAccessToken(found=OTHER_TYPES[found], wanted=_wanted(issuer.profile))
    if found not in issuer.profile.types:
        listed = ", ".join(typ or "none" for typ in issuer.profile.typ)
        raise WrongType(why=f"the token's typ is {_shown(found) if found else 'missing'}; taken are {listed}")


def _is_marked_as_taken(claims: Claims, _header: Header, issuer: Issuer) -> None:
    profile = issuer.profile
    wanted = _wanted(profile)
    kind = claims.get("typ")
    if profile.takes == "access" and isinstance(kind, str) and kind.lower() in _PAYLOAD_TYPES:
        raise NotAnAccessToken(found=_PAYLOAD_TYPES[kind.lower()], wanted=wanted)
    if (use := claims.get("token_use")) is not None and use != profile.takes:  # protocols.md, 1.7
        raise NotAnAccessToken(found="a token whose token_use is another", wanted=wanted)
    for mark in profile.preset.marks:
        value = claims.get(mark.claim)
        if not isinstance(value, str) or value not in (mark.access if profile.takes == "access" else mark.id):
            found = f"a token whose {mark.claim} is {'missing' if value is None else 'another'}"
            raise NotAnAccessToken(found=found, wanted=wanted)


def _shows_no_other_kind(claims: Claims, _header: Header, issuer: Issuer) -> None:
    profile = issuer.profile
    wanted = _wanted(profile)
    if "events" in claims:  # RFC 8417, section 2.2; logout tokens have it too
        raise NotAnAccessToken(found="a security event or logout token (it has events)", wanted=wanted)
    if any(claim in claims for claim in _PROOF):
        raise NotAnAccessToken(found="a DPoP proof (it has htm or htu)", wanted=wanted)
    if profile.takes == "access":
        for claim in _OF_ID_TOKENS:
            if claim in claims:
                raise NotAnAccessToken(found=f"an ID token (it has {claim})", wanted=wanted)


def _bears_what_access_tokens_bear(claims: Claims, header: Header, issuer: Issuer) -> None:
    """Tell an ID token that shows nothing of its own (no nonce was asked for) by what it does not have."""
    profile = issuer.profile
    if profile.takes != "access" or not profile.bears or normal_type(header.get("typ") or "") == "at+jwt":
        return
    if not any(claim in claims for claim in profile.bears):
        found = f"a token with none of {', '.join(profile.bears)}, as ID tokens are"
        raise NotAnAccessToken(found=found, wanted=_wanted(profile))


def _is_free_to_be_shown(claims: Claims, _header: Header, _issuer: Issuer) -> None:
    if (bound := claims.get("cnf")) is None:  # RFC 7800, section 3.1
        return
    known = {"jkt": "a DPoP key", "x5t#S256": "a client certificate"}  # RFC 9449, section 6.1; RFC 8705, section 3.1
    members = [name for name, value in bound.items() if value is not None] if isinstance(bound, dict) else []
    raise SenderConstrained(bound_by={known.get(name, "another key") for name in members} or {"another key"})


def _is_for_us(claims: Claims, _header: Header, issuer: Issuer) -> None:
    profile = issuer.profile
    audience = claims.get("aud")
    found = [one if isinstance(one, str) else "" for one in (audience if isinstance(audience, list) else [audience])]
    if audience is None or not found:
        if audience is None and profile.by_client:  # protocols.md, 3.6: the client counts only if aud is absent
            return
        raise MissingClaim(why="the token has no claim aud")
    if profile.audience.isdisjoint(found):
        wanted = ", ".join(sorted(profile.audience)) or "nothing, because no audience is set"
        raise WrongAudience(why=f"the token is meant for {_listed(found)}, not for {wanted}")
    if profile.takes == "id" and not profile.audience.issuperset(found):
        # OpenID Connect Core 1.0, section 3.1.3.7, step 3: no audience that is not trusted.
        wanted = ", ".join(sorted(profile.audience))
        raise WrongAudience(why=f"the ID token is meant for {_listed(found)}, and not all of them are {wanted}")


def _comes_through_a_taken_client(claims: Claims, _header: Header, issuer: Issuer) -> None:
    profile = issuer.profile
    wanted = profile.clients
    if profile.takes == "id" and "azp" in claims:  # OpenID Connect Core 1.0, section 3.1.3.7, step 5
        party = claims["azp"]
        if not isinstance(party, str) or party not in profile.audience | wanted:
            raise WrongClient(found=_shown(party), wanted=profile.audience | wanted)
    elif wanted:
        client = first_text(claims, profile.client.paths)
        if client not in wanted:
            raise WrongClient(found=_shown(client) if isinstance(client, str) else "no client", wanted=wanted)


def _belongs_to_a_taken_tenant(claims: Claims, _header: Header, issuer: Issuer) -> None:
    profile = issuer.profile
    wanted = frozenset({issuer.tenant}) if issuer.tenant is not None else profile.tenants
    if wanted and profile.tenant.paths and first_text(claims, profile.tenant.paths) not in wanted:
        raise WrongTenant(wanted=wanted)  # Entra: tid must be what stands in iss (protocols.md, 1.2)


def _wanted(profile: Profile) -> str:
    return "an access token" if profile.takes == "access" else "an ID token"


def _shown(value: object) -> str:
    """Show a protocol value that could be anything, if it looks like one."""
    if isinstance(value, str) and value.isascii() and value.isprintable() and len(value) <= _PLAIN and "@" not in value:
        return value
    return "something else"


def _listed(values: list[str]) -> str:
    return ", ".join(_shown(one) for one in values[:8])


CHECKS = (
    _has_a_taken_type,
    _is_free_to_be_shown,
    _is_marked_as_taken,
    _shows_no_other_kind,
    _bears_what_access_tokens_bear,
    _is_for_us,
    _comes_through_a_taken_client,
    _belongs_to_a_taken_tenant,
)
"""Every check, in order."""
