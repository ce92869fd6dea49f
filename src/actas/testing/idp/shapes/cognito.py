"""Tokens as an Amazon Cognito user pool writes them: no audience in access tokens, two keys in one set."""

from uuid import UUID

from actas.testing.idp.facts import Claims, Facts, Paths, Shape
from actas.testing.idp.shapes.oidc import times

POOL = "eu-west-1_Actas0001"
"""The made-up user pool."""


def _common(facts: Facts) -> Claims:
    said: Claims = {"iss": facts.issuer, **times(facts), "jti": str(UUID(facts.token_id))}
    if not facts.person:
        return said | {"sub": facts.client.id}
    said |= {
        "sub": facts.person.id,
        "auth_time": facts.authenticated,
        "origin_jti": facts.session,
        "event_id": facts.session,
    }
    return said if facts.overflowed or not facts.groups else said | {"cognito:groups": list(facts.groups)}


def access(facts: Facts) -> Claims:
    """Write an access token, meant for whoever knows the client."""
    said = _common(facts) | {"token_use": "access", "client_id": facts.client.id, "scope": facts.scope, "version": 2}
    return said | {"username": facts.person.name} if facts.person else said


def identity(facts: Facts) -> Claims:
    """Write an ID token; it alone has an audience."""
    assert facts.person, "a program has no ID token"
    said = _common(facts) | {
        "token_use": "id",
        "aud": facts.client.id,
        "cognito:username": facts.person.name,
        "email": facts.person.email,
        "email_verified": True,
    }
    return said | ({"nonce": facts.nonce} if facts.nonce is not None else {})


SHAPE = Shape(
    name="cognito",
    issuer=f"{{base}}/{POOL}",
    paths=Paths(
        keys="{issuer}/.well-known/jwks.json",
        authorize="{base}/oauth2/authorize",
        token="{base}/oauth2/token",  # noqa: S106 - an address
        userinfo="{base}/oauth2/userInfo",
        revoke="{base}/oauth2/revoke",
        end_session="{base}/logout",
    ),
    access=access,
    identity=identity,
    typ=None,
    identity_typ=None,
    own_identity_key=True,
)
