"""The sections ``events`` and ``on`` of the settings file: who tells us of people, and what runs when they do."""

from typing import Literal

import msgspec

from actas.settings.schema_event_sources import EventClient, EventFields, Signature
from actas.settings.schema_keys import Count, Keys, Name, SecretRef, Texts
from actas.settings.schema_providers import KeySource
from actas.settings.values import Span

EVENT_KINDS = (
    "signed-in", "sign-in-failed", "token-refreshed", "signed-out", "session-revoked", "role-granted", "role-revoked",
    "group-joined", "group-left", "user-disabled", "user-deleted", "credential-changed", "client-changed",
    "risk-changed", "other",
)  # fmt: skip
"""What can happen to somebody; `actas.events.normal` says what each means."""
ENDING = (
    "role-revoked", "group-left", "user-disabled", "user-deleted", "session-revoked", "signed-out",
    "credential-changed",
)  # fmt: skip
"""What can end access."""
EVENT_FACTS = (
    "id", "source", "provider", "kind", "type", "subject", "actor", "client", "session", "happened_at", "heard_at",
    "roles", "groups", "role", "group", "reason", "named",
)  # fmt: skip
"""What a function can be told of an event; ``role`` and ``group`` are the only one of a list, or nothing."""
WHERE_FACTS = ("source", "provider", "type", "subject", "actor", "client", "role", "group", "reason")
"""What a subscription can ask for."""


SAYS_WHO = frozenset({"webhook", "cloudevents"})
"""Kinds of sources whose settings say where the subject stands: whom they name is for who writes them to match."""


class EventSource(Keys, frozen=True):
    """Where a provider's events come from."""

    kind: Literal["keycloak", "okta", "entra", "auth0", "google", "ssf", "backchannel-logout", "webhook", "cloudevents"]
    """What speaks: the page of its name in docs/sources says how to set it up."""
    provider: str
    """The provider in ``providers`` whose callers it speaks of."""
    every: Span = Span.read("15s")
    """Sources that are asked: how long to wait between two questions."""
    own_clients: Texts = ()
    """Client ids by which this gateway and its functions change things at the provider: what they cause starts no
    function, unless the subscription says ``own: true``."""
    ends: Texts = ENDING
    """What of it ends access: kinds of events; ``[]`` for none."""
    unmatched: Literal["nobody", "everybody"] = "nobody"
    """Whose access an event ends that names somebody in a way that nothing here bears (a telephone number, a device, an
    address where the provider has no ``address``): nobody's, which is counted and shown, or that of everybody."""
    keep_raw: bool = False
    """Keep what came as it came, sealed, for ``actas events show``."""
    client: EventClient | None = None
    """The client by which the provider is asked."""
    token: SecretRef | None = None
    """Okta, SSF: the token by which the provider is asked, where there is no client."""
    secret: SecretRef | None = None
    """What pushes are proved with: a key to sign by, or what a header must be."""
    header: str = "Authorization"
    """The header field that must be the secret, where pushes are not signed."""
    signature: Signature | None = None
    """Webhooks: how they are signed by the secret."""
    keys: KeySource | None = None
    """The keys that pushes are signed by, where they are not the provider's: a webhook's body is then a JWS."""
    audience: Texts | None = None
    """What the audience of pushed tokens must be."""
    transmitter: str | None = None
    """SSF: the transmitter's issuer; the provider's where it is left out."""
    delivery: Literal["push", "poll"] = "push"
    """SSF: whether the transmitter pushes, or is asked."""
    logs: tuple[Literal["sign-ins", "audits"], ...] = ()
    """Entra: the logs that are read beside the directory's changes."""
    subjects: tuple[dict[str, object], ...] = ()
    """SSF: whom the stream is to speak of, as Subject Identifiers, where its transmitter speaks of nobody else."""
    fields: EventFields | None = None
    """Webhooks and CloudEvents: where the facts stand."""
    oldest: Span = Span.read("24h")
    """How long ago what is pushed may have happened; asking goes back as far as the provider does."""
    overlap: Span = Span.read("30s")
    """How far each question reaches back over what is known: providers write events down in another order."""


class Events(Keys, frozen=True):
    """What is heard of people, and how it is kept and handed on."""

    sources: dict[Name, EventSource] = msgspec.field(default_factory=dict)
    """Who tells, by names of your own, which rules use as providers' names."""
    keep: Span = Span.read("30d")
    """How long what was heard is kept, sealed: to know it again, to show it, to prove that nothing is missing."""
    remember: Span = Span.read("180d")
    """How long it is remembered whose access ended; what a provider of theirs issued before that has ended for all."""
    backlog: Count = 10_000
    """How many deliveries may wait; beyond that sources are told to wait."""
    at_once: Count = 16
    """How many deliveries run at once."""
    attempts: Count = 12
    """How often a delivery is tried before it is set apart."""


class On(Keys, frozen=True):
    """A function that runs when something happened."""

    event: Texts
    """What happened: ``role-revoked``, or several."""
    run: str
    """The function."""
    where: dict[str, Texts] = msgspec.field(default_factory=dict)
    """What must be so: ``{source: corp-events, role: admin}``; any of each list, all of the keys."""
    as_: str | None = msgspec.field(default=None, name="as")
    """The role it asks for; a rule for the source must give it."""
    payload: tuple[str, ...] = ("id", "kind", "happened_at")
    """What the function is told, and nothing more."""
    format: Literal["cloudevents", "eventbridge"] = "cloudevents"
    """What the function gets it in: a CloudEvent 1.0, or what a rule of EventBridge hands on."""
    own: bool = False
    """Whether it runs also for what our own clients caused."""
