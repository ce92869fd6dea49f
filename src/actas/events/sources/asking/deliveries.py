"""Deliveries of senders of your own: by what they are proved, and where their facts stand."""

from datetime import datetime
from typing import Final

from actas import jose
from actas.events.interface import Pushed
from actas.events.sources.asking import proof
from actas.events.sources.asking.frame import Frame
from actas.events.sources.asking.keys import SigningKeys, somewhere, written
from actas.events.sources.errors import DeliveryTooLarge, MalformedDelivery
from actas.events.sources.reading import fields as reading
from actas.events.sources.reading import strict
from actas.settings.schema_event_sources import EventFields
from actas.settings.schema_events import EventSource

_OF_CLOUDEVENTS: Final = EventFields(subject="subject")


class Believed:
    """Gives the body of a delivery that is proved, or raises `NotAuthentic`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        keys, provider = frame.settings.keys, frame.provider
        self._keys = None
        if keys is not None:
            issuer = somewhere(provider.issuer or frame.name, provider, written(frame.name, keys, provider))
            self._keys = SigningKeys(issuer, frame.making)

    async def body(self, pushed: Pushed, *, now: datetime) -> bytes:
        """Give the JSON that *pushed* brings."""
        settings = self._frame.settings
        if self._keys is not None:
            if len(pushed.body) > strict.LARGEST:
                raise DeliveryTooLarge(found=len(pushed.body), allowed=strict.LARGEST)
            if not pushed.body.isascii():
                raise MalformedDelivery(why="its body is no JWS in compact form")
            token = pushed.body.decode("ascii").strip()
            return await self._keys.payload(token, algorithms=jose.ASYMMETRIC, now=now)
        secret = self._frame.secret(settings.secret, "secret")
        if settings.signature is not None:
            proof.is_signed(pushed, settings.signature, secret, now=now)
        else:
            proof.shows(pushed, settings.header.lower(), secret)
        return pushed.body


def fields_of(settings: EventSource) -> EventFields:
    """Give where the facts stand: as the settings say, else where each kind has them by itself."""
    if settings.fields is not None:
        return settings.fields
    return _OF_CLOUDEVENTS if settings.kind == "cloudevents" else EventFields()


def paths(fields: EventFields) -> reading.Paths:
    """Give the paths that the reader follows."""
    return reading.Paths(
        id=fields.id,
        type=fields.type,
        at=fields.at,
        subject=fields.subject,
        address=fields.address,
        actor=fields.actor,
        client=fields.client,
        session=fields.session,
        roles=fields.roles,
        groups=fields.groups,
        events=fields.events,
        kinds=fields.kinds,
    )
