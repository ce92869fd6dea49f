"""What stands between a realm and a working source, and how an administrator's token puts it right."""

import base64
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from urllib.parse import quote

import msgspec

from actas.events.interface import Advice
from actas.events.sources.asking import keycloak as realms
from actas.events.sources.asking.client import Client
from actas.events.sources.asking.keycloak import Config, Realm
from actas.events.sources.errors import MalformedDelivery, ProviderRefused, ProviderUnreadable
from actas.events.sources.reading import strict
from actas.identify.errors import UnexpectedAnswer
from actas.model.secret import Secret

RIGHT: Final = "view-events"
_APART: Final = timedelta(seconds=10)
Ask = Callable[..., Awaitable[Any]]


class Asks(Protocol):
    """What is examined."""

    api: Client

    @property
    def skew(self) -> timedelta:
        """How far the provider's clock was from ours when it answered last."""
        ...

    async def config(self, now: datetime) -> Config:
        """Read the realm's settings of events."""
        ...


class _Roles(msgspec.Struct, frozen=True):
    roles: tuple[str, ...] = ()


class Said(msgspec.Struct, frozen=True):
    """What our own token says of us; it came from the token endpoint, so nobody else can have written it."""

    sub: str | None = None
    resources: dict[str, _Roles] = msgspec.field(default_factory=dict, name="resource_access")

    @property
    def rights(self) -> frozenset[str]:
        """Our rights over the realm."""
        return frozenset(self.resources.get("realm-management", _Roles()).roles)


def said_by(token: Secret) -> Said:
    """Read our own token; an opaque one says nothing."""
    parts = token.reveal().split(".")
    try:
        middle = parts[1] + "=" * (-len(parts[1]) % 4)
        return strict.shaped(strict.json_of(base64.urlsafe_b64decode(middle)), Said)
    except (IndexError, ValueError, MalformedDelivery):
        return Said()


async def examine(source: Asks, *, pushes: bool, now: datetime) -> tuple[Advice, ...]:
    """Look at our own client, at the realm's settings and at the clock; change nothing."""
    try:
        rights = said_by(await source.api.token(now=now)).rights
    except UnexpectedAnswer as wrong:
        return (_no_token(wrong.why),)
    found = [_rights(rights)]
    try:
        config = await source.config(now)
    except ProviderRefused as wrong:
        return (_no_right(wrong.found),)
    found += realms.advice(config, pushes=pushes)
    if abs(source.skew) > _APART:
        apart = f"{source.skew.total_seconds():+.0f} s"
        hint = "Set both clocks by NTP: what happened is ordered, and tokens are refused, by the provider's clock."
        found.append(
            Advice(code="clock-apart", severity="warning", message=f"its clock is {apart} from ours", hint=hint)
        )
    return tuple(found)


def _no_token(why: str) -> Advice:
    return Advice(
        code="client-refused",
        severity="error",
        message=f"the client gets no token: {why}",
        hint="Compare its id and secret; it needs Client authentication and Service account roles switched on.",
    )


def _no_right(status: int) -> Advice:
    return Advice(
        code="right-missing",
        severity="error",
        message=f"the client may not read events (status {status})",
        hint=f"Give it the role {RIGHT} of realm-management: Clients > the client > Service accounts roles.",
        can_mend=True,
    )


def _rights(rights: frozenset[str]) -> Advice:
    # What view-events itself is made of is no right too many.
    others = sorted(rights - {RIGHT})
    if not others:
        return Advice(code="rights", severity="fine", message=f"the client has {RIGHT} and nothing else", hint="")
    return Advice(
        code="too-many-rights",
        severity="warning",
        message=f"the client has more rights over the realm than it needs: {', '.join(others[:8])}",
        hint=f"Take away everything but {RIGHT}.",
    )


async def mend(realm: Realm, client: str, ask: Ask) -> tuple[Advice, ...]:
    """Put right what can be, in the name of whoever *ask* speaks for; give what was changed."""
    done = []
    before = await ask("the realm's settings of events", "GET", "/events/config")
    if not isinstance(before, dict):
        raise ProviderUnreadable(what="the realm's settings of events", why="are no object")
    after = realms.mended(before)
    if after != before:
        await ask("the change of the realm's settings of events", "PUT", "/events/config", after)
        names = ", ".join(sorted(key for key in after if after[key] != before.get(key)))
        done.append(
            Advice(code="events-switched-on", severity="fine", message=f"{realm.name}: changed {names}", hint="")
        )
    if await _give_right(client, ask):
        done.append(Advice(code="right-given", severity="fine", message=f"{client} has {RIGHT} now", hint=""))
    return tuple(done)


class _Named(msgspec.Struct, frozen=True):
    id: str
    name: str = ""


async def _give_right(client: str, ask: Ask) -> bool:
    """Give our client the one right that it needs; tell whether it had it not."""
    ours, theirs = await _client(client, ask), await _client("realm-management", ask)
    account = _shape(await ask("our service account", "GET", f"/clients/{ours}/service-account-user"), _Named)
    roles = f"/users/{account.id}/role-mappings/clients/{theirs}"
    held = _shape(await ask("its roles", "GET", roles), tuple[_Named, ...])
    if any(one.name == RIGHT for one in held):
        return False
    role = await ask(f"the role {RIGHT}", "GET", f"/clients/{theirs}/roles/{RIGHT}")
    await ask(f"giving the role {RIGHT}", "POST", roles, [role])
    return True


async def _client(name: str, ask: Ask) -> str:
    found = _shape(
        await ask(f"the client {name}", "GET", f"/clients?clientId={quote(name, safe='')}"), tuple[_Named, ...]
    )
    if len(found) != 1:
        raise ProviderUnreadable(what=f"the client {name}", why="is not there")
    return str(found[0].id)


def _shape(value: Any, shape: Any) -> Any:
    try:
        return strict.shaped(value, shape)
    except MalformedDelivery as wrong:
        raise ProviderUnreadable(what="the admin API", why=wrong.why) from wrong
