"""The shape of ``actas.yaml``: every key there is, its type and its default.

Structs hold what the file says and nothing more; what the keys mean together is checked in `checks`. The text
under a key is what the documentation and the JSON Schema say of it.
"""

from datetime import date
from typing import Literal

import msgspec

from actas.settings.schema_events import Events, On
from actas.settings.schema_functions import Asynchronous, Cors
from actas.settings.schema_gateway import Audit, Gateway, Jsonl, Limits, Proxies, RateLimits
from actas.settings.schema_keys import Count, Count0, Keys, Name, SecretRef, Texts, many
from actas.settings.schema_providers import Claim, KeySource, LookupClient, Provider
from actas.settings.schema_roles import AwsBase, Azure, Google, RoleSettings
from actas.settings.schema_saml import SamlRequest, SamlRequire
from actas.settings.values import Hours, Network, Size, Span

__all__ = [
    "Asynchronous", "Audit", "AwsBase", "Azure", "Claim", "Cors", "Count", "Count0", "Function", "Gateway", "Google",
    "Jsonl", "KeySource", "Keys", "Limits", "LookupClient", "Name", "On", "Provider", "Proxies", "RateLimits",
    "RoleSettings", "Rule", "SamlRequest", "SamlRequire", "Schedule", "SecretRef", "Settings", "Texts", "When",
    "Who", "many",
]  # fmt: skip


class Schedule(Keys, frozen=True):
    """How many calls of a function may run or wait at once."""

    at_once: Count = 10
    """How many calls may run at once."""
    waiting: Count0 = 100
    """How many more may wait; beyond that callers get 429."""


class Function(Keys, frozen=True):
    """A function and the backend it runs on: exactly one of ``python``, ``node``, ``lambda`` and ``http``."""

    python: str | None = None
    """``functions/report.py:handler``: a file, relative to the settings file, and the callable in it."""
    node: str | None = None
    """``functions/index.mjs:handler``: a file and the function it exports."""
    lambda_: str | None = msgspec.field(default=None, name="lambda")
    """The ARN of a function in AWS Lambda, with or without a version or an alias."""
    http: str | None = None
    """The base of an HTTP backend."""
    timeout: Span = Span.read("3s")
    """How long one call may take."""
    memory: Size = Size(128 * 1024 * 1024)
    """How much memory a local function's process may take."""
    environment: dict[str, str | SecretRef] = msgspec.field(default_factory=dict)
    """Variables of a local function's environment: texts, or references to secrets."""
    routes: tuple[str, ...] = ()
    """Where it answers HTTP: ``GET /orders/{id}``, ``ANY /{proxy+}``."""
    format: Literal["1.0", "2.0"] = "2.0"
    """The payload format of route events."""
    binary_media_types: tuple[str, ...] = ()
    """Media types whose bodies come to the function in base64."""
    schedule: Schedule = Schedule()
    """How many calls may run or wait at once."""
    idle: Span = Span.read("5m")
    """How long a warm process waits for its next call before it is retired."""
    private: bool = False
    """HTTP: the backend lives at a private address. Required for loopback and private networks."""
    pass_token: bool = False
    """HTTP: the caller's own token is sent on. Without this it never leaves the gateway."""
    pass_bearer: bool = False
    """HTTP: the token of the caller's role at Azure or Google is sent, as ``Authorization: Bearer``."""
    own_authorization: bool = False
    """The backend also decides by itself; ``mode: observe`` is taken only where every function says so."""
    asynchronous: Asynchronous = Asynchronous()
    """What becomes of an event that is to be run later."""
    url: Literal["none", "aws-iam", "bearer", "any"] = "none"
    """Whether it has a URL of its own (``/function-url/NAME/``), and how its callers show who they are: by a signature,
    by a bearer token, or by either."""
    cors: Cors | None = None
    """Which pages of other origins may ask its URL."""
    stream: bool = False
    """Lambda: the answer is streamed as the function writes it."""
    execution_role: str | None = None
    """Lambda: the ARN of the role it runs under; with it the function may fetch the work session of its call."""
    endpoint: str | None = None
    """Lambda: another address of the Lambda API, for tests against a double."""
    sts: str | None = None
    """Lambda: another address of the STS that tells whose execution role asks, for tests against a double."""


