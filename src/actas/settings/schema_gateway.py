"""The sections ``gateway`` and ``audit`` of the settings file: where it is reached, what it may use, its trail."""

from typing import Annotated, Literal

import msgspec

from actas.settings.schema_cloudwatch import CloudWatch
from actas.settings.schema_keys import Count, Count0, Keys, SecretRef
from actas.settings.values import Network, Size, Span


class Proxies(Keys, frozen=True):
    """Which peers may speak for a client's address, and in which header."""

    networks: tuple[Network, ...]
    """The networks of your own proxies; whoever connects from there is believed."""
    header: Literal["X-Forwarded-For", "Forwarded"] = "X-Forwarded-For"
    """The header in which they tell it; another one is not looked at."""


class RateLimits(Keys, frozen=True):
    """Calls a minute; 0 switches a limit off."""

    network: Count0 = 6000
    """Per client network (IPv4 /32, IPv6 /64), before anything is verified."""
    issuer: Count0 = 0
    """Per provider, after the caller is believed."""
    subject: Count0 = 1200
    """Per caller, after they are believed; a nested call counts against its root."""
    burst: Count = 200
    """How many calls may come at once before the rate counts."""


class Limits(Keys, frozen=True):
    """What one request, one caller or the whole gateway may take."""

    body: Size = Size(6 * 1024 * 1024)
    """The largest body of a request."""
    headers: Size = Size(32 * 1024)
    """All headers of a request together."""
    target: Size = Size(8 * 1024)
    """Path and query of a request."""
    header_count: Count = 100
    """How many headers a request may have."""
    request_time: Span = Span.read("30s")
    """How long a client may take to send its body."""
    connections: Count = 1024
    """How many requests may be in flight at once; idle connections do not count."""
    sessions: Count = 10_000
    """Live sessions in all; the oldest idle ones go first."""
    sessions_per_subject: Count = 100
    """Live sessions of one caller."""
    processes: Count = 64
    """Live function processes in all."""
    processes_per_subject: Count = 8
    """Live function processes of one caller."""
    later: Count = 10_000
    """Events of the Lambda API that may wait to be run later, and as many that are set apart."""
    later_per_subject: Count = 1000
    """Those of one caller."""
    later_size: Size = Size(1024 * 1024 * 1024)
    """How large they may be together; one caller's, the same part of it as of the events."""
    depth: Count0 = 5
    """How far below a root call functions may call functions; 0 lets them call none."""
    calls_per_root: Count0 = 100
    """Calls below one root call, in all."""
    rate: RateLimits = RateLimits()
    """How often calls may come."""


class Gateway(Keys, frozen=True):
    """Where the gateway is reached and what it may use."""

    public_url: str = "http://127.0.0.1:8700"
    """The origin of calls and routes, as clients write it."""
    control_url: str = "http://127.0.0.1:8701"
    """The origin of sign-in, admin, console and metrics: another host or another port."""
    listen: str = "127.0.0.1:8700"
    """The address that calls come to."""
    control_listen: str = "127.0.0.1:8701"
    """The address that everything else comes to."""
    state: str = ".actas"
    """The folder of keys, trail and caches, relative to the settings file; nobody else may read it."""
    database: SecretRef | None = None
    """Where the URL of a PostgreSQL is kept, for several gateways: ``postgresql://…``; else the state is a file."""
    proxies: Proxies | None = None
    """Proxies in front; without them the peer of the connection is the client."""
    isolation: Literal["required", "weak"] = "required"
    """Local functions run only where they cannot see each other; ``weak`` is for trying out, with ``actas up``."""
    account: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{12}$")] = "000000000000"
    """The account in the ARNs of functions that run here; twelve digits in quotes."""
    region: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,30}$")] = "us-east-1"
    """The region in the ARNs of functions that run here."""
    grace: Span = Span.read("20s")
    """How long calls in flight may take to finish when the gateway is stopped."""
    saml_keys: Span = Span.read("90d")
    """How often a new SAML key of ours is made; it is published for a week before it signs."""
    limits: Limits = Limits()
    """What requests and callers may take."""


class Jsonl(Keys, frozen=True):
    """The trail as files of JSON lines."""

    path: str | None = None
    """A folder; ``audit`` in the state folder where it is left out."""
    segment: Size = Size(64 * 1024 * 1024)
    """How large a file grows before the next one is begun."""
    checkpoint: Span = Span.read("60s")
    """How often the head of the chain is signed."""


class Audit(Keys, frozen=True):
    """Where the trail is kept, and who may learn whom it speaks of."""

    jsonl: Jsonl = Jsonl()
    """The trail's files."""
    cloudwatch: CloudWatch | None = None
    """A copy of the trail, and figures of it, in AWS CloudWatch."""
    officers: tuple[str, ...] = ()
    """Files with the officers' public keys (made by ``actas audit officer``): who can unmask."""
    epoch: Span = Span.read("90d")
    """How long one pseudonym stands for a person."""
    reserve: Size = Size(64 * 1024 * 1024)
    """Disk space below which calls are refused rather than run unrecorded."""
    keep: Span | None = None
    """How long records are kept at least; whole segments that are older are pruned. Left out: for good."""
    archive: str | None = None
    """A folder that segments are laid into before they are pruned, relative to the settings file."""
