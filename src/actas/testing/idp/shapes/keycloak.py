"""Tokens as Keycloak 26 writes them, in a realm with mappers for groups and for authentication methods."""

from uuid import UUID

from actas.testing.idp.facts import Claims, Facts, Paths, Shape
from actas.testing.idp.people import stable_id
from actas.testing.idp.shapes.oidc import identity as standard_identity
from actas.testing.idp.shapes.oidc import profile, times

_CONNECT = "{issuer}/protocol/openid-connect"


def _token_id(facts: Facts, prefix: str) -> str:
    """Since 26.2 a ``jti`` has a prefix before its UUID."""
    return f"{prefix}:{UUID(facts.token_id)}"


def _about_the_sign_in(facts: Facts) -> Claims:
    if not facts.person:
        return {
            "sub": str(stable_id("service-accounts", facts.client.id)),
            "preferred_username": f"service-account-{facts.client.id}",
            "client_id": facts.client.id,
            "clientHost": "127.0.0.1",
            "clientAddress": "127.0.0.1",
        }
    said: Claims = {
        "sub": facts.person.id,
        "auth_time": facts.authenticated,
        "sid": facts.session,
        "acr": "2" if facts.person.mfa else "1",
        "amr": facts.methods,
    }
    return said | ({} if facts.overflowed else {"groups": [f"/{group}" for group in facts.groups]})


def access(facts: Facts) -> Claims:
    """Write an access token: header ``typ`` is JWT, the payload's is Bearer."""
    return {
        **times(facts),
        "jti": _token_id(facts, "onrtac" if facts.person else "trrtcc"),
        "iss": facts.issuer,
        "aud": [*facts.audience, "account"],
        "typ": "Bearer",
        "azp": facts.client.id,
        "realm_access": {"roles": ["default-roles-actas", "offline_access", *facts.roles]},
        "resource_access": {
            facts.audience[0]: {"roles": [f"fn.{role}" for role in facts.roles]},
            "account": {"roles": ["view-profile"]},
        },
        "scope": facts.scope,
        **_about_the_sign_in(facts),
        **profile(facts),
    }


def identity(facts: Facts) -> Claims:
    """Write an ID token, whose payload ``typ`` is ID."""
    return standard_identity(facts) | {"typ": "ID", "jti": _token_id(facts, "onrtac")}


SHAPE = Shape(
    name="keycloak",
    issuer="{base}/realms/actas",
    paths=Paths(
        keys=f"{_CONNECT}/certs",
        authorize=f"{_CONNECT}/auth",
        token=f"{_CONNECT}/token",
        userinfo=f"{_CONNECT}/userinfo",
        device=f"{_CONNECT}/auth/device",
        revoke=f"{_CONNECT}/revoke",
        end_session=f"{_CONNECT}/logout",
    ),
    access=access,
    identity=identity,
    encryption_key=True,
)
