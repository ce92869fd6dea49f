"""Tokens as PingOne writes them, and as a PingFederate JSON-token manager with an attribute contract does."""

from actas.testing.idp.facts import Claims, Facts, Paths, Shape
from actas.testing.idp.people import stable_id
from actas.testing.idp.shapes.oidc import identity as standard_identity
from actas.testing.idp.shapes.oidc import times

ENVIRONMENT = str(stable_id("pingone", "environment"))
"""The made-up PingOne environment; the organisation likewise."""
ORGANISATION = str(stable_id("pingone", "organisation"))


def pingone(facts: Facts) -> Claims:
    """Write a PingOne access token; groups are there by a resource attribute mapping, ``acr`` names a policy."""
    said: Claims = {
        "client_id": facts.client.id,
        "iss": facts.issuer,
        "jti": facts.token_id,
        **times(facts),
        "aud": list(facts.audience),
        "scope": facts.scope,
        "env": ENVIRONMENT,
        "org": ORGANISATION,
    }
    if not facts.person:
        return said | {"sub": facts.client.id}
    said |= {"sub": facts.person.id, "sid": facts.session, "auth_time": facts.authenticated, "acr": _policy(facts)}
    return said if facts.overflowed else said | {"groups": list(facts.groups)}


def _policy(facts: Facts) -> str:
    return "Multi_Factor" if facts.person and facts.person.mfa else "Single_Factor"


def _pingone_identity(facts: Facts) -> Claims:
    return standard_identity(facts) | {"acr": _policy(facts), "env": ENVIRONMENT, "org": ORGANISATION}


def _bare(values: tuple[str, ...]) -> str | list[str]:
    """Write one value bare: so does PingFederate unless the multi-valued box is ticked."""
    return values[0] if len(values) == 1 else list(values)


def pingfederate(facts: Facts) -> Claims:
    """Write a PingFederate access token."""
    said: Claims = {
        "scope": facts.scope,
        "client_id": facts.client.id,
        "iss": facts.issuer,
        "aud": facts.one_audience,
        "jti": facts.token_id,
        **times(facts),
    }
    if not facts.person:  # an attribute contract that maps the subject of a program to its client
        return said | {"sub": facts.client.id}
    said |= {"sub": facts.person.id, "username": facts.person.name, "auth_time": facts.authenticated}
    return said if facts.overflowed or not facts.groups else said | {"groups": _bare(facts.groups)}


PINGONE = Shape(
    name="pingone",
    issuer=f"{{base}}/{ENVIRONMENT}/as",
    paths=Paths(
        keys="{issuer}/jwks",
        authorize="{issuer}/authorize",
        token="{issuer}/token",  # noqa: S106 - an address
        userinfo="{issuer}/userinfo",
        device="{issuer}/device_authorization",
        revoke="{issuer}/revoke",
        end_session="{issuer}/signoff",
    ),
    access=pingone,
    identity=_pingone_identity,
)

PINGFEDERATE = Shape(
    name="pingfederate",
    issuer="{base}",
    paths=Paths(
        keys="{base}/pf/JWKS",
        authorize="{base}/as/authorization.oauth2",
        token="{base}/as/token.oauth2",  # noqa: S106 - an address
        userinfo="{base}/idp/userinfo.openid",
        device="{base}/as/device_authz.oauth2",
        revoke="{base}/as/revoke_token.oauth2",
        end_session="{base}/idp/startSLO.ping",
    ),
    access=pingfederate,
    identity=standard_identity,
    typ=None,
    identity_typ=None,
)
