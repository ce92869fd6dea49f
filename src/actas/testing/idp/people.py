"""The people and clients that the testing provider knows: first names, nobody real."""

import secrets
from dataclasses import dataclass, field
from types import MappingProxyType
from uuid import NAMESPACE_URL, UUID, uuid5

from actas.model.secret import Secret

LOOPBACK_REDIRECT = "http://127.0.0.1/callback"
"""RFC 8252, section 7.3: the port of a loopback redirect is free, the rest is exact."""


def stable_id(kind: str, name: str) -> UUID:
    """Give one name the same identifier in every run."""
    return uuid5(NAMESPACE_URL, f"https://idp.example/{kind}/{name}")


def fresh_secret() -> Secret:
    """Make a password or a client secret."""
    return Secret(secrets.token_urlsafe(12))


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can sign in."""

    name: str
    display: str = ""
    """What the sign-in page shows; the capitalised name where it is left out."""
    password: Secret = field(default_factory=fresh_secret, repr=False)
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    mfa: bool = False
    """Whether this person's sign-ins count as made with a second factor."""

    @property
    def shown(self) -> str:
        """The name as people read it."""
        return self.display or self.name.capitalize()

    @property
    def id(self) -> str:
        """The stable identifier, the same in every run."""
        return str(stable_id("people", self.name))

    @property
    def email(self) -> str:
        """An address at a name that is reserved for examples."""
        return f"{self.name}@people.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A program that may ask for tokens."""

    id: str
    secret: Secret | None = field(default=None, repr=False)
    """None makes it a public client, which must use PKCE like every other and has nothing else to show."""
    redirects: tuple[str, ...] = ()
    grants: frozenset[str] = frozenset({"authorization_code", "refresh_token"})
    scopes: tuple[str, ...] = ("openid", "profile", "email", "offline_access")
    roles: tuple[str, ...] = ()
    """The roles of the program itself, in tokens it gets for itself."""
    after_sign_out: tuple[str, ...] = ()
    """Where a browser may be sent after signing out."""

    @property
    def object_id(self) -> str:
        """The identifier of the client's own account, where a provider has one."""
        return str(stable_id("clients", self.id))


DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
_HUMAN_SCOPES = ("openid", "profile", "email", "offline_access", "groups", "reports.read", "functions.invoke")


def made_up_people() -> tuple[Person, ...]:
    """Make the usual people, each with a new password."""
    return (
        Person(name="ana", groups=("finance", "finance/analysts"), roles=("report-reader",), mfa=True),
        Person(name="ben", groups=("engineering",), roles=("deployer",)),
        Person(name="chidi", groups=("contractors", "finance"), mfa=True),
        Person(name="dalia", groups=("security",), roles=("admin", "officer"), mfa=True),
        Person(name="emi", groups=tuple(f"team-{number:03}" for number in range(250)), mfa=True),
        Person(name="femi"),
    )


def made_up_clients() -> tuple[Client, ...]:
    """Make the usual clients: a command line, a web application, and a program that acts for itself."""
    return (
        Client(
            id="cli",
            redirects=(LOOPBACK_REDIRECT,),
            grants=frozenset({"authorization_code", "refresh_token", DEVICE_CODE}),
            scopes=_HUMAN_SCOPES,
        ),
        Client(
            id="web",
            secret=fresh_secret(),
            redirects=("https://app.example/callback",),
            scopes=_HUMAN_SCOPES,
            after_sign_out=("https://app.example/bye",),
        ),
        Client(
            id="robot",
            secret=fresh_secret(),
            grants=frozenset({"client_credentials"}),
            scopes=("functions.invoke", "reports.read"),
            roles=("nightly-job",),
        ),
    )


def by_name(people: tuple[Person, ...]) -> MappingProxyType[str, Person]:
    """Let people be found by name."""
    return MappingProxyType({person.name: person for person in people})


def by_id(clients: tuple[Client, ...]) -> MappingProxyType[str, Client]:
    """Let clients be found by id."""
    return MappingProxyType({client.id: client for client in clients})
