"""What stands between a sender and us, as far as it is seen from here, and what to switch on at the sender. Pure."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from actas.events.interface import Advice
from actas.events.sources.asking.frame import Frame

_KEYCLOAK: Final = (
    "Install the extension keycloak-events, add ext-event-webhook under Realm settings > Events > Event listeners, "
    "and make a webhook for * to {address}."
)
_OKTA: Final = (
    "See under Workflow > Event Hooks that one to {address} is verified and active, and has the events that the "
    "source's page lists."
)
_SWITCH_ON: Final = {
    "keycloak": ("the realm's webhook", _KEYCLOAK),
    "okta": ("the event hook", _OKTA),
    "auth0": (
        "the log stream",
        "See under Monitoring > Streams that a custom webhook to {address} is active, not paused.",
    ),
    "backchannel-logout": (
        "the client's logout address",
        "Set the client's back-channel logout URI to {address}, with the session required (sid).",
    ),
    "webhook": ("the sender", "Have it post each event to {address}, proved as the source's settings say."),
    "cloudevents": ("the sender", "Have it post CloudEvents 1.0 to {address}, proved as the source's settings say."),
}
"""What cannot be seen from here, and how it is switched on."""
_ASKS: Final = {"keycloak": "a client", "okta": "a token or a client", "auth0": "a client"}
"""What makes a source ask too."""


def advice(frame: Frame) -> Iterator[Advice]:
    """Say where deliveries come to, what to look at there, and what being told alone loses."""
    settings = frame.settings
    address = f"{frame.making.public_url.rstrip('/')}/events/{frame.name}"
    if urlsplit(address).scheme == "https":
        yield Advice(code="address", severity="fine", message=f"deliveries come to {address}", hint="")
    else:
        hint = "Set gateway.public_url to the https address by which the provider reaches this gateway."
        message = f"deliveries come to {address}, which is not https: what is sent can be read and changed on its way"
        yield Advice(code="address-not-https", severity="warning", message=message, hint=hint)
    if settings.kind != "keycloak" or settings.client is None:  # whoever asks Keycloak sees the listener
        what, how = _SWITCH_ON[settings.kind]
        message = f"{what} cannot be seen from here"
        yield Advice(code="sender-unseen", severity="warning", message=message, hint=how.format(address=address))
    if settings.kind in _ASKS and settings.client is None and settings.token is None:
        hint = f"Give the source {_ASKS[settings.kind]} too; its page says which rights that needs."
        message = "the source is told and does not ask: what is sent while no gateway listens is lost"
        yield Advice(code="does-not-ask", severity="warning", message=message, hint=hint)
    if settings.signature is not None and settings.signature.timestamp is None:
        hint = "Where the sender can sign the time too, add timestamp and signed to the source's signature."
        message = "no time is signed: what was sent once can be sent again until its event is too old"
        yield Advice(code="replayable", severity="warning", message=message, hint=hint)
