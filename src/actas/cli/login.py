"""Sign in at a provider and keep the sign-in: by browser with a loopback redirect, or on another device.

::

    client = client_for("corp", settings.providers["corp"], client_id="actas-cli")
    about = await sign_in(client, "ana", Path(".actas"), say=print)
"""

import secrets
import webbrowser
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal

import anyio
import anyio.to_thread

from actas.cli.aws.kept import Kept as Credentials
from actas.cli.login_device import Sleep, begin, wait
from actas.cli.login_errors import KeyringRefused, LoginError, NoClient, ProviderNotUsable
from actas.cli.login_loopback import loopback
from actas.cli.login_pkce import authorization_url, code_from, new_attempt
from actas.cli.login_provider import LoginClient, asking, discover
from actas.cli.login_tokens import Tokens, from_code, own_parameters, renewed
from actas.cli.login_web import web
from actas.cli.signins_store import KeptTokens, SignIn, Store, in_thread
from actas.cli.signins_vault import Vault, find_vault
from actas.identify.presets import PRESETS
from actas.identify.profile import issuers_of, profile_of
from actas.model import clock
from actas.model.secret import Secret
from actas.settings.schema import Provider, many

Opener = Callable[[str], bool]
Say = Callable[[str], None]
KeepIn = Literal["keyring", "file"]
PATIENCE = 300.0
"""Seconds a person may take in the browser."""


def client_for(
    name: str,
    provider: Provider,
    *,
    client_id: str | None = None,
    client_secret: Secret | None = None,
    scopes: tuple[str, ...] | None = None,
) -> LoginClient:
    """Say how to sign in at the provider *name* of the settings; without a client id, its only client is taken."""
    if provider.preset not in PRESETS:
        raise ProviderNotUsable(issuer=name, why="it speaks SAML, which knows no sign-in but by browser")
    profile = profile_of(name, provider, PRESETS[provider.preset])
    issuers = issuers_of(provider, profile)
    clients = many(provider.clients)
    own = client_id or (clients[0] if len(clients) == 1 else None)
    if not issuers or profile.several_tenants:
        raise ProviderNotUsable(issuer=name, why="it stands for several tenants; sign in at one of them")
    if own is None:
        raise NoClient(provider=name)
    audience = many(provider.audience)
    bare = LoginClient(
        provider=name,
        issuer=issuers[0].source.issuer or issuers[0].iss,
        discovery=issuers[0].source.discovery,
        client_id=own,
        client_secret=client_secret,
        use=profile.takes,
        ca=provider.ca,
    )
    filled = asking(bare, provider.preset, audience[0] if audience else None)
    return filled if scopes is None else replace(filled, scopes=scopes)


async def sign_in(
    client: LoginClient,
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
    """Sign in by browser: authorization code with PKCE, back to a port of this machine.

    Without an *opener* the address is only said. A provider that wants an exact redirect address needs a *port*.
    """
    async with web(client.issuer, ca=client.ca) as visitor, loopback(port) as listening:
        found = await discover(client, visitor)
        attempt = new_attempt(listening.redirect)
        url = authorization_url(client, found, attempt, hint=None)
        say(f"Sign in here:\n  {url}")
        # Listening comes first: a browser in the terminal keeps its opener waiting.
        told = await listening.answer(attempt, limit=limit, meanwhile=partial(open_page, opener, url, say))
        tokens = await from_code(client, found, attempt, code_from(told, found, attempt), visitor, now=now())
    return await keep(client, name, state, tokens, keep_in)


async def open_page(opener: Opener | None, url: str, say: Say) -> None:
    """Open a page in the person's browser, or say that they have to."""
    if opener is None:
        return
    try:
        is_open = await anyio.to_thread.run_sync(opener, url, abandon_on_cancel=True)
    except webbrowser.Error:
        is_open = False
    if not is_open:
        say("No browser could be opened here; open the address yourself.")


async def sign_in_by_device(
    client: LoginClient,
    name: str,
    state: Path,
    *,
    say: Say,
    sleep: Sleep = anyio.sleep,
    keep_in: KeepIn | None = None,
    now: Callable[[], datetime] = clock.now,
) -> SignIn:
    """Sign in on another device: for a machine without a browser."""
    async with web(client.issuer, ca=client.ca) as visitor:
        found = await discover(client, visitor)
        verifier = secrets.token_urlsafe(32)
        answer = await begin(client, found, visitor, verifier=verifier)
        say(f"On any device, open\n  {answer.verification_uri}\nand enter the code\n  {answer.user_code}")
        if answer.verification_uri_complete:
            say(f"or open\n  {answer.verification_uri_complete}\nand compare the code.")
        tokens = await wait(client, found, answer, visitor, verifier=verifier, clock=now, sleep=sleep)
    return await keep(client, name, state, tokens, keep_in)


async def keep(client: LoginClient, name: str, state: Path, tokens: Tokens, keep_in: KeepIn | None) -> SignIn:
    """Keep a sign-in: in the keyring where there is one, unless a file is asked for."""
    about = SignIn(
        name=name,
        provider=client.provider,
        issuer=client.issuer,
        client_id=client.client_id,
        use=client.use,
        scopes=client.scopes,
        expires_at=tokens.expires_at,
        renewable=tokens.refresh is not None,
        discovery=client.discovery,
        ca=client.ca,
    )
    kept = KeptTokens(
        shown=tokens.shown.reveal(),
        subject=tokens.subject,
        refresh=tokens.refresh.reveal() if tokens.refresh else None,
        client_secret=client.client_secret.reveal() if client.client_secret else None,
    )
    await keep_tokens(about, kept, state, keep_in)
    return about


async def keep_tokens(about: SignIn, kept: KeptTokens, state: Path, keep_in: KeepIn | None) -> None:
    """Write a sign-in down where its tokens are safe."""

    def write() -> None:
        Credentials(state).forget()  # the name may be somebody else's from now on
        Store(state).keep(about, kept, vault=_vault(keep_in))

    await in_thread(write)


def _vault(keep_in: KeepIn | None) -> Vault | None:
    vault = None if keep_in == "file" else find_vault()
    if vault is None and keep_in == "keyring":
        raise KeyringRefused(why="there is none")
    return vault


async def renew(about: SignIn, kept: KeptTokens, *, now: datetime) -> Tokens:
    """Trade the refresh token of a sign-in for new tokens."""
    assert kept.refresh is not None
    client = _client_of(about, kept)
    async with web(client.issuer, ca=client.ca) as visitor:
        found = await discover(client, visitor)
        return await renewed(client, found, Secret(kept.refresh), visitor, subject=kept.subject, now=now)


async def revoke(about: SignIn, kept: KeptTokens) -> bool:
    """Tell the provider that a sign-in is over (RFC 7009); False where it cannot be told."""
    client = _client_of(about, kept)
    try:
        async with web(client.issuer, ca=client.ca) as visitor:
            found = await discover(client, visitor)
            if found.revocation_endpoint is None:
                return False
            form = {"token": kept.refresh or kept.shown, **own_parameters(client)}
            return (await visitor.post(found.revocation_endpoint, form)).status_code == 200
    except LoginError:  # signing out here must not depend on the provider being up
        return False


def _client_of(about: SignIn, kept: KeptTokens) -> LoginClient:
    return LoginClient(
        provider=about.provider,
        issuer=about.issuer,
        discovery=about.discovery,
        client_id=about.client_id,
        client_secret=Secret(kept.client_secret) if kept.client_secret else None,
        scopes=about.scopes,
        use=about.use,
        ca=about.ca,
    )
