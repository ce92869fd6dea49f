"""The shape of ``actas.yaml``: every key there is, its type and its default.

Structs hold what the file says and nothing more; what the keys mean together is checked in `checks`.
"""

from datetime import date
from typing import Annotated, Literal

import msgspec

from actas.settings.values import Hours, Network, Size, Span

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?$", description="lower-case name")]
Texts = str | tuple[str, ...]
"""One text or a list of them; `many` makes a tuple of either."""


def many(value: Texts | None) -> tuple[str, ...]:
    """Give a list of texts for one text, a list or nothing."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value


Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
Count0 = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The base of every mapping in the file: a key we do not know is a mistake."""


class SecretRef(Keys, frozen=True):
    """Where a secret is kept: exactly one of an environment variable or a file. It never stands in the file."""

    env: str | None = None
    file: str | None = None


class Proxies(Keys, frozen=True):
    """Which peers may speak for a client's address, and in which header."""

    networks: tuple[Network, ...]
    header: Literal["X-Forwarded-For", "Forwarded"] = "X-Forwarded-For"


class RateLimits(Keys, frozen=True):
    """Calls a minute; 0 switches a limit off."""

    network: Count0 = 6000
    """Per client network (IPv4 /32, IPv6 /64), before anything is verified."""
    issuer: Count0 = 0
    subject: Count0 = 1200
    burst: Count = 200
    """How many calls may come at once before the rate counts."""


class Limits(Keys, frozen=True):
    """What one request, one caller or the whole gateway may take."""

    body: Size = Size(6 * 1024 * 1024)
    headers: Size = Size(32 * 1024)
    target: Size = Size(8 * 1024)
    header_count: Count = 100
    request_time: Span = Span.read("30s")
    """How long a client may take to send its body."""
    connections: Count = 1024
    sessions: Count = 10_000
    """Live sessions in all; `sessions_per_subject` likewise for one caller; the oldest idle ones go first."""
    sessions_per_subject: Count = 100
    processes: Count = 64
    """Live function processes in all; `processes_per_subject` likewise for one caller."""
    processes_per_subject: Count = 8
    rate: RateLimits = RateLimits()


class Gateway(Keys, frozen=True):
    """Where the gateway is reached and what it may use."""

    public_url: str = "http://127.0.0.1:8700"
    control_url: str = "http://127.0.0.1:8701"
    listen: str = "127.0.0.1:8700"
    control_listen: str = "127.0.0.1:8701"
    state: str = ".actas"
    proxies: Proxies | None = None
    isolation: Literal["required", "weak"] = "required"
    account: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{12}$")] = "000000000000"
    region: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,30}$")] = "us-east-1"
    """Account and region in the ARNs of functions that run here."""
    grace: Span = Span.read("20s")
    """How long calls in flight may take to finish when the gateway is stopped."""
    limits: Limits = Limits()


class Claim(Keys, frozen=True):
    """Where a fact about the caller stands in a token, and what its absence means."""

    claim: Texts | None = None
    """A dotted path (``realm_access.roles``), or several; the preset's where it is left out."""
    absent: Literal["unknown", "empty"] | None = None
    lookup: Literal["graph", "google", "keycloak-admin"] | None = None
    """Who is asked where the token cannot carry the whole list."""


class LookupClient(Keys, frozen=True):
    """The client the gateway uses to ask a provider about groups."""

    id: str
    secret: SecretRef
    token_url: str | None = None
    url: str | None = None
    """The base of the provider's API; the preset's where it is left out."""
    admin: str | None = None
    """Google: the administrator on whose behalf the directory is read."""


class KeySource(Keys, frozen=True):
    """Where the provider's keys come from when not by discovery: exactly one of the three."""

    url: str | None = None
    file: str | None = None
    inline: dict[str, object] | None = None


class Provider(Keys, frozen=True):
    """An identity provider; whatever is left out is the preset's."""

    preset: str
    issuer: str | None = None
    tenant: str | None = None
    tenants: tuple[str, ...] | None = None
    """Entra, several tenants: the allow-list; ``tenant`` is then ``organizations`` or ``common``."""
    cloud: Literal["global", "us-government", "china"] | None = None
    version: Literal["v1", "v2"] | None = None
    audience: Texts | None = None
    clients: Texts | None = None
    """Client ids that may bring tokens; required where a provider's tokens have no audience."""
    token: Literal["access", "id"] | None = None
    typ: Texts | None = None
    """The header ``typ`` values that are taken; the empty string stands for none."""
    algorithms: Texts | None = None
    keys: KeySource | None = None
    subject: str | None = None
    groups: Claim | None = None
    roles: Claim | None = None
    scopes: Claim | None = None
    client: Claim | None = None
    mfa: Texts | None = None
    """``amr`` or ``acr`` values that mean that a second factor was used."""
    service: dict[str, str] | None = None
    """A claim and its value that mark a token as a program's own (no person signed in)."""
    agent_clients: tuple[str, ...] = ()
    """Clients that are AI agents: their callers are of kind `agent`."""
    lookup: LookupClient | None = None
    private: bool = False
    """The provider lives at a private address; without this it is refused."""
    ca: str | None = None
    """A file with the certificate authority of a provider whose certificate is not public."""
    leeway: Span = Span.read("60s")
    max_age: Span | None = None
    """Refuse tokens issued longer ago than this, whatever they say of their own end."""
    stale: Span = Span.read("24h")
    """How long known keys are trusted while the provider cannot be reached."""


