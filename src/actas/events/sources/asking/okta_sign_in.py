"""How Okta knows us: by an API token, or as a service app by a key of our own (private_key_jwt, RFC 7523)."""

import secrets
from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Any, Final

from actas import jose
from actas.events.sources.asking.client import SignIn
from actas.events.sources.asking.frame import Frame
from actas.events.sources.errors import SourceIncomplete
from actas.identify.lookup import Account, Lease, ask_for_token
from actas.model.secret import Secret
from actas.settings.schema_event_sources import EventClient

_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LASTS: Final = 300
_AGAIN: Final = timedelta(minutes=1)
"""How long an API token is used before its file is read again."""
_ALGORITHMS: Final = {"RSA": "RS256", "EC": "ES256"}


def way(frame: Frame, base: str) -> tuple[SignIn, str]:
    """Give how to sign in, and the scheme under which the token is shown."""
    client = frame.settings.client
    if client is not None:
        return lambda now: _as_service(frame, client, base, now), "Bearer"

    def held(now: datetime) -> Generator[Any, Any, Lease]:
        return Lease(token=frame.secret(frame.settings.token, "token"), until=now + _AGAIN)
        yield  # a conversation without a turn

    return held, "SSWS"


def _as_service(frame: Frame, client: EventClient, base: str, now: datetime) -> Generator[Any, Any, Lease]:
    secret = frame.secret(client.secret, "client secret")
    url = client.token_url or f"{base}/oauth2/v1/token"
    at = int(now.timestamp())
    claims = {
        "iss": client.id, "sub": client.id, "aud": url, "iat": at, "exp": at + _LASTS, "jti": secrets.token_urlsafe(16),
    }  # fmt: skip
    key, algorithm = _key(frame, secret)
    form = {
        "grant_type": "client_credentials",
        "scope": "okta.logs.read",
        "client_assertion_type": _ASSERTION,
        "client_assertion": jose.sign(claims, key, algorithm=algorithm),
    }
    provider = frame.provider
    account = Account(id=client.id, secret=secret, issuer=base, private=provider.private, ca=provider.ca)
    return (yield from ask_for_token(account, url, form, now))


def _key(frame: Frame, secret: Secret) -> tuple[jose.Key, str]:
    try:
        (key,) = jose.KeySet.from_json(secret.reveal()).keys
        return key, _ALGORITHMS[str(key.to_json().get("kty"))]
    except (jose.JoseError, ValueError, KeyError) as wrong:
        raise SourceIncomplete(source=frame.name, why="has a client secret that is no private key as a JWK") from wrong
