"""Read an authorization request and decide whether it may be shown to a person.

Pure. What is wrong before client and redirect address are known is `Untrusted` and is told here; what is wrong
after that is told to the client by a redirect.
"""

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlencode, urlsplit

from actas.testing.errors import OAuthRefused, Untrusted
from actas.testing.idp.people import Client

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # RFC 7636, section 4.2: SHA-256 in base64url is 43 characters
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # section 4.1
_LOOPBACK = ("127.0.0.1", "::1")
MAX_ECHO = 4096
"""How long a state or a nonce may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An authorization request that may be shown."""

    client: Client
    redirect: str
    state: str | None
    nonce: str | None
    challenge: str
    scopes: tuple[str, ...]
    resource: str | None
    hint: str | None


def is_registered(redirect: str, client: Client) -> bool:
    """Compare exactly; only the port of a loopback address is free (RFC 8252, section 7.3, RFC 9700, section 2.1)."""
    return redirect in client.redirects or any(_same_but_for_port(redirect, known) for known in client.redirects)


def _same_but_for_port(redirect: str, known: str) -> bool:
    try:
        asked, wanted = urlsplit(redirect), urlsplit(known)
        port = asked.port
    except ValueError:
        return False
    if wanted.scheme != "http" or wanted.hostname not in _LOOPBACK or not port:
        return False
    host = f"[{wanted.hostname}]" if wanted.hostname == "::1" else wanted.hostname
    return redirect == f"http://{host}:{port}{wanted.path}" + (f"?{wanted.query}" if wanted.query else "")


def trusted(parameters: Mapping[str, str], clients: Mapping[str, Client]) -> tuple[Client, str]:
    """Find who asks and where the answer may go."""
    client = clients.get(parameters.get("client_id", ""))
    if client is None:
        raise Untrusted(why="its client_id is not known")
    redirect = parameters.get("redirect_uri", "")
    if not is_registered(redirect, client):
        raise Untrusted(why="its redirect_uri is not registered for this client")
    return client, redirect


def read(parameters: Mapping[str, str], client: Client, redirect: str) -> Asked:
    """Read the rest of the request; refuse what a careful provider refuses."""
    if parameters.get("response_type") != "code":  # RFC 9700, section 2.1.2: no implicit grant
        raise OAuthRefused(error="unsupported_response_type", why="response_type must be code")
    if "authorization_code" not in client.grants:
        raise OAuthRefused(error="unauthorized_client", why="this client may not use authorization codes")
    if parameters.get("response_mode", "query") != "query":
        raise OAuthRefused(error="invalid_request", why="response_mode must be query")
    if "request" in parameters or "request_uri" in parameters:
        raise OAuthRefused(error="request_not_supported", why="request objects are not supported")
    challenge = challenge_in(parameters)
    if max(len(parameters.get(name, "")) for name in ("state", "nonce")) > MAX_ECHO:
        raise OAuthRefused(error="invalid_request", why=f"state and nonce have at most {MAX_ECHO} characters")
    if "none" in parameters.get("prompt", "").split():  # this provider keeps nobody signed in
        raise OAuthRefused(error="login_required", why="somebody has to sign in, and prompt is none")
    return Asked(
        client=client,
        redirect=redirect,
        state=parameters.get("state"),
        nonce=parameters.get("nonce"),
        challenge=challenge,
        scopes=scopes(parameters, client),
        resource=parameters.get("resource") or parameters.get("audience"),
        hint=parameters.get("login_hint"),
    )


def challenge_in(parameters: Mapping[str, str]) -> str:
    """Read the code challenge; its method is S256 and no other (RFC 9700, section 2.1.1)."""
    if parameters.get("code_challenge_method") != "S256":
        raise OAuthRefused(error="invalid_request", why="code_challenge_method must be S256")
    challenge = parameters.get("code_challenge", "")
    if not _CHALLENGE.fullmatch(challenge):
        raise OAuthRefused(error="invalid_request", why="code_challenge must be a SHA-256 in base64url")
    return challenge


def is_answered(challenge: str, parameters: Mapping[str, str]) -> bool:
    """Say whether the verifier in a token request answers the challenge (RFC 7636, section 4.6)."""
    verifier = parameters.get("code_verifier", "")
    if not _VERIFIER.fullmatch(verifier):
        return False
    hashed = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return hmac.compare_digest(hashed, challenge)


def scopes(parameters: Mapping[str, str], client: Client) -> tuple[str, ...]:
    """Read the scopes asked for: each one the client's; all of those where none is named."""
    asked = tuple(dict.fromkeys(parameters.get("scope", "").split(" "))) if parameters.get("scope") else client.scopes
    for scope in asked:
        if scope not in client.scopes:
            raise OAuthRefused(error="invalid_scope", why="this client may not ask for all of these scopes")
    return asked


def answer(redirect: str, parameters: Mapping[str, str | None]) -> str:
    """Add the answer's parameters to the redirect address, keeping a query it has (RFC 6749, section 3.1.2)."""
    said = urlencode({name: value for name, value in parameters.items() if value is not None})
    return f"{redirect}{'&' if '?' in redirect else '?'}{said}"
