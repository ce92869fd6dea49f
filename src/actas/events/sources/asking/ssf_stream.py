"""An SSF stream: where its transmitter is, its keys, its configuration, its status, and polling it (RFC 8936)."""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec

from actas.events.interface import Advice
from actas.events.sources.asking import okta_sign_in, ssf_advice
from actas.events.sources.asking.client import Client, check, read
from actas.events.sources.asking.frame import Frame
from actas.events.sources.asking.keys import SigningKeys, somewhere, written
from actas.events.sources.errors import MalformedDelivery, ProviderRefused, ProviderUnreadable
from actas.events.sources.reading import sets, strict
from actas.identify.flow import Wish
from actas.identify.lookup import Account, ask_for_token
from actas.identify.profile import Source
from actas.model.secret import Secret
from actas.settings.schema_event_sources import EventClient

PUSH: Final = "urn:ietf:rfc:8935"
POLL: Final = "urn:ietf:rfc:8936"
WANTED: Final = tuple(sets.KINDS)
_AGAIN: Final = timedelta(hours=1)


class Metadata(msgspec.Struct, frozen=True):
    """What the transmitter says of itself (SSF 1.0, section 7.1)."""

    issuer: str
    jwks: str | None = msgspec.field(default=None, name="jwks_uri")
    configuration: str | None = msgspec.field(default=None, name="configuration_endpoint")
    status: str | None = msgspec.field(default=None, name="status_endpoint")
    verification: str | None = msgspec.field(default=None, name="verification_endpoint")
    adding: str | None = msgspec.field(default=None, name="add_subject_endpoint")
    critical: tuple[str, ...] = msgspec.field(default=(), name="critical_subject_members")
    methods: tuple[str, ...] | None = msgspec.field(default=None, name="delivery_methods_supported")
    subjects: str | None = msgspec.field(default=None, name="default_subjects")


class _Delivery(msgspec.Struct, frozen=True):
    method: str
    endpoint: str | None = msgspec.field(default=None, name="endpoint_url")


class Configuration(msgspec.Struct, frozen=True):
    """A stream of ours (section 8.1.1)."""

    id: str = msgspec.field(name="stream_id")
    delivery: _Delivery
    description: str | None = None
    delivered: tuple[str, ...] | None = msgspec.field(default=None, name="events_delivered")
    supported: tuple[str, ...] | None = msgspec.field(default=None, name="events_supported")
    inactivity: int | None = msgspec.field(default=None, name="inactivity_timeout")


class _Status(msgspec.Struct, frozen=True):
    status: str


class Polled(msgspec.Struct, frozen=True):
    """What a question brought (RFC 8936, section 2.3)."""

    sets: dict[str, str]
    more: bool = msgspec.field(default=False, name="moreAvailable")


