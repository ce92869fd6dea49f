"""Who is signed in on this machine, and a token of theirs that is good now.

::

    token = await token_for("ana", Path(".actas"))  # the sign-in of that name, else the demo's Ana
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

import anyio
import msgspec

from actas.cli import login_files as files
from actas.cli.aws.kept import Kept as Credentials
from actas.cli.login_errors import NotSignedIn, ProviderRefused, SignInEnded
from actas.cli.signins_store import KeptTokens, Opened, SignIn, Store, in_thread, is_fresh
from actas.model import clock
from actas.model.secret import Secret

Clock = Callable[[], datetime]


def stored(state: Path) -> tuple[SignIn, ...]:
    """List the sign-ins in a state folder; holds no secret."""
    return Store(state).all()


async def token_for(
    name: str | None, state: Path, *, now: Clock = clock.now, limit: float = files.LONGEST_WAIT
) -> Secret:
    """Give a token of ``NAME`` or ``PROVIDER/NAME``, renewed where it has run out; without a name, of the only one."""
    store = Store(state)
    about = await in_thread(partial(store.find, name))
    if about is None:
        return await _of_the_demo(name, store, now)
    opened = await in_thread(partial(store.open, about))
    if is_fresh(opened.about, now()):
        return Secret(opened.tokens.shown)
    async with files.locked(store.lock(about), name=about.name, limit=limit):  # a refresh token counts only once
        opened = await in_thread(partial(store.open, about))
        if is_fresh(opened.about, now()):
            return Secret(opened.tokens.shown)
        return await _renew(store, opened, now)


async def sign_out(
    name: str, state: Path, *, say: Callable[[str], None] = print, opener: Callable[[str], bool] | None = None
) -> bool:
    """Forget a sign-in and every credential, and tell the provider so; False where it could not be told.

    A SAML provider is told by the person's browser.
    """
    from actas.cli.login import revoke
    from actas.cli.login_saml import leave

    store = Store(state)
    about = await in_thread(partial(store.find, name))
    if about is None:
        raise NotSignedIn(name=name, known=_names(store))
    async with files.locked(store.lock(about), name=about.name):
        try:
            opened = await in_thread(partial(store.open, about))
        except SignInEnded:
            told = False
        else:
            ticket = opened.tokens.leave
            told = await (
                revoke(opened.about, opened.tokens)
                if ticket is None
                else leave(opened.about, ticket, say=say, opener=opener)
            )
        await in_thread(partial(store.remove, about))
        await in_thread(Credentials(state).forget)
    return told


async def _of_the_demo(name: str | None, store: Store, now: Clock) -> Secret:
    from actas.cli.login_demo import PROVIDER, demo_token, read_demo

    demo = await in_thread(partial(read_demo, store.state))
    provider, _, person = (name or "").rpartition("/")
    if demo is None or provider not in ("", PROVIDER) or person not in demo.people:
        known = (*_names(store), *(f"{PROVIDER}/{one}" for one in (demo.people if demo else ())))
        raise NotSignedIn(name=name, known=known)
    return await demo_token(demo, person, clock=now)


def _names(store: Store) -> tuple[str, ...]:
    return tuple(f"{one.provider}/{one.name}" for one in store.all())


async def _renew(store: Store, opened: Opened, now: Clock) -> Secret:
    """Renew and keep before anybody uses it: the old refresh token is worth nothing from now on."""
    from actas.cli.login import renew

    about, kept = opened.about, opened.tokens
    if kept.refresh is None:
        raise SignInEnded(name=about.name, why="its token has ended and the provider gave nothing to renew it with")
    try:
        tokens = await renew(about, kept, now=now())
    except ProviderRefused as refused:
        if refused.error == "invalid_grant":
            raise SignInEnded(name=about.name, why="the provider has ended it") from refused
        raise
    fresh = KeptTokens(
        shown=tokens.shown.reveal(),
        subject=tokens.subject,
        refresh=tokens.refresh.reveal() if tokens.refresh else None,
        client_secret=kept.client_secret,
    )
    later = msgspec.structs.replace(about, expires_at=tokens.expires_at, renewable=tokens.refresh is not None)

    def keep() -> None:
        store.keep(later, fresh, vault=opened.vault)

    with anyio.CancelScope(shield=True):  # whoever interrupts us now must not cost the person the sign-in
        await in_thread(keep)
    return tokens.shown
