"""Keycloak: asked by its admin REST API, told by the webhooks of the keycloak-events extension, or both at once.

In the settings::

    events:
      sources:
        corp-events:
          kind: keycloak
          provider: corp
          client: {id: actas-events, secret: {env: KEYCLOAK_EVENTS_SECRET}}    # asked
          secret: {env: KEYCLOAK_WEBHOOK_SECRET}                               # told, signed by HMAC
          audience: https://functions.example.com/events/corp-events           # told, signed by the realm

The client has a service account with the role ``view-events`` of ``realm-management`` and nothing else. An event has
one id whichever way it comes, so whichever comes first counts, once.
"""

from datetime import datetime

from actas.events.interface import Advice, Health, Making, Pushed, Reply
from actas.events.sources.asking import being_told, proof
from actas.events.sources.asking.frame import Both, Frame
from actas.events.sources.asking.keycloak import Realm
from actas.events.sources.asking.keycloak_poll import KeycloakAsked
from actas.events.sources.asking.keys import SigningKeys, issuers
from actas.events.sources.errors import NotAuthentic, SourceIncomplete
from actas.events.sources.reading import keycloak as reading
from actas.events.sources.reading import strict
from actas.model.secret import Secret
from actas.settings.schema import Provider, many
from actas.settings.schema_event_sources import Signature
from actas.settings.schema_events import EventSource

_HMAC = Signature(header="X-Keycloak-Signature")
"""Hexadecimal, without a prefix and without a time: what repeats is known by its id alone (protocols.md, 6.5)."""


class KeycloakTold:
    """Takes the extension's webhooks."""

    def __init__(self, frame: Frame, realm: Realm) -> None:
        self.name, self.provider = frame.name, frame.fit.provider
        self._frame, self._realm = frame, realm
        self._audience = many(frame.settings.audience)
        found = issuers(frame.settings.provider, frame.provider)
        self._keys = SigningKeys(found[0], frame.making) if found and self._audience else None

    def health(self) -> Health:
        """Know nothing: webhooks are not sent again where we did not listen, and what they lose only asking brings."""
        return Health()

    async def close(self) -> None:
        """Hold nothing."""

    async def receive(self, pushed: Pushed, *, now: datetime) -> Reply:
        """Take one event."""
        if pushed.method != "POST":
            return Reply(status=405, headers=(("allow", "POST"),))
        await self._believe(pushed, now)
        value = strict.json_of(pushed.body)
        told = reading.sent(value, realm=self._realm.name)
        events = () if told is None else self._frame.fit.pushed((told,), now=now, raw=pushed.body)
        return Reply(status=204, events=events)

    async def _believe(self, pushed: Pushed, now: datetime) -> None:
        settings, shown = self._frame.settings, pushed.header("authorization")
        if shown is not None and shown[:7].lower() == "bearer " and self._keys is not None:
            claims = await self._keys.claims(shown[7:].strip(), audience=self._audience, now=now)
            if not proof.is_of_body(claims.get("request_body_sha256"), pushed.body):
                raise NotAuthentic(why="its token was made for another body")
        elif settings.secret is not None:
            proof.is_signed(pushed, _HMAC, self._frame.secret(settings.secret, "secret"), now=now)
        else:
            raise NotAuthentic(why="it shows no token of the realm")

    async def examine(self, *, now: datetime) -> tuple[Advice, ...]:  # noqa: ARG002 - the socket
        """Say where deliveries come to, and what to switch on."""
        return tuple(being_told.advice(self._frame))


class KeycloakBoth(Both):
    """Asks and is told."""

    def __init__(self, asked: KeycloakAsked, told: KeycloakTold) -> None:
        super().__init__(asked, told)
        self._asked = asked

    async def mend(self, administrator: Secret, *, now: datetime) -> tuple[Advice, ...]:
        """Put right what `examine` says can be mended."""
        return await self._asked.mend(administrator, now=now)


def source(settings: EventSource, provider: Provider, making: Making) -> KeycloakAsked | KeycloakTold | KeycloakBoth:
    """Make the source that *settings* describe."""
    frame = Frame.of(settings, provider, making)
    realm = Realm.of(provider.issuer or "", settings.client.url if settings.client else None)
    if realm is None:
        raise SourceIncomplete(source=making.name, why="has a provider whose issuer is no realm of Keycloak")
    asked = None if settings.client is None else KeycloakAsked(frame, realm, settings.client)
    told = KeycloakTold(frame, realm) if settings.secret is not None or settings.audience is not None else None
    if asked is not None and told is not None:
        return KeycloakBoth(asked, told)
    if asked is None and told is None:
        raise SourceIncomplete(source=making.name, why="has neither a client to ask with nor a secret to be told by")
    found = asked or told
    assert found is not None
    return found
