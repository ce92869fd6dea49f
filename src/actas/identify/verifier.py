"""Evidence in, a believed identity out: the room's front.

An edge. `known` answers for a token that was verified before, without waiting for anything; `verify` answers for
every token. Settings may be replaced while calls are in flight: a call goes on with what it began with.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

import anyio

from actas import jose
from actas.identify.believe import Shown, believe
from actas.identify.cache import Entry, Tokens
from actas.identify.errors import RevocationsUnread, Revoked, UnknownKey
from actas.identify.fetch import Fetcher
from actas.identify.flow import Fetch
from actas.identify.keyring import Clock, Ring, RingState
from actas.identify.profile import Issuer, Source
from actas.identify.registry import Registry
from actas.identify.translate import translated
from actas.identify.watermarks import UNREAD_AFTER, MarksInMemory, Watermarks
from actas.model import clock as wall
from actas.model.evidence import BearerToken
from actas.model.identity import Identity
from actas.settings.schema import Provider

_IDLE: Final = 60.0


@dataclass(slots=True, kw_only=True)
class _Generation:
    """One set of settings: its issuers, the rings they use, and what was verified under them."""

    registry: Registry
    rings: Mapping[Source, Ring]
    tokens: Tokens = field(default_factory=Tokens)


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
    ) -> None:
        self._base, self._clock = base_dir, clock
        self._fetch = Fetcher(base=base_dir) if fetch is None else fetch
        self._marks: Watermarks = MarksInMemory() if watermarks is None else watermarks
        self._changed = anyio.Event()
        self._generation = self._made(providers, {})

    def replace(self, providers: Mapping[str, Provider]) -> None:
        """Go over to other settings, or raise and keep the old; keys of providers that stay the same are kept."""
        self._generation = self._made(providers, self._generation.rings)
        self._changed.set()

    def known(self, token: str, now: datetime) -> Identity | None:
        """Give the identity of a token that was verified before and still holds; None says nothing about it."""
        generation = self._generation
        entry = generation.tokens.find(sha256(token.encode("utf-8", "surrogatepass")).digest())
        if entry is None or not entry.holds(now.timestamp()):
            return None
        marks = self._marks
        if now - marks.read_at > UNREAD_AFTER:
            return None
        if entry.sequence != marks.sequence:
            sequence = marks.sequence
            if _is_revoked(entry.identity, marks):
                return None
            entry.sequence = sequence
        return entry.identity

    async def verify(self, evidence: BearerToken, *, now: datetime) -> Identity:
        """Believe the caller, or raise an `IdentifyError`."""
        token = evidence.shown.reveal()
        if (identity := self.known(token, now)) is not None:
            return identity
        return await self._verified(token, self._generation, now)

    async def prefetch(self) -> None:
        """Fetch every provider's keys once, all at a time; what fails is in `state` and is tried again by `run`."""
        async with anyio.create_task_group() as tasks:
            for ring in self._generation.rings.values():
                tasks.start_soon(ring.renew)

    async def run(self) -> None:
        """Renew keys before they are needed, until cancelled."""
        async with anyio.create_task_group() as tasks:
            while True:
                now = self._clock()
                rings = [ring for ring in self._generation.rings.values() if ring.due is not None]
                for ring in rings:
                    if ring.due is not None and ring.due <= now and not ring.is_renewing:
                        tasks.start_soon(ring.renew)
                waits = [(ring.due - now).total_seconds() for ring in rings if ring.due is not None and ring.due > now]
                self._changed = anyio.Event()
                with anyio.move_on_after(min([_IDLE, *waits]) if waits else 1.0):
                    await self._changed.wait()

    def state(self) -> tuple[RingState, ...]:
        """Tell how each provider's keys fare, for ``/readyz``."""
        now = self._clock()
        return tuple(ring.state(now=now) for ring in self._generation.rings.values())

    async def _verified(self, token: str, generation: _Generation, now: datetime) -> Identity:
        if now - self._marks.read_at > UNREAD_AFTER:
            raise RevocationsUnread(read_at=self._marks.read_at, now=now)
        issuer = generation.registry.choose(token)
        ring = generation.rings[issuer.source]
        claims, version = await self._claims(token, issuer, ring, now)
        digest = sha256(token.encode()).digest()
        identity = believe(claims, Shown(header=claims.header, digest=digest), issuer, now=now)
        sequence = self._marks.sequence
        if _is_revoked(identity, self._marks):
            raise Revoked(provider=identity.provider)
        since, until = _span(claims, issuer, now)
        entry = Entry(
            identity=identity,
            since=since,
            until=until,
            ring=ring,
            ring_version=version,
            members=None,
            members_version=0,
            sequence=sequence,
        )
        generation.tokens.put(digest, entry)
        return identity

    async def _claims(self, token: str, issuer: Issuer, ring: Ring, now: datetime) -> tuple[jose.Claims, int]:
        """Verify the signature and the times; ask for a key that is not known, once."""
        keys = await ring.key_set(issuer, now=now)
        version = ring.version
        try:
            return _verify(token, keys, issuer, now), version
        except jose.UnknownKey as unknown:
            if await ring.look_again(unknown.kid or "", seen=version, now=now):
                keys, version = await ring.key_set(issuer, now=now), ring.version
                try:
                    return _verify(token, keys, issuer, now), version
                except jose.UnknownKey:
                    pass
                except jose.JoseError as wrong:
                    raise translated(wrong) from wrong
            raise UnknownKey(provider=issuer.profile.name, known=len(keys.keys)) from unknown
        except jose.JoseError as wrong:
            raise translated(wrong) from wrong

    def _made(self, providers: Mapping[str, Provider], kept: Mapping[Source, Ring]) -> _Generation:
        registry = Registry.of(providers)
        sources = dict.fromkeys(issuer.source for issuer in registry.issuers.values())
        rings = {source: kept.get(source) or self._ring(source) for source in sources}
        return _Generation(registry=registry, rings=rings)

    def _ring(self, source: Source) -> Ring:
        return Ring(source, fetch=self._fetch, base=self._base, clock=self._clock)


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


def _is_revoked(identity: Identity, marks: Watermarks) -> bool:
    return marks.refuses(
        provider=identity.provider,
        subject=identity.subject,
        session=identity.provider_session,
        issued_at=identity.issued_at,
    )


def _span(claims: jose.Claims, issuer: Issuer, now: datetime) -> tuple[float, float]:
    """Give the instants between which the answer is the same, computed exactly as where the times are checked."""
    profile = issuer.profile
    leeway = profile.leeway.total_seconds()
    starts = [claims[name] - leeway for name in ("nbf", "iat") if name in claims]
    ends = [claims["exp"] + leeway]
    if profile.max_age is not None:
        ends.append(claims["iat"] + profile.max_age.total_seconds() + leeway)
    if type(signed_in := claims.get("auth_time")) in (int, float):  # from then on it is known, before it is not
        (starts if now.timestamp() >= signed_in - leeway else ends).append(signed_in - leeway)
    return max(starts, default=0.0), min(ends)
