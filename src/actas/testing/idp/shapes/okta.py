"""Tokens as an Okta custom authorization server writes them, with a groups claim."""

from actas.testing.idp.facts import Claims, Facts, Paths, Shape
from actas.testing.idp.shapes.oidc import profile, times


def _user_id(facts: Facts) -> str:
    assert facts.person
    return f"00u{facts.person.id.replace('-', '')[:17]}"


def access(facts: Facts) -> Claims:
    """Write an access token: scopes are an array, ``sub`` is the login, the user's id is ``uid``."""
    said: Claims = {
        "ver": 1,
        "jti": f"AT.{facts.token_id}",
        "iss": facts.issuer,
        "aud": facts.audience[0],
        **times(facts),
        "cid": facts.client.id,
        "scp": list(facts.scopes),
    }
    if not facts.person:
        return said | {"sub": facts.client.id}
    said |= {"uid": _user_id(facts), "sub": facts.person.email, "auth_time": facts.authenticated}
    return said | {"groups": list(facts.groups)}


def identity(facts: Facts) -> Claims:
    """Write an ID token, whose ``sub`` is the user's id."""
    said: Claims = {
        "ver": 1,
        "jti": f"ID.{facts.token_id}",
        "iss": facts.issuer,
        "aud": facts.client.id,
        "sub": _user_id(facts),
        **times(facts),
        "auth_time": facts.authenticated,
        "amr": facts.methods,
        "idp": "00oexample",
        **profile(facts),
    }
    return said | ({"nonce": facts.nonce} if facts.nonce is not None else {})


SHAPE = Shape(
    name="okta",
    issuer="{base}/oauth2/default",
    paths=Paths(
        keys="{issuer}/v1/keys",
        authorize="{issuer}/v1/authorize",
        token="{issuer}/v1/token",  # noqa: S106 - an address
        userinfo="{issuer}/v1/userinfo",
        device="{issuer}/v1/device/authorize",
        revoke="{issuer}/v1/revoke",
        end_session="{issuer}/v1/logout",
    ),
    access=access,
    identity=identity,
    typ=None,
    identity_typ=None,
    most_groups=100,
    too_many="refuse",
)
