"""Evidence in, a believed identity out: the room's front.

An edge. `known` answers for a token that was verified before, without waiting for anything; `verify` answers for
every token. Settings may be replaced while calls are in flight: a call goes on with what it began with.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio

from actas import jose
from actas.identify import explain as steps
from actas.identify.believe import Shown, believe, own_subject
from actas.identify.cache import ALWAYS_GOOD, Entry
from actas.identify.errors import IdentifyError, MalformedToken, RevocationsUnread, Revoked, UnknownKey
from actas.identify.fetch import Fetcher
from actas.identify.flow import Fetch
from actas.identify.generation import Edges, Generation, generation
from actas.identify.keyring import Ring
from actas.identify.members import LookupState, Membership
from actas.identify.own import Own, OwnKeys
from actas.identify.profile import Issuer
from actas.identify.registry import named_by
from actas.identify.renewing import Clock, RingState
from actas.identify.saml_edges import SamlEdges
from actas.identify.saml_errors import NoSamlProvider, SignInOver
from actas.identify.spans import span
from actas.identify.translate import translated
from actas.identify.watermarks import ALWAYS, UNREAD_AFTER, MarksInMemory, Watermarks, is_revoked
from actas.model import clock as wall
from actas.model.evidence import Evidence, SamlResponse
from actas.model.facts import Known
from actas.model.identity import Identity
from actas.settings.schema import Provider

if TYPE_CHECKING:  # what reads XML is not loaded where no provider speaks SAML
    from actas.identify.saml_verifier import Believed, SamlProviders

_TICK: Final = 1.0
_MEMBERS_EVERY: Final = 10.0


class Identify:
    """Turns bearer tokens into identities, by the providers of the settings."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        *,
        base_dir: Path,
        fetch: Fetch | None = None,
        watermarks: Watermarks | None = None,
        clock: Clock = wall.now,
        saml: SamlEdges | None = None,
        own: OwnKeys | None = None,
    ) -> None:
        fetcher = Fetcher(base=base_dir) if fetch is None else fetch
        self._edges = Edges(fetch=fetcher, clock=clock, base=base_dir, saml=saml)
        self.own = None if own is None else Own(own)  # None: no tokens of our own are taken
        self._marks: Watermarks = MarksInMemory() if watermarks is None else watermarks
        self._read_at, self._sees_until = ALWAYS, _sees_until(ALWAYS)
        self._changed = anyio.Event()
        self._generation = generation(providers, self._edges, before=None)

    def replace(self, providers: Mapping[str, Provider]) -> None:
        """Go over to other settings, or raise and keep the old; keys of providers that stay the same are kept."""
        self._generation = generation(providers, self._edges, before=self._generation)
        self._changed.set()

    def known(self, token: str, now: datetime) -> Identity | None:
        """Give the identity of a token that was verified before and still holds; None says nothing about it."""
        # Measured, so in one piece: bench/bench_identify.py.
        digest = _digest(token)
        tokens = self._generation.tokens
        entry = tokens.young.get(digest) or tokens.find(digest)
        if entry is None or not entry.holds(now):
            return None
        marks = self._marks
        if marks.read_at is not self._read_at:  # a look at the clock of each reading, not of each call
            self._read_at, self._sees_until = marks.read_at, _sees_until(marks.read_at)
        if now > self._sees_until:
            return None
        if entry.sequence != (sequence := marks.sequence):
            if is_revoked(entry.identity, marks):
                return None
            entry.sequence = sequence
        if entry.members is not None:
            entry.members.seen = True
        return entry.identity

    async def verify(self, evidence: Evidence, *, now: datetime) -> Identity:
        """Believe the caller, or raise an `IdentifyError`."""
        if isinstance(evidence, SamlResponse):
            return (await self.signed_in(evidence, now=now)).identity
        token = evidence.shown.reveal()
        if (identity := self.known(token, now)) is not None:
            return identity
        await self._marks.caught_up(now)
        named = named_by(token)
        if self.own is not None and named == self.own.issuer:
            return self._of_ours(self.own, token, now)
        made = self._generation
        self._can_see_revocations(now)
        issuer = made.registry.find(named)
        ring = made.rings[issuer.source]
        claims, version = await self._claims(token, issuer, ring, now)
        digest = _digest(token)
        identity, membership = await self._identity(digest, claims, issuer, made, now)
        sequence = self._marks.sequence
        if is_revoked(identity, self._marks):
            raise Revoked(provider=identity.provider)
        since, until = span(claims, issuer, now)
        entry = Entry(
            identity=identity,
            since=since,
            until=until,
            ring=ring,
            ring_version=version,
            members=membership,
            members_version=0 if membership is None else membership.version,
            sequence=sequence,
        )
        made.tokens.put(digest, entry)
        return identity

    @property
    def saml(self) -> "SamlProviders":
        """The providers that speak SAML; raises `NoSamlProvider` where there is none."""
        if self._generation.saml is None:
            raise NoSamlProvider(wanted="at all", known=())
        return self._generation.saml

    async def signed_in(self, evidence: SamlResponse, *, now: datetime) -> "Believed":
        """Believe and use up an assertion, or raise an `IdentifyError`."""
        providers = self.saml
        believed = await providers.look(evidence, now=now)
        await self._marks.caught_up(now)
        self.stands(believed.identity, believed.profile.digest, now=now)
        await providers.take(believed)
        return believed

    def stands(self, identity: Identity, profile: str, *, now: datetime) -> None:
        """Raise unless what rests on an assertion still counts: nothing revoked, its provider's settings the same."""
        self._can_see_revocations(now)
        if self.saml.profile(identity.provider).digest != profile:
            raise SignInOver(why="the settings of its provider were changed")
        if is_revoked(identity, self._marks):
            raise Revoked(provider=identity.provider)

    def _of_ours(self, own: Own, token: str, now: datetime) -> Identity:
        made, sequence = self._generation, self._marks.sequence
        identity, profile = own.read(token, now=now)
        self.stands(identity, profile, now=now)
        entry = Entry(
            identity=identity,
            since=now,
            until=identity.expires_at,
            ring=ALWAYS_GOOD,
            ring_version=0,
            sequence=sequence,
        )
        made.tokens.put(_digest(token), entry)
        return identity

    async def explain(self, token: str, *, now: datetime) -> steps.Explanation:
        """Tell each step from *token* to an identity, up to the first that fails."""
        told: list[steps.Step] = []
        made, at = self._generation, "provider"
        try:
            issuer = made.registry.choose(token)
            told.append(steps.provider_step(issuer))
            at, ring = "signature", made.rings[issuer.source]
            claims, _ = await self._claims(token, issuer, ring, now)
            told.append(steps.signature_step(issuer, ring.state(now=now).keys))
            at = "claims"
            identity, membership = await self._identity(_digest(token), claims, issuer, made, now)
            told += steps.fact_steps(identity, claims, issuer.profile, looked_up=membership is not None)
            at = "revocation"
            self._can_see_revocations(now)
            if is_revoked(identity, self._marks):
                raise Revoked(provider=identity.provider)
        except IdentifyError as wrong:
            return steps.Explanation(steps=(*told, steps.refusal(at, wrong)), identity=None)
        told.append(steps.Step(name="revocation", code="ok", sentence="nothing was revoked since the token was issued"))
        return steps.Explanation(steps=tuple(told), identity=identity)

    def suppose(self, claims: Mapping[str, Any], *, now: datetime) -> Identity:
        """Read *claims* as if their signature held: for ``--claims FILE``, never for a call. Nobody is asked."""
        if "provider" in claims:  # SAML has no claims that name their issuer so
            return self.saml.suppose(claims, now=now)
        issuer = self._generation.registry.issuers.get(str(claims.get("iss")))
        if issuer is None:
            raise MalformedToken(why="the claims name no issuer of the settings")
        shown = Shown(header={"typ": next(iter(issuer.profile.typ), "")}, digest=bytes(32))
        return believe(claims, shown, issuer, now=now)

    async def prefetch(self) -> None:
        """Fetch every provider's keys once, all at a time; what fails is in `state` and is tried again by `run`."""
        async with anyio.create_task_group() as tasks:
            for ring in self._generation.every_ring:
                tasks.start_soon(ring.renew)

    async def run(self) -> None:
        """Renew keys and groups before they are needed, until cancelled."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._renew_members)
            while True:
                self._changed = anyio.Event()
                for ring in self._generation.due(now := self._edges.clock()):
                    tasks.start_soon(ring.renew)
                self._generation.announce(now)
                with anyio.move_on_after(_TICK):
                    await self._changed.wait()

    def certificate_days_left(self) -> float | None:
        """Give the days until some SAML provider's last certificate ends, to be watched."""
        return self._generation.certificate_days_left(self._edges.clock())

    def state(self) -> tuple[RingState, ...]:
        """Tell how each provider's keys fare, for ``/readyz``."""
        now = self._edges.clock()
        return tuple(ring.state(now=now) for ring in self._generation.every_ring)

    def lookup_state(self) -> tuple[LookupState, ...]:
        """Tell how the look-ups of groups fare."""
        members = self._generation.members
        return tuple(LookupState(provider=asked.provider, error=one.error) for asked, one in members.items())

    async def _renew_members(self) -> None:
        while True:
            await anyio.sleep(_MEMBERS_EVERY)
            for members in self._generation.members.values():
                await members.renew()

    def _can_see_revocations(self, now: datetime) -> None:
        read_at = self._marks.read_at
        if now > _sees_until(read_at):  # design.md, 8.5
            raise RevocationsUnread(read_at=read_at, now=now)

    async def _claims(self, token: str, issuer: Issuer, ring: Ring, now: datetime) -> tuple[jose.Claims, int]:
        """Verify the signature and the times; ask for a key that is not known, once."""
        asked = False
        while True:
            keys, version = await ring.key_set(issuer, now=now), ring.version
            try:
                return _verify(token, keys, issuer, now), version
            except jose.UnknownKey as unknown:
                if asked or not await ring.look_again(seen=version, now=now):
                    raise UnknownKey(provider=issuer.profile.name, known=len(keys.keys)) from unknown
                asked = True
            except jose.JoseError as wrong:
                raise translated(wrong) from wrong

    async def _identity(
        self, digest: bytes, claims: jose.Claims, issuer: Issuer, made: Generation, now: datetime
    ) -> tuple[Identity, Membership | None]:
        """Make the identity, with groups that were looked up where the token cannot carry them."""
        identity = believe(claims, Shown(header=claims.header, digest=digest), issuer, now=now)
        members = made.members_of(issuer)
        if members is None or (isinstance(identity.groups, Known) and not identity.groups.by_absence):
            return identity, None
        lookup = replace(identity, provider_session=None)
        membership = await members.of(
            own_subject(claims, issuer.profile),
            now=now,
            ended=lambda asked_at: is_revoked(replace(lookup, issued_at=asked_at), self._marks),
        )
        return replace(identity, groups=membership.fact), membership


def _digest(token: str) -> bytes:
    try:
        return sha256(token.encode()).digest()
    except UnicodeEncodeError:
        return b""  # half a character: no token was ever verified that has one


def _sees_until(read_at: datetime) -> datetime:
    return ALWAYS if read_at == ALWAYS else read_at + UNREAD_AFTER


def _verify(token: str, keys: jose.KeySet, issuer: Issuer, now: datetime) -> jose.Claims:
    profile = issuer.profile
    return jose.verify_jwt(
        token,
        keys,
        issuer=issuer.iss,
        # Where a provider writes no audience, the client stands for it, and `accept` looks at an aud that is there.
        audience=jose.UNCHECKED if profile.by_client else profile.audience,
        client_id=profile.clients if profile.by_client else None,
        now=now,
        algorithms=profile.algorithms,
        leeway=profile.leeway,
        max_age=profile.max_age,
    )
