"""Tokens as Auth0 writes them: its own profile with permissions, and groups and roles in namespaced claims."""

from actas.testing.idp.facts import Claims, Facts, Paths, Shape
from actas.testing.idp.shapes.oidc import profile, times

NAMESPACE = "https://actas.example/"


def _subject(facts: Facts) -> str:
    return f"auth0|{facts.person.id.replace('-', '')[:24]}" if facts.person else f"{facts.client.id}@clients"


def access(facts: Facts) -> Claims:
    """Write an access token; asking for ``openid`` adds Auth0's own audience."""
    audience: str | list[str] = facts.one_audience
    if "openid" in facts.scopes:
        audience = [*facts.audience, f"{facts.issuer}userinfo"]
    said: Claims = {
        "iss": facts.issuer,
        "sub": _subject(facts),
        "aud": audience,
        **times(facts),
        "scope": facts.scope,
        "azp": facts.client.id,
        "permissions": [f"act:{role}" for role in facts.roles],
        f"{NAMESPACE}roles": list(facts.roles),
    }
    if not facts.person:
        return said | {"gty": "client-credentials"}
    return said if facts.overflowed else said | {f"{NAMESPACE}groups": list(facts.groups)}


def identity(facts: Facts) -> Claims:
    """Write an ID token; ``amr`` is there only where a second factor was used."""
    said: Claims = {
        "iss": facts.issuer,
        "sub": _subject(facts),
        "aud": facts.client.id,
        **times(facts),
        "auth_time": facts.authenticated,
        "sid": facts.session,
        **profile(facts),
        f"{NAMESPACE}roles": list(facts.roles),
    }
    said |= {"amr": ["mfa"]} if facts.person and facts.person.mfa else {}
    return said | ({"nonce": facts.nonce} if facts.nonce is not None else {})


SHAPE = Shape(
    name="auth0",
    issuer="{base}/",
    discovery="{issuer}.well-known/openid-configuration",
    paths=Paths(
        keys="{issuer}.well-known/jwks.json",
        authorize="{issuer}authorize",
        token="{issuer}oauth/token",  # noqa: S106 - an address
        userinfo="{issuer}userinfo",
        device="{issuer}oauth/device/code",
        revoke="{issuer}oauth/revoke",
        end_session="{issuer}oidc/logout",
    ),
    access=access,
    identity=identity,
)
