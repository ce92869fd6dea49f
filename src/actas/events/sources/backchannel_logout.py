"""OpenID Connect Back-Channel Logout 1.0: a provider tells that somebody signed out, or was signed out.

In the settings::

    events:
      sources:
        corp-logout:
          kind: backchannel-logout
          provider: corp
          audience: actas-portal          # the client (or clients) at the provider whose logout this is

Each logout token is verified by the provider's own keys, as section 2.6 asks. A token that comes twice is answered
as the first time and counts once, by its ``jti``.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from actas.events.interface import Advice, Health, Making, Pushed, Reply
from actas.events.sources.asking import being_told
from actas.events.sources.asking.client import check, read
from actas.events.sources.asking.frame import Frame
from actas.events.sources.asking.keys import SigningKeys, issuers, somewhere, written
from actas.events.sources.errors import MalformedDelivery, NotAuthentic, ProviderUnreadable, SourceIncomplete
from actas.events.sources.reading import logout as reading
from actas.events.sources.reading import strict
from actas.identify.flow import Wish
from actas.jose import Claims, JoseError, peek_issuer
from actas.settings.schema import Provider, many
from actas.settings.schema_events import EventSource

_FORM: Final = "application/x-www-form-urlencoded"
_LARGEST: Final = 64 * 1024
_OLDEST: Final = timedelta(hours=1)
_NO_STORE: Final = ("cache-control", "no-store")  # section 2.8
_REFUSED: Final = b'{"error":"invalid_request"}'


class BackchannelLogout:
    """Takes logout tokens."""

    def __init__(self, frame: Frame, keys: dict[str, SigningKeys]) -> None:
        self.name, self.provider = frame.name, frame.fit.provider
        self._frame, self._keys = frame, keys
        self._audience = many(frame.settings.audience)

    def health(self) -> Health:
        """Know nothing: a provider sends a logout once, and keeps no list of them."""
        return Health()

    async def close(self) -> None:
        """Hold nothing."""

    async def receive(self, pushed: Pushed, *, now: datetime) -> Reply:
        """Take one logout; a token that is none gets the error of section 2.8 and learns nothing else."""
        if pushed.method != "POST":
            return Reply(status=405, headers=(("allow", "POST"),))
        try:
            told = reading.told(await self._claims(_token(pushed), now))
        except (MalformedDelivery, NotAuthentic):
            return Reply(status=400, headers=(("content-type", "application/json"), _NO_STORE), body=_REFUSED)
        events = self._frame.fit.pushed((told,), now=now, raw=pushed.body)
        return Reply(status=200, headers=(_NO_STORE,), events=events)

    async def examine(self, *, now: datetime) -> tuple[Advice, ...]:  # noqa: ARG002 - the socket
        """See whether the provider sends logouts at all, and say what to switch on."""
        told = tuple(being_told.advice(self._frame))
        issuer, provider = self._frame.provider.issuer, self._frame.provider
        if issuer is None:
            return told
        what = "the provider's metadata"
        url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"  # OpenID Connect Discovery 1.0, section 4
        answer = await self._frame.making.fetch(Wish(url=url, private=provider.private, ca=provider.ca))
        check(what, answer)
        try:
            said = strict.shaped(read(what, answer), _Metadata)
        except MalformedDelivery as wrong:
            raise ProviderUnreadable(what=what, why=wrong.why) from wrong
        return (*_supported(said), *told)

    async def _claims(self, token: str, now: datetime) -> Claims:
        try:
            keys = self._keys.get(peek_issuer(token) or "")
        except JoseError as wrong:
            raise MalformedDelivery(why=wrong.message) from wrong
        if keys is None:
            raise NotAuthentic(why="it is of another issuer")
        leeway = self._frame.provider.leeway.time
        claims = await keys.claims(
            token, audience=self._audience, now=now, require_exp=False, max_age=_OLDEST, leeway=leeway
        )
        if not reading.is_typed(claims.header):
            raise MalformedDelivery(why="its typ is that of another token")
        issued = claims.issued_at
        if claims.expires_at is None and (issued is None or now > issued + reading.WITHOUT_END + leeway):
            raise NotAuthentic(why="it has no exp and is older than two minutes")
        return claims


class _Metadata(msgspec.Struct, frozen=True):
    """What the provider says of logouts (section 2.1)."""

    sends: bool = msgspec.field(default=False, name="backchannel_logout_supported")
    names_sessions: bool = msgspec.field(default=False, name="backchannel_logout_session_supported")


def _supported(said: _Metadata) -> Iterator[Advice]:
    if not said.sends:
        message = "the provider does not say that it sends logouts"
        hint = "Switch on back-channel logout at the provider, or use another kind of source."
        yield Advice(code="logout-not-supported", severity="error", message=message, hint=hint)
    elif not said.names_sessions:
        message = "the provider's logouts name no session: each ends everything of its subject"
        hint = "See whether the provider can send the session (sid)."
        yield Advice(code="logout-without-session", severity="warning", message=message, hint=hint)
    else:
        message = "the provider sends logouts, and names the session"
        yield Advice(code="logout-supported", severity="fine", message=message, hint="")


def _token(pushed: Pushed) -> str:
    """Read the form: exactly one logout token (section 2.5)."""
    media = (pushed.header("content-type") or "").partition(";")[0].strip().lower()
    if media != _FORM or len(pushed.body) > _LARGEST:
        raise MalformedDelivery(why="it is no form with a logout token")
    try:
        fields = parse_qsl(pushed.body.decode("ascii"), strict_parsing=True, max_num_fields=20)
    except ValueError as wrong:
        raise MalformedDelivery(why="its form cannot be read") from wrong
    tokens = [value for name, value in fields if name == "logout_token"]
    if len(tokens) != 1:
        raise MalformedDelivery(why="it has not one logout token")
    return tokens[0]


def source(settings: EventSource, provider: Provider, making: Making) -> BackchannelLogout:
    """Make the source that *settings* describe."""
    frame = Frame.of(settings, provider, making)
    if not many(settings.audience):
        raise SourceIncomplete(source=making.name, why="has no audience: the client whose logout it is")
    found = issuers(settings.provider, provider)
    if settings.keys is not None and provider.issuer is not None:
        found = (somewhere(provider.issuer, provider, written(settings.provider, settings.keys, provider)),)
    if not found:
        raise SourceIncomplete(source=making.name, why="has a provider that issues no tokens")
    return BackchannelLogout(frame, {one.iss: SigningKeys(one, making) for one in found})
