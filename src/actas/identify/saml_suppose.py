"""An assertion that nobody signed: for asking what the rules would say of somebody at a SAML provider. Pure.

::

    {"provider": "ping", "name_id": "f1a9", "attributes": {"groups": ["finance"]}}

Beside these a file may say ``name_id_format``, ``authn_context``, ``session_index`` and ``iss``. No door takes one.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

import msgspec

from actas import saml
from actas.identify.errors import MalformedToken
from actas.identify.saml_believe import believe
from actas.identify.saml_profile import SamlProfile, format_of
from actas.model.identity import Identity

_HOUR = timedelta(hours=1)


class Supposed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is supposed of a caller."""

    provider: str
    name_id: str = "somebody"
    name_id_format: str | None = None
    attributes: Mapping[str, tuple[str, ...] | str] = msgspec.field(default_factory=dict)
    authn_context: str | None = None
    session_index: str | None = None
    iss: str | None = None


def read(claims: Mapping[str, object]) -> Supposed:
    """Read what is supposed."""
    try:
        return msgspec.convert(claims, Supposed)
    except msgspec.ValidationError as wrong:
        raise MalformedToken(why=f"the claims are not those of a SAML caller: {wrong}") from wrong


def suppose(supposed: Supposed, profile: SamlProfile, *, now: datetime) -> Identity:
    """Read what is *supposed* as if its signature held."""
    form = supposed.name_id_format
    values = {name: (text,) if isinstance(text, str) else text for name, text in supposed.attributes.items()}
    assertion = saml.Assertion(
        id="_supposed",
        issuer=supposed.iss or profile.entity_id or profile.name,
        name_id=supposed.name_id,
        name_id_format=min(profile.name_id) if form is None else format_of(form),
        session_index=supposed.session_index,
        authn_context=supposed.authn_context,
        authn_instant=now,
        not_before=None,
        not_on_or_after=now + _HOUR,
        session_not_on_or_after=None,
        in_response_to=None,
        audiences=(profile.audience,),
        recipient=profile.doors.acs,
        one_time_use=False,
        proxy_restriction=None,
        signed="assertion",
        attributes=MappingProxyType(values),
        xml=b"",
        issued_at=now,
    )
    return believe(assertion, profile, now=now)
