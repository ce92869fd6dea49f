"""The testing provider: its people, clients, keys and faults, and the tokens it gives."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

from actas.model import clock
from actas.testing.errors import OAuthRefused, UnknownName
from actas.testing.idp import telling
from actas.testing.idp.facts import Claims, Facts, Shape, Use
from actas.testing.idp.faults import Faults
from actas.testing.idp.grants import Grant, Shelves
from actas.testing.idp.keys import KeyRing, encryption_key
from actas.testing.idp.mint import Wish, half_hash, mint
from actas.testing.idp.people import Client, Person, by_id, by_name, made_up_clients, made_up_people
from actas.testing.idp.shapes import SHAPES

UNSERVED = "https://idp.example"
"""The address of a provider that nobody started: enough to make tokens and key sets."""

T = TypeVar("T")


def _named(what: str, name: str, known: Mapping[str, T]) -> T:
    if name not in known:
        raise UnknownName(what=what, found=name, known=known)
    return known[name]


class Provider:
    """A provider without a listener; `Idp` adds one."""

    def __init__(
        self,
        *,
        shape: str = "oidc",
        people: Iterable[Person] | None = None,
        clients: Iterable[Client] | None = None,
        audience: str = "actas",
        algorithm: str = "RS256",
        lifetime: timedelta = timedelta(minutes=5),
        device_interval: timedelta = timedelta(seconds=5),
        clock: Callable[[], datetime] = clock.now,
        base_url: str | None = None,
    ) -> None:
        self.shape = self._shape(shape).name
        self.people = dict(by_name(tuple(made_up_people() if people is None else people)))
        self.clients = dict(by_id(tuple(made_up_clients() if clients is None else clients)))
        self.audience = audience
        self.audiences = {audience}
        """What clients may ask for by ``resource`` or ``audience``."""
        self.lifetime = lifetime
        self.device_interval = device_interval
        self.faults = Faults()
        self.keys = KeyRing.new(algorithm)
        self._encryption_key: Claims | None = None
        self.shelves = Shelves()
        self.listeners: list[Callable[[str], object]] = []
        """Who is told of each event, as a signed text."""
        self._clock = clock
        self._base_url = base_url

    @property
    def base_url(self) -> str:
        """The address of the server, without a slash at its end."""
        return self._base_url or UNSERVED

    @property
    def issuer(self) -> str:
        """The issuer in the provider's own shape."""
        return self.issuer_of(self.shape)

    def issuer_of(self, shape: str) -> str:
        """Give the issuer in a shape."""
        return self._shape(shape).issuer.format(base=self.base_of(shape))

    def base_of(self, shape: str) -> str:
        """Say below which address a shape stands: the provider's own at the root, each other in its own folder."""
        return self.base_url if shape == self.shape else f"{self.base_url}/{shape}"

    def now(self) -> datetime:
        """Tell the provider's time, which may be wrong on purpose."""
        return self._clock() + self.faults.skew

    def token(
        self,
        person: str | Person | None = None,
        client: str | Client = "cli",
        *,
        shape: str | None = None,
        use: Use | None = None,
        scopes: tuple[str, ...] | None = None,
        audience: str | tuple[str, ...] | None = None,
        lifetime: timedelta | None = None,
        issued_at: datetime | None = None,
        header: Mapping[str, Any] | None = None,
        drop: tuple[str, ...] = (),
        **claims: Any,
    ) -> str:
        """Make a token without any conversation: for *person*, or for the client itself where that is None.

        *claims* overrule what the shape writes, *drop* leaves claims out; a datetime becomes a number.
        """
        habits = self._shape(shape or self.shape)
        whose, program = self._person(person), self._client(client)
        facts = self._facts(
            habits,
            program,
            whose,
            scopes=program.scopes if scopes is None else scopes,
            audience=(audience,) if isinstance(audience, str) else (audience or (self.audience,)),
            now=issued_at or self.now(),
            lifetime=self.lifetime if lifetime is None else lifetime,
        )
        wish = Wish(claims=claims, drop=drop, header=header)
        return mint(facts, habits, use or habits.main, ring=self._ring(habits), faults=self.faults, wish=wish)

    def jwks(self, shape: str | None = None) -> Claims:
        """Give the key set as it is published, in a shape's habits."""
        habits = self._shape(shape or self.shape)
        ring = self._ring(habits)
        keys = (*ring.published, ring.identity) if habits.own_identity_key and ring.identity else ring.published
        published = [habits.published(key.to_json(), self.issuer_of(habits.name)) for key in keys]
        if habits.encryption_key:
            self._encryption_key = self._encryption_key or encryption_key()
            published.append(self._encryption_key)
        return {"keys": published}

    def rotate(self, *, keep: int = 2) -> None:
        """Sign by a new key from now on, and keep the *keep* newest old ones published."""
        self.keys = self.keys.rotated(late=self.faults.late_keys, keep=keep)

    def publish(self) -> None:
        """Publish a key that signs already but was late."""
        self.keys = self.keys.caught_up()

    def drop_old_keys(self) -> None:
        """Publish the signing key alone: what the others signed is no longer to be believed."""
        self.keys = self.keys.pruned()

    def for_person(self, grant: Grant, scopes: tuple[str, ...], now: datetime) -> dict[str, Any]:
        """Make the tokens of a person's grant."""
        facts = self.facts_of(grant, now, scopes)
        self._refuse_too_many_groups(grant.shape, facts)
        answer = self._answer(grant.shape, facts)
        if facts.person is not None:
            self._tell("signed-in", facts.person, sid=facts.session, client=grant.client.id)
        if "openid" in scopes:
            extra = Wish(claims={"at_hash": half_hash(answer["access_token"])})
            answer["id_token"] = mint(
                replace(facts, token_id=uuid4().hex),
                grant.shape,
                "id",
                ring=self._ring(grant.shape),
                faults=self.faults,
                wish=extra,
            )
        return answer

    def facts_of(self, grant: Grant, now: datetime, scopes: tuple[str, ...]) -> Facts:
        """Collect what the tokens of a grant say."""
        return self._facts(
            grant.shape,
            grant.client,
            self.people.get(grant.person.name, grant.person),
            scopes=scopes,
            audience=self._audience(grant.resource),
            now=now,
            lifetime=self.lifetime,
            authenticated=grant.authenticated,
            session=grant.session,
            nonce=grant.nonce,
        )

    def leave(self, person: str, group: str) -> None:
        """Take somebody out of a group, and tell it."""
        before = _named("person", person, self.people)
        _named("group", group, dict.fromkeys(before.groups))
        groups = tuple(one for one in before.groups if one != group)
        self.people[person] = replace(before, groups=groups)
        self._tell("group-left", before, groups=f"/{group}")

    def _tell(self, kind: str, person: Person, **more: str) -> None:
        for listener in self.listeners:
            listener(telling.event(kind, person, self.keys, self.now(), **more))

    def for_program(
        self, shape: Shape, client: Client, scopes: tuple[str, ...], resource: str | None, now: datetime
    ) -> dict[str, Any]:
        """Make the token that a client gets for itself."""
        audience = self._audience(resource)
        facts = self._facts(shape, client, None, scopes=scopes, audience=audience, now=now, lifetime=self.lifetime)
        return self._answer(shape, facts)

    def _answer(self, shape: Shape, facts: Facts) -> dict[str, Any]:
        token = (
            mint(facts, shape, "access", ring=self.keys, faults=self.faults) if shape.main == "access" else _opaque()
        )
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": int(self.lifetime.total_seconds()),
            "scope": facts.scope,
        }

    def _ring(self, shape: Shape) -> KeyRing:
        if shape.own_identity_key:
            self.keys = self.keys.with_identity()
        return self.keys

    def _facts(
        self,
        shape: Shape,
        client: Client,
        person: Person | None,
        *,
        scopes: tuple[str, ...],
        audience: tuple[str, ...],
        now: datetime,
        lifetime: timedelta,
        authenticated: datetime | None = None,
        session: str | None = None,
        nonce: str | None = None,
    ) -> Facts:
        return Facts(
            issuer=self.issuer_of(shape.name),
            audience=audience,
            client=client,
            person=person,
            scopes=scopes,
            issued=int(now.timestamp()),
            expires=int((now + lifetime).timestamp()),
            authenticated=int((authenticated or now).timestamp()),
            session=session or secrets.token_urlsafe(16),
            token_id=uuid4().hex,
            nonce=nonce,
        )

    def _refuse_too_many_groups(self, shape: Shape, facts: Facts) -> None:
        many = shape.most_groups is not None and len(facts.groups) > shape.most_groups
        if shape.too_many == "refuse" and (many or self.faults.overage):
            raise OAuthRefused(error="invalid_request", why="the person has more groups than a token may hold")

    def _audience(self, resource: str | None) -> tuple[str, ...]:
        if resource is None:
            return (self.audience,)
        if resource not in self.audiences:  # RFC 8707, section 2
            raise OAuthRefused(error="invalid_target", why="the resource is not known here")
        return (resource,)

    def _shape(self, name: str) -> Shape:
        return _named("shape", name, SHAPES)

    def _person(self, person: str | Person | None) -> Person | None:
        return _named("person", person, self.people) if isinstance(person, str) else person

    def _client(self, client: str | Client) -> Client:
        return _named("client", client, self.clients) if isinstance(client, str) else client


def _opaque() -> str:
    return f"opaque.{secrets.token_urlsafe(32)}"
