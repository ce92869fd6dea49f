"""Tokens as Google Workspace writes them: access tokens say nothing, ID tokens know no groups."""

from actas.testing.idp.facts import Claims, Facts, Paths, Shape, opaque
from actas.testing.idp.shapes.oidc import times

DOMAIN = "people.example"
"""The made-up Workspace domain."""


def _number(identifier: str) -> str:
    """Write an identifier as the 21 digits that Google has."""
    return f"1{int(identifier.replace('-', ''), 16) % 10**20:020}"


def identity(facts: Facts) -> Claims:
    """Write an ID token, of a person or of a service account."""
    said: Claims = {"iss": facts.issuer, "aud": facts.client.id, "azp": facts.client.id, **times(facts)}
    if not facts.person:
        email = f"{facts.client.id}@project.iam.gserviceaccount.example"
        number = _number(facts.client.object_id)
        return said | {"sub": number, "azp": number, "email": email, "email_verified": True}
    said |= {
        "sub": _number(facts.person.id),
        "hd": DOMAIN,
        "email": facts.person.email,
        "email_verified": True,
    }
    said |= {"name": facts.person.shown} if "profile" in facts.scopes else {}
    return said | ({"nonce": facts.nonce} if facts.nonce is not None else {})


SHAPE = Shape(
    name="google",
    issuer="{base}",
    paths=Paths(
        keys="{base}/oauth2/v3/certs",
        authorize="{base}/o/oauth2/v2/auth",
        token="{base}/token",  # noqa: S106 - an address
        userinfo="{base}/v1/userinfo",
        device="{base}/device/code",
        revoke="{base}/revoke",
    ),
    access=opaque,
    identity=identity,
    main="id",
)
