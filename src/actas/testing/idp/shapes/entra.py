"""Tokens as Microsoft Entra ID writes them, version 2.0 and 1.0, with the optional claim ``idtyp`` switched on."""

import base64
from hashlib import sha256
from uuid import UUID

from actas.testing.idp.facts import Claims, Facts, Paths, Shape
from actas.testing.idp.people import stable_id
from actas.testing.idp.shapes.oidc import profile, times

TENANT = "0f5a3c1e-7d2b-4b6a-9c8e-1d2f3a4b5c6d"
"""The made-up tenant."""
MOST_GROUPS = 200


def group_id(name: str) -> str:
    """Give the object id under which tokens list a group."""
    return str(stable_id("groups", name))


def _pairwise(facts: Facts) -> str:
    """Give the ``sub``, which is another one for each application."""
    assert facts.person
    seen = sha256(f"{facts.person.id} {facts.audience[0]}".encode()).digest()
    return base64.urlsafe_b64encode(seen).rstrip(b"=").decode()


def _unique(facts: Facts) -> str:
    """Give the ``uti``, which stands for a ``jti``."""
    return base64.urlsafe_b64encode(UUID(facts.token_id).bytes).rstrip(b"=").decode()


def _groups(facts: Facts) -> Claims:
    if not facts.overflowed:
        return {"groups": [group_id(group) for group in facts.groups]} if facts.groups else {}
    assert facts.person
    endpoint = f"https://graph.windows.net/{TENANT}/users/{facts.person.id}/getMemberObjects"
    return {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": endpoint}}}


def _whom(facts: Facts) -> Claims:
    """Say who it is: a user token has ``scp``, an application's own has none, and both may have ``roles``."""
    roles: Claims = {"roles": list(facts.roles)} if facts.roles else {}
    if not facts.person:
        own = facts.client.object_id
        return {"oid": own, "sub": own, "idtyp": "app", **roles}
    return {
        "oid": facts.person.id,
        "sub": _pairwise(facts),
        "idtyp": "user",
        "scp": " ".join(scope for scope in facts.scopes if scope not in {"openid", "offline_access"}),
        "sid": facts.session,
        **roles,
        **_groups(facts),
    }


def _common(facts: Facts) -> Claims:
    return {
        "aud": facts.audience[0],
        "iss": facts.issuer,
        **times(facts),
        "nbf": facts.issued,
        "aio": "E2ZgYOg",
        "rh": "0.AV",
        "tid": TENANT,
        "uti": _unique(facts),
        **_whom(facts),
    }


def access(facts: Facts) -> Claims:
    """Write an access token of version 2.0."""
    proof = "1" if facts.client.secret else "0"
    return _common(facts) | {"azp": facts.client.id, "azpacr": proof, "ver": "2.0", **_shown(facts)}


def access_v1(facts: Facts) -> Claims:
    """Write an access token of version 1.0."""
    said = _common(facts) | {"appid": facts.client.id, "appidacr": "1" if facts.client.secret else "0", "ver": "1.0"}
    if not facts.person:
        return said
    methods = ["pwd", "mfa"] if facts.person.mfa else ["pwd"]
    name = facts.person.email
    return said | {"acr": "1", "amr": methods, "ipaddr": "192.0.2.10", "unique_name": name, "upn": name}


def _shown(facts: Facts) -> Claims:
    if not facts.person:
        return {}
    return {"name": facts.person.shown, "preferred_username": facts.person.email}


def identity(facts: Facts) -> Claims:
    """Write an ID token."""
    said = {name: value for name, value in _common(facts).items() if name not in {"scp", "idtyp"}}
    said |= {"aud": facts.client.id, "ver": "2.0", **profile(facts), **_shown(facts)}
    return said | ({"nonce": facts.nonce} if facts.nonce is not None else {})


def _published(key: Claims, issuer: str) -> Claims:
    """Entra names no ``alg`` but says whose tokens a key may sign."""
    return {name: value for name, value in key.items() if name != "alg"} | {"issuer": issuer}


SHAPE = Shape(
    name="entra",
    issuer=f"{{base}}/{TENANT}/v2.0",
    paths=Paths(
        keys=f"{{base}}/{TENANT}/discovery/v2.0/keys",
        authorize=f"{{base}}/{TENANT}/oauth2/v2.0/authorize",
        token=f"{{base}}/{TENANT}/oauth2/v2.0/token",
        userinfo="{base}/oidc/userinfo",
        device=f"{{base}}/{TENANT}/oauth2/v2.0/devicecode",
        end_session=f"{{base}}/{TENANT}/oauth2/v2.0/logout",
    ),
    access=access,
    identity=identity,
    most_groups=MOST_GROUPS,
    published=_published,
)

SHAPE_V1 = Shape(
    name="entra-v1",
    issuer=f"{{base}}/{TENANT}/",
    discovery=f"{{base}}/{TENANT}/.well-known/openid-configuration",
    paths=Paths(
        keys=f"{{base}}/{TENANT}/discovery/keys",
        authorize=f"{{base}}/{TENANT}/oauth2/authorize",
        token=f"{{base}}/{TENANT}/oauth2/token",
        userinfo="{base}/openid/userinfo",
        device=f"{{base}}/{TENANT}/oauth2/devicecode",
        end_session=f"{{base}}/{TENANT}/oauth2/logout",
    ),
    access=access_v1,
    identity=lambda facts: identity(facts) | {"ver": "1.0"},
    most_groups=MOST_GROUPS,
    published=_published,
    thumbprint_header=True,
)
