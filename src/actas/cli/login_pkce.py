"""The authorization request with PKCE, and reading what comes back (RFC 6749, RFC 7636, RFC 9207, OpenID Connect).

Pure: the random texts are arguments.
"""

import base64
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import parse_qsl, urlencode, urlsplit

from actas.cli.login_errors import ProviderNotUsable, ProviderRefused, WrongResponse
from actas.cli.login_provider import LoginClient, Metadata, wanted_scopes
from actas.cli.login_web import ERROR_CODE

_MOST_PARAMETERS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at signing in; everything that ties its answer to it."""

    redirect: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


def new_attempt(redirect: str) -> Attempt:
    """Begin a try with fresh random texts."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Attempt(redirect=redirect, state=state, nonce=nonce, verifier=verifier)


def challenge_of(verifier: str) -> str:
    """Compute the code challenge of method S256 (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def authorization_url(client: LoginClient, found: Metadata, attempt: Attempt, *, hint: str | None = None) -> str:
    """Write the address that the person's browser opens."""
    if found.authorization_endpoint is None or found.token_endpoint is None:
        raise ProviderNotUsable(issuer=client.issuer, why="it has no sign-in by browser")
    asked = {
        **client.extra,
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": attempt.redirect,
        "scope": wanted_scopes(client, found),
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": challenge_of(attempt.verifier),
        "code_challenge_method": "S256",
    } | ({"login_hint": hint} if hint else {})
    separator = "&" if urlsplit(found.authorization_endpoint).query else "?"
    return f"{found.authorization_endpoint}{separator}{urlencode(asked)}"


def parameters(query: str) -> Mapping[str, str]:
    """Read a query in which nothing may come twice."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
    except ValueError as wrong:
        raise WrongResponse(why="its parameters cannot be read") from wrong
    found = dict(pairs)
    if len(found) != len(pairs):
        raise WrongResponse(why="a parameter comes twice")
    return found


def is_ours(told: Mapping[str, str], attempt: Attempt) -> bool:
    """Say whether an answer belongs to our question: only we and the provider know the state."""
    return hmac.compare_digest(told.get("state", "").encode("utf-8", "surrogatepass"), attempt.state.encode())


def code_from(told: Mapping[str, str], found: Metadata, attempt: Attempt) -> str:
    """Take the code out of an answer; refuse one of another sign-in or of another provider."""
    if not is_ours(told, attempt):
        raise WrongResponse(why="it answers another sign-in")
    issuer = told.get("iss")
    if issuer is None and found.authorization_response_iss_parameter_supported:  # RFC 9207, section 2.4
        raise WrongResponse(why="it does not say which provider it is from, though this provider always does")
    if issuer is not None and issuer != found.issuer:
        raise WrongResponse(why="it is from another provider")
    if "error" in told:
        error = told["error"]
        raise ProviderRefused(error=error if ERROR_CODE.fullmatch(error) else "an unknown error", doing="the sign-in")
    if not told.get("code"):
        raise WrongResponse(why="it holds no code")
    return told["code"]
