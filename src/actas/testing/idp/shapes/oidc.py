"""Tokens as the standards write them: access tokens of RFC 9068, ID tokens of OpenID Connect Core."""

from actas.testing.idp.facts import Claims, Facts, Paths, Shape


def times(facts: Facts) -> Claims:
    """Say from when until when."""
    return {"iat": facts.issued, "exp": facts.expires}


def profile(facts: Facts) -> Claims:
    """Say who it is, for people to read."""
    if not facts.person:
        return {}
    said: Claims = {}
    if "profile" in facts.scopes:
        said |= {"name": facts.person.shown, "preferred_username": facts.person.name}
    if "email" in facts.scopes:
        said |= {"email": facts.person.email, "email_verified": True}
    return said


def identity(facts: Facts) -> Claims:
    """Write the ID token of OpenID Connect Core 1.0, section 2."""
    assert facts.person, "a program has no ID token"
    said: Claims = {
        "iss": facts.issuer,
        "sub": facts.person.id,
        "aud": facts.client.id,
        "azp": facts.client.id,
        **times(facts),
        "auth_time": facts.authenticated,
        "jti": facts.token_id,
        "sid": facts.session,
        "amr": facts.methods,
        **profile(facts),
    }
    return said | ({"nonce": facts.nonce} if facts.nonce is not None else {})


def access(facts: Facts) -> Claims:
    """Write the access token of RFC 9068, section 2.2."""
    said: Claims = {
        "iss": facts.issuer,
        "sub": facts.person.id if facts.person else facts.client.id,
        "aud": facts.one_audience,
        "client_id": facts.client.id,
        **times(facts),
        "jti": facts.token_id,
        "scope": facts.scope,
    }
    if facts.person:
        said |= {"auth_time": facts.authenticated, "amr": facts.methods, "sid": facts.session}
        said |= {} if facts.overflowed else {"groups": list(facts.groups)}
    return said | {"roles": list(facts.roles)}


SHAPE = Shape(
    name="oidc",
    issuer="{base}",
    typ="at+jwt",
    paths=Paths(
        keys="{issuer}/keys",
        authorize="{issuer}/authorize",
        token="{issuer}/token",  # noqa: S106 - an address
        userinfo="{issuer}/userinfo",
        device="{issuer}/device_authorization",
        revoke="{issuer}/revoke",
        end_session="{issuer}/sign-out",
    ),
    access=access,
    identity=identity,
)
