"""Trade a code, a device code or a refresh token for tokens, and believe who signed in only when it is proven."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from actas import jose
from actas.cli.login_errors import ProviderNotUsable, ProviderSilent, WrongIdToken
from actas.cli.login_pkce import Attempt
from actas.cli.login_provider import LoginClient, Metadata
from actas.cli.login_web import Web
from actas.jose import JoseError
from actas.model.secret import Secret

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
UNSAID_LIFE = timedelta(minutes=5)
"""How long a token is used whose end the provider does not say."""
_LONGEST_LIFE = 10 * 365 * 86_400


class TokenAnswer(msgspec.Struct, frozen=True):
    """A token answer as it comes (RFC 6749, section 5.1; OpenID Connect Core 1.0, section 3.1.3.3)."""

    access_token: str
    token_type: str
    expires_in: int | float | str | None = None
    refresh_token: str | None = None
    id_token: str | None = None

    def __repr__(self) -> str:
        return "TokenAnswer(...)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What one sign-in, or its renewal, gave us."""

    shown: Secret
    """The token that the gateway is shown."""
    expires_at: datetime
    refresh: Secret | None
    subject: str = field(repr=False)


async def from_code(
    client: LoginClient, found: Metadata, attempt: Attempt, code: str, web: Web, *, now: datetime
) -> Tokens:
    """Trade an authorization code."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": attempt.redirect,
        "code_verifier": attempt.verifier,
    }
    answer = await submit(client, found, form, web, doing="the sign-in")
    return await _believed(client, found, answer, web, now=now, nonce=attempt.nonce)


async def from_device(
    client: LoginClient, found: Metadata, device_code: str, web: Web, *, verifier: str, now: datetime
) -> Tokens:
    """Trade a device code (RFC 8628, section 3.4)."""
    form = {"grant_type": DEVICE_GRANT, "device_code": device_code, "code_verifier": verifier}
    answer = await submit(client, found, form, web, doing="the device")
    return await _believed(client, found, answer, web, now=now, nonce=None)


async def renewed(
    client: LoginClient, found: Metadata, old: Secret, web: Web, *, subject: str, now: datetime
) -> Tokens:
    """Trade a refresh token; a provider that hands out no new one lets us keep the old."""
    form = {"grant_type": "refresh_token", "refresh_token": old.reveal()}
    answer = await submit(client, found, form, web, doing="to renew the sign-in")
    refresh = Secret(answer.refresh_token) if answer.refresh_token else old
    if answer.id_token is None and client.use == "access":
        return Tokens(shown=Secret(answer.access_token), expires_at=_end(answer, now), refresh=refresh, subject=subject)
    tokens = await _believed(client, found, answer, web, now=now, nonce=None)
    if tokens.subject != subject:  # OpenID Connect Core 1.0, section 12.2
        raise WrongIdToken(why="it names somebody else than the one who signed in")
    return Tokens(shown=tokens.shown, expires_at=tokens.expires_at, refresh=refresh, subject=subject)


async def submit(client: LoginClient, found: Metadata, form: Mapping[str, str], web: Web, *, doing: str) -> TokenAnswer:
    """Ask the token endpoint, as the client we are."""
    if found.token_endpoint is None:
        raise ProviderNotUsable(issuer=client.issuer, why="it has no token endpoint")
    answer = await web.submit(found.token_endpoint, {**form, **own_parameters(client)}, TokenAnswer, doing=doing)
    if answer.token_type.lower() != "bearer" or not answer.access_token:
        raise ProviderSilent(url=found.token_endpoint, why="it gave no bearer token")
    return answer


def own_parameters(client: LoginClient) -> dict[str, str]:
    """Say who we are; the secret, where there is one, goes in the form, which every provider of such clients takes."""
    secret = {"client_secret": client.client_secret.reveal()} if client.client_secret else {}
    return {"client_id": client.client_id, **secret}


async def _believed(
    client: LoginClient, found: Metadata, answer: TokenAnswer, web: Web, *, now: datetime, nonce: str | None
) -> Tokens:
    if answer.id_token is None:
        raise WrongIdToken(why="there is none, though openid was asked for")
    _, published = await web.get(found.jwks_uri)
    claims = _verified(answer.id_token, published, found.issuer, client.client_id, now)
    if nonce is not None and not _is_same(claims.get("nonce"), nonce):
        raise WrongIdToken(why="its nonce is not ours")
    refresh = Secret(answer.refresh_token) if answer.refresh_token else None
    if client.use == "id":
        end = claims.expires_at or now + UNSAID_LIFE
        return Tokens(shown=Secret(answer.id_token), expires_at=end, refresh=refresh, subject=claims["sub"])
    return Tokens(
        shown=Secret(answer.access_token), expires_at=_end(answer, now), refresh=refresh, subject=claims["sub"]
    )


def _verified(token: str, published: bytes, issuer: str, client_id: str, now: datetime) -> jose.Claims:
    """Check an ID token as OpenID Connect Core 1.0, section 3.1.3.7, asks."""
    try:
        keys = jose.KeySet.from_json(published)
        claims = jose.verify_jwt(token, keys, issuer=issuer, audience=client_id, now=now, algorithms=jose.ASYMMETRIC)
    except JoseError as wrong:
        raise WrongIdToken(why=wrong.message) from wrong
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise WrongIdToken(why="it names nobody")
    # Step 4: one that others are to believe as well says for whom it was made.
    is_ours_alone = claims["aud"] in (client_id, [client_id])
    if claims.get("azp", client_id if is_ours_alone else None) != client_id:
        raise WrongIdToken(why="it was made for another client")
    return claims


def _is_same(found: object, wanted: str) -> bool:
    return isinstance(found, str) and hmac.compare_digest(found.encode("utf-8", "surrogatepass"), wanted.encode())


def _end(answer: TokenAnswer, now: datetime) -> datetime:
    """Compute when the access token ends; some providers write the number as a text."""
    try:
        seconds = float(answer.expires_in) if answer.expires_in is not None else UNSAID_LIFE.total_seconds()
    except ValueError:
        seconds = 0.0
    return now + timedelta(seconds=seconds) if 0 <= seconds <= _LONGEST_LIFE else now