class Schedule(Keys, frozen=True):
    """How many calls of a function may run or wait at once."""

    at_once: Count = 10
    waiting: Count0 = 100


class Function(Keys, frozen=True):
    """A function and the backend it runs on: exactly one of ``python``, ``node``, ``lambda`` and ``http``."""

    python: str | None = None
    """``functions/report.py:handler``: a file and the callable in it."""
    node: str | None = None
    """``functions/index.mjs:handler``."""
    lambda_: str | None = msgspec.field(default=None, name="lambda")
    http: str | None = None
    timeout: Span = Span.read("3s")
    memory: Size = Size(128 * 1024 * 1024)
    environment: dict[str, str | SecretRef] = {}
    routes: tuple[str, ...] = ()
    format: Literal["1.0", "2.0"] = "2.0"
    """The payload format of route events."""
    binary_media_types: tuple[str, ...] = ()
    schedule: Schedule = Schedule()
    idle: Span = Span.read("5m")
    """How long a warm process waits for its next call before it is retired."""
    private: bool = False
    """HTTP: the backend lives at a private address. Required for loopback and private networks."""
    pass_token: bool = False
    """HTTP: the caller's own token is sent on. Without this it never leaves the gateway."""
    own_authorization: bool = False
    """The backend also decides by itself; ``mode: observe`` is taken only where every function says so."""
    endpoint: str | None = None
    """Lambda: another address of the Lambda API, for tests against a double."""


class RoleSettings(Keys, frozen=True):
    """A role that callers may take."""

    arn: str
    session: Span = Span.read("15m")
    policy: str | None = None
    """A file: what its sessions may do."""
    trust: str | None = None
    """A file: a trust policy where it is narrower than the rules."""
    broker: Literal["local", "aws-web-identity"] = "local"
    sts: str | None = None
    """aws-web-identity: another address of STS, for tests against a double."""


class Who(Keys, frozen=True):
    """The callers a rule speaks of: any of each list, all of the keys."""

    provider: Texts | None = None
    groups: Texts | None = None
    roles: Texts | None = None
    scopes: Texts | None = None
    subjects: Texts | None = None
    clients: Texts | None = None
    tenants: Texts | None = None
    actors: Texts | None = None
    """Subjects or clients that act for the caller; ``none`` for callers that act for themselves."""
    kind: Texts | None = None


class When(Keys, frozen=True):
    """The circumstances a rule asks for: all of them."""

    mfa: bool | None = None
    auth_age: Span | None = None
    """The caller signed in no longer ago than this."""
    days: Texts | None = None
    """A day or a range of days, or several: ``mon``, ``mon-fri``, ``[mon, thu-sat]``; `checks` reads it."""
    hours: Hours | None = None
    zone: str | None = None
    """An IANA time zone; needed with ``days``, ``hours``, and the dates."""
    from_: date | None = msgspec.field(default=None, name="from")
    """The first day on which the rule holds; ``until`` is the last."""
    until: date | None = None
    networks: tuple[Network, ...] | None = None


class Rule(Keys, frozen=True):
    """Who may (or may not) run which functions, when, and as whom."""

    id: Name
    who: Who
    may: Texts | None = None
    may_not: Texts | None = None
    when: When | None = None
    as_: Texts | None = msgspec.field(default=None, name="as")


class Jsonl(Keys, frozen=True):
    """The trail as files of JSON lines."""

    path: str | None = None
    """A folder; ``audit`` in the state folder where it is left out."""
    segment: Size = Size(64 * 1024 * 1024)
    checkpoint: Span = Span.read("60s")


class Audit(Keys, frozen=True):
    """Where the trail is kept, and who may learn whom it speaks of."""

    jsonl: Jsonl = Jsonl()
    officers: tuple[str, ...] = ()
    """Files with the officers' public keys (made by ``actas audit officer``): who can unmask."""
    epoch: Span = Span.read("90d")
    """How long one pseudonym stands for a person."""
    reserve: Size = Size(64 * 1024 * 1024)
    """Disk space below which calls are refused rather than run unrecorded."""


class Settings(Keys, frozen=True):
    """The whole file."""

    gateway: Gateway = Gateway()
    providers: dict[Name, Provider] = {}
    functions: dict[Name, Function] = {}
    roles: dict[Name, RoleSettings] = {}
    rules: tuple[Rule, ...] = ()
    mode: Literal["enforce", "observe"] = "enforce"
    audit: Audit = Audit()