class Who(Keys, frozen=True):
    """The callers a rule speaks of: any of each list, all of the keys."""

    provider: Texts | None = None
    """Names in ``providers``."""
    groups: Texts | None = None
    """Groups, as the provider names them."""
    roles: Texts | None = None
    """Roles at the provider, not those of this file."""
    scopes: Texts | None = None
    """Scopes of the token."""
    subjects: Texts | None = None
    """The provider's own identifiers of callers; never an e-mail address."""
    clients: Texts | None = None
    """Client ids that the token was issued to."""
    tenants: Texts | None = None
    """Tenants of the provider."""
    actors: Texts | None = None
    """Subjects or clients that act for the caller; ``none`` for callers that act for themselves."""
    kind: Texts | None = None
    """``human``, ``service`` or ``agent``."""


class When(Keys, frozen=True):
    """The circumstances a rule asks for: all of them."""

    mfa: bool | None = None
    """Whether a second factor was used."""
    auth_age: Span | None = None
    """The caller signed in no longer ago than this."""
    days: Texts | None = None
    """A day or a range of days, or several: ``mon``, ``mon-fri``, ``[mon, thu-sat]``."""
    hours: Hours | None = None
    """A part of the day; ``22:00-06:00`` goes over midnight and belongs to the day it began on."""
    zone: str | None = None
    """An IANA time zone; needed with ``days``, ``hours``, and the dates."""
    from_: date | None = msgspec.field(default=None, name="from")
    """The first day on which the rule holds."""
    until: date | None = None
    """The last day on which the rule holds."""
    networks: tuple[Network, ...] | None = None
    """Networks the client calls from."""


class Rule(Keys, frozen=True):
    """Who may (or may not) run which functions, when, and as whom."""

    id: Name
    """Its name, in reasons and in the trail."""
    who: Who
    """The callers it speaks of."""
    may: Texts | None = None
    """What they may run: functions, ``function:METHOD /path``, ``admin:action``; ``*`` and ``?`` in either part."""
    may_not: Texts | None = None
    """What they may not run, whatever other rules say."""
    when: When | None = None
    """The circumstances it asks for; always, where it is left out."""
    as_: Texts | None = msgspec.field(default=None, name="as")
    """The role they run it with, or several to choose from, the first being the one they get unasked."""
    roles_from: Literal["assertion"] | None = None
    """``assertion``: of the roles in ``as``, which are then patterns, only those that the SAML assertion claims."""
    accounts: Texts | None = None
    """With ``roles_from``: the AWS accounts whose roles are taken; a role of another one is refused."""


class Settings(Keys, frozen=True):
    """The whole file."""

    gateway: Gateway = Gateway()
    """Where the gateway is reached and what it may use."""
    providers: dict[Name, Provider] = msgspec.field(default_factory=dict)
    """Who vouches for callers, by names of your own."""
    functions: dict[Name, Function] = msgspec.field(default_factory=dict)
    """What can be called, by names of your own."""
    roles: dict[Name, RoleSettings] = msgspec.field(default_factory=dict)
    """Roles that callers may take, by names of your own."""
    policies: dict[str, str] = msgspec.field(default_factory=dict)
    """Policies that whoever takes a role at STS may pass by ARN (``PolicyArns``) to have less: a file for each ARN."""
    rules: tuple[Rule, ...] = ()
    """Who may run what; what no rule allows is refused."""
    mode: Literal["enforce", "observe"] = "enforce"
    """``observe`` decides and records and refuses nobody."""
    audit: Audit = Audit()
    """The trail."""
    events: Events = Events()
    """What is heard of people from their providers."""
    on: tuple[On, ...] = ()
    """What runs when something happened."""
