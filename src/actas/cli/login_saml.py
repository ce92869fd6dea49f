"""Sign in at a SAML provider: the gateway's own page does it in the browser, and gives this command a one-time code.

As with any other sign-in the answer comes to a port of this machine, and the code is worth nothing without the
verifier that never left this process (RFC 8252, RFC 7636). What comes is a token of the gateway's, for a quarter of an
hour at most; there is nothing to renew it with.
"""

import webbrowser
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from actas.cli.login import PATIENCE, KeepIn, Opener, Say, keep_tokens, open_page
from actas.cli.login_errors import LoginError, ProviderRefused, ProviderSilent, WrongResponse
from actas.cli.login_loopback import loopback
from actas.cli.login_pkce import Attempt, challenge_of, new_attempt
from actas.cli.login_tokens import TokenAnswer
from actas.cli.login_web import ERROR_CODE, Web, web
from actas.cli.signins_store import KeptTokens, SignIn
from actas.identify.saml_profile import Doors
from actas.model import clock

_LONGEST = 900


class _Answer(TokenAnswer, frozen=True):
    """A token of the gateway's, and what signs out again."""

    leave: str | None = None


class _Left(msgspec.Struct, frozen=True):
    """What the gateway says of a sign-in that it ended: whether there is a provider to tell."""

    leads_on: bool


async def sign_in_by_saml(
    provider: str,
    control_url: str,
    name: str,
    state: Path,
    *,
    say: Say,
    opener: Opener | None = webbrowser.open,
    port: int = 0,
    limit: float = PATIENCE,
    keep_in: KeepIn | None = None,
    now: Callable[[], datetime] = clock.now,
) -> SignIn:
    """Sign in by browser at the gateway's page for *provider*; without an *opener* the address is only said."""
    doors = Doors.of(control_url, provider)
    async with web(control_url) as visitor, loopback(port) as listening:
        attempt = new_attempt(listening.redirect)
        asked = {
            "redirect": attempt.redirect,
            "state": attempt.state,
            "challenge": challenge_of(attempt.verifier),
        }
        url = f"{doors.login}?{urlencode(asked)}"
        say(f"Sign in here:\n  {url}")
        told = await listening.answer(attempt, limit=limit, meanwhile=partial(open_page, opener, url, say))
        at, shown = now(), await _traded(visitor, doors.token, attempt, told)
    about = SignIn(
        name=name,
        provider=provider,
        issuer=control_url,
        client_id="",
        use="access",
        scopes=(),
        expires_at=at + timedelta(seconds=int(shown.expires_in or 0)),
        renewable=False,
    )
    await keep_tokens(about, KeptTokens(shown=shown.access_token, subject="", leave=shown.leave), state, keep_in)
    return about


async def leave(about: SignIn, ticket: str, *, say: Say, opener: Opener | None = webbrowser.open) -> bool:
    """End a sign-in at the gateway, and have the person's browser tell the provider; False where that cannot be."""
    door = Doors.of(about.issuer, about.provider).logout
    try:
        async with web(about.issuer) as visitor:
            left = await visitor.submit(door, {"leave": ticket}, _Left, doing="signing out")
    except LoginError:  # forgetting it here must not depend on the gateway being up
        return False
    if left.leads_on:
        url = f"{door}?{urlencode({'leave': ticket})}"
        say(f"Sign out at your provider here:\n  {url}")
        await open_page(opener, url, say)
    return left.leads_on


async def _traded(visitor: Web, door: str, attempt: Attempt, told: Mapping[str, str]) -> _Answer:
    """Trade the code for a token of the gateway's."""
    form = {
        "grant_type": "authorization_code",
        "code": _code(told),
        "code_verifier": attempt.verifier,
        "redirect_uri": attempt.redirect,
    }
    answer = await visitor.submit(door, form, _Answer, doing="the sign-in")
    lasts = answer.expires_in
    if answer.token_type.lower() != "bearer" or not isinstance(lasts, int) or not 0 <= lasts <= _LONGEST:
        raise ProviderSilent(url=door, why="it gave no bearer token of a quarter of an hour at most")
    return answer


def _code(told: Mapping[str, str]) -> str:
    if "error" in told:
        error = told["error"]
        raise ProviderRefused(error=error if ERROR_CODE.fullmatch(error) else "an unknown error", doing="the sign-in")
    if not told.get("code"):
        raise WrongResponse(why="it holds no code")
    return told["code"]