class Stream:
    """One stream of one transmitter."""

    def __init__(self, frame: Frame, issuer: str) -> None:
        self.issuer = issuer
        self._frame = frame
        self.method = PUSH if frame.settings.delivery == "push" else POLL
        sign_in, _scheme = okta_sign_in.way(frame, "") if frame.settings.client is None else (self._sign_in, "")
        self.api = Client(frame.making, sign_in, private=frame.provider.private, ca=frame.provider.ca)
        self._metadata: Metadata | None = None
        self._read_at: datetime | None = None
        self._keys: SigningKeys | None = None
        self._endpoint: str | None = None

    def state(self) -> str | None:
        """Give the state that a verification must show; any gateway can work it out, so none has to remember it."""
        settings = self._frame.settings
        reference = settings.secret or settings.token or (settings.client.secret if settings.client else None)
        if reference is None:
            return None
        key = self._frame.secret(reference, "secret").reveal().encode()
        digest = hmac.new(key, f"ssf verification of {self._frame.name}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    @property
    def critical(self) -> tuple[str, ...]:
        """Give the members of subjects that nobody may pass over, as far as the transmitter was asked for them."""
        return () if self._metadata is None else self._metadata.critical

    async def keys(self, *, now: datetime) -> SigningKeys:
        """Give the transmitter's keys."""
        if self._keys is None:
            settings, provider = self._frame.settings, self._frame.provider
            if settings.keys is not None:
                source = written(self._frame.name, settings.keys, provider)
            else:
                metadata = await self.about(now)
                if metadata.jwks is None:
                    raise ProviderUnreadable(what="the transmitter's metadata", why="names no keys")
                source = Source(
                    provider=self._frame.name, url=metadata.jwks, private=provider.private, ca=provider.ca,
                    stale=provider.stale.time,
                )  # fmt: skip
            self._keys = SigningKeys(somewhere(self.issuer, provider, source), self._frame.making)
        return self._keys

    async def ask_for(self, asked: dict[str, Any], *, now: datetime) -> Polled:
        """Poll."""
        what = "the stream"
        if self._endpoint is None:
            found = await self.configured(await self.api.token(now=now), now)
            if found is None or found.delivery.endpoint is None:
                raise ProviderUnreadable(what=what, why="is not there: `actas events doctor --fix` makes it")
            self._endpoint = found.delivery.endpoint
        body = msgspec.json.encode(asked)
        try:
            answer = await self.api.json(what, self._endpoint, now=now, method="POST", body=body)
        except ProviderRefused:  # the stream was perhaps made anew, somewhere else
            self._endpoint = None
            raise
        polled: Polled = shaped(what, answer, Polled)
        return polled

    async def examine(self, *, now: datetime) -> tuple[Advice, ...]:
        """Look at the stream and its status, where we have a token to look with."""
        settings = self._frame.settings
        if settings.token is None and settings.client is None:
            hint = "Give the source a token, or see in the transmitter's console that the stream is enabled."
            return (
                Advice(code="stream-unseen", severity="warning", message="we cannot look at the stream", hint=hint),
            )
        token = await self.api.token(now=now)
        found = await self.configured(token, now)
        if found is None:
            hint = "Run `actas events doctor --fix`, or make a stream in the transmitter's console."
            message = f"there is no stream that delivers by {'push' if self.method == PUSH else 'poll'} to here"
            return (Advice(code="stream-missing", severity="error", message=message, hint=hint, can_mend=True),)
        about = ssf_advice.about(await self.about(now), self.method, found.inactivity, adds=bool(settings.subjects))
        return (self.delivers(found), *about, await self.status(found, token, now))

    def delivers(self, found: Configuration) -> Advice:
        """See whether *found* delivers everything that means something here."""
        missing = sorted(set(WANTED) - set(found.delivered)) if found.delivered is not None else []
        if not missing:
            return Advice(code="stream", severity="fine", message="the stream is there", hint="")
        more = set(missing) & set(found.supported or ())
        named = ", ".join(one.rpartition("/")[2] for one in missing[:8])
        message = f"the stream does not deliver: {named}"
        hint = "See in the transmitter's documentation whether it has these events, and ask for them."
        return Advice(code="stream-delivers-less", severity="warning", message=message, hint=hint, can_mend=bool(more))

    async def status(self, found: Configuration, token: Secret, now: datetime) -> Advice:
        """See whether *found* is enabled."""
        metadata = await self.about(now)
        if metadata.status is None:
            return Advice(code="stream-status", severity="fine", message="the transmitter tells no status", hint="")
        answer = await self.api.once(f"{metadata.status}?stream_id={_quoted(found.id)}", token)
        check("the stream's status", answer)
        status = shaped("the stream's status", read("the stream's status", answer), _Status).status
        if status == "enabled":
            return Advice(code="stream-status", severity="fine", message="the stream is enabled", hint="")
        message = f"the stream is {status}" if status in ("paused", "disabled") else "the stream is in another state"
        hint = "Run `actas events doctor --fix`, or enable the stream in the transmitter's console."
        return Advice(code="stream-not-enabled", severity="error", message=message, hint=hint, can_mend=True)

    async def configured(self, token: Secret, now: datetime) -> Configuration | None:
        """Find the stream that is ours among those that *token* may see."""
        address = f"{self._frame.making.public_url}/events/{self._frame.name}"
        for one in await self.streams(token, now):
            if one.delivery.method == self.method and (self.method == POLL or one.delivery.endpoint == address):
                return one
        return None

    async def streams(self, token: Secret, now: datetime) -> tuple[Configuration, ...]:
        """List the streams that *token* may see."""
        metadata, what = await self.about(now), "the list of streams"
        if metadata.configuration is None:
            return ()
        answer = await self.api.once(metadata.configuration, token)
        if answer.status == 404:
            return ()
        check(what, answer)
        value = read(what, answer)
        found: tuple[Configuration, ...] = shaped(
            what, value if isinstance(value, list) else [value], tuple[Configuration, ...]
        )
        return found

    async def about(self, now: datetime) -> Metadata:
        """Read the transmitter's metadata, whose issuer must be the one that it was asked for by."""
        if self._metadata is not None and self._read_at is not None and now < self._read_at + _AGAIN:
            return self._metadata
        what, provider = "the transmitter's metadata", self._frame.provider
        answer = await self._frame.making.fetch(
            Wish(url=well_known(self.issuer), private=provider.private, ca=provider.ca)
        )
        check(what, answer)
        found: Metadata = shaped(what, read(what, answer), Metadata)
        if found.issuer != self.issuer:
            raise ProviderUnreadable(what=what, why="speaks for another issuer")
        self._metadata, self._read_at = found, now
        return found

    def _sign_in(self, now: datetime) -> Any:
        client: EventClient | None = self._frame.settings.client
        assert client is not None
        provider = self._frame.provider
        secret = self._frame.secret(client.secret, "client secret")
        account = Account(id=client.id, secret=secret, issuer=self.issuer, private=provider.private, ca=provider.ca)
        form = {"grant_type": "client_credentials", "client_id": client.id, "client_secret": secret.reveal()}
        return ask_for_token(account, client.token_url or "", form, now)


def well_known(issuer: str) -> str:
    """Put the well-known part between host and path (SSF 1.0, section 7.2)."""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}/.well-known/ssf-configuration{parts.path.rstrip('/')}"


def _quoted(text: str) -> str:
    return quote(text, safe="")


def shaped(what: str, value: Any, shape: Any) -> Any:
    """Give what the transmitter answered the form that the standard says it has."""
    try:
        return strict.shaped(value, shape)
    except MalformedDelivery as wrong:
        raise ProviderUnreadable(what=what, why=wrong.why) from wrong
