"""A cache never changes an answer: whatever happens, a cached front and one that forgets all say the same."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings as pace
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from actas import jose
from actas.identify import Identify, errors
from actas.identify.cache import Entry, Tokens
from actas.identify.flow import Answer
from actas.identify.generation import Edges, generation
from actas.identify.watermarks import MarksInMemory
from actas.model.evidence import BearerToken
from actas.model.secret import Secret
from actas.settings.schema import Claim, KeySource, LookupClient, Provider, SecretRef
from actas.settings.values import Span

START = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
ISSUER = "https://sso.example/realms/corp"


@cache
def key(number):
    return jose.Key.generate("ES256", kid=f"key-{number}")


@cache
def token(subject, signer, lasts, old, starts):
    at = int(START.timestamp()) - old
    claims = {
        "iss": ISSUER,
        "aud": "actas",
        "sub": subject,
        "sid": f"session-of-{subject}",
        "typ": "Bearer",
        "azp": "portal",
        "iat": at,
        "nbf": at + starts,
        "exp": at + lasts,
        "auth_time": at + starts,
    }
    return jose.sign(claims, key(signer), algorithm="ES256", header={"typ": "JWT"})


class World:
    """What both fronts look at: the provider's keys, its groups, the clock, and who was revoked."""

    def __init__(self):
        self.now, self.published, self.members, self.up = START, [0, 1], {}, True
        self.marks = MarksInMemory(read_at=START)

    def clock(self):
        return self.now

    async def fetch(self, wish):
        if not self.up:
            raise errors.Unreachable(host="sso.example", why="no connection")
        if wish.url.endswith("/certs"):
            body = {"keys": [key(number).to_json() for number in self.published]}
        elif wish.method == "POST":
            body = {"access_token": "x", "expires_in": 60}
        else:
            subject = wish.url.partition("/users/")[2].partition("/")[0]
            body = [{"path": path} for path in self.members.get(subject, ["/everybody"])]
        return Answer(status=200, body=json.dumps(body).encode())


def providers(audience, lookup, leeway):
    return {
        "corp": Provider(
            preset="keycloak",
            issuer=ISSUER,
            audience=audience,
            keys=KeySource(url="https://sso.example/certs"),
            groups=Claim(lookup="keycloak-admin") if lookup else None,
            lookup=LookupClient(id="x", secret=SecretRef(file="secret")) if lookup else None,
            leeway=Span.read(leeway),
            stale=Span.read("30m"),
            max_age=Span.read("20m"),
        )
    }


class Caching(RuleBasedStateMachine):
    """Two fronts over one world: one remembers, the other forgets all tokens before each question."""

    @initialize()
    def begin(self):
        self.world = World()
        self.settings = providers("actas", lookup=False, leeway="60s")
        base = Path(__file__).parent / "data"
        shape = {"base_dir": base, "fetch": self.world.fetch, "watermarks": self.world.marks, "clock": self.world.clock}
        self.remembers = Identify(self.settings, **shape)
        self.runner = asyncio.Runner()
        self.asked = {
            (subject, signer, 3600, old, 0) for subject in ("ana", "ben") for signer, old in ((0, 0), (1, 60))
        }

    @rule(
        subject=st.sampled_from(["ana", "ben"]),
        signer=st.integers(0, 2),
        lasts=st.sampled_from([30, 300, 3600]),
        old=st.sampled_from([0, 60, 1100]),
        starts=st.sampled_from([0, 90]),
    )
    def call(self, **shape):
        self.asked.add(tuple(shape[name] for name in ("subject", "signer", "lasts", "old", "starts")))

    @rule(seconds=st.sampled_from([-90, -1, 1, 29, 60, 61, 300, 1200]))
    def time_passes(self, seconds):
        self.world.now += timedelta(seconds=seconds)
        self.world.marks.read_at = self.world.now

    @rule(late=st.sampled_from([0, 4, 5, 6]))
    def revocations_are_read_late(self, late):
        self.world.marks.read_at = self.world.now - timedelta(seconds=late)

    @rule(keys=st.sets(st.integers(0, 2), min_size=1))
    def keys_change(self, keys):
        self.world.published = sorted(keys)
        self.runner.run(self.remembers.prefetch())

    @rule(up=st.booleans())
    def provider_goes_or_comes(self, up):
        self.world.up = up

    @rule(subject=st.sampled_from(["ana", "ben", None]), ago=st.sampled_from([0, 30, 1000]), session=st.booleans())
    def somebody_is_revoked(self, subject, ago, session):
        self.world.marks.mark(
            provider="corp",
            subject=subject,
            session="session-of-ana" if session else None,
            at=self.world.now - timedelta(seconds=ago),
        )

    @rule(groups=st.sets(st.sampled_from(["/a", "/b"])), subject=st.sampled_from(["ana", "ben"]))
    def groups_change(self, groups, subject):
        self.world.members[subject] = sorted(groups)
        for members in self.remembers._generation.members.values():
            self.runner.run(members.renew())

    @rule(audience=st.sampled_from(["actas", "other"]), lookup=st.booleans(), leeway=st.sampled_from(["0s", "60s"]))
    def settings_change(self, audience, lookup, leeway):
        self.settings = providers(audience, lookup=lookup, leeway=leeway)
        self.remembers.replace(self.settings)

    @invariant()
    def both_say_the_same(self):
        for shape in sorted(getattr(self, "asked", ())):
            text = token(*shape)
            remembered = self.remembers.known(text, self.world.now)
            assert remembered is None or remembered == self.anew(text), shape
            first, second = self.ask(text), self.anew(text)
            assert first == second, shape

    def teardown(self):
        if hasattr(self, "runner"):
            self.runner.close()

    def ask(self, text):
        async def verify():
            return await self.remembers.verify(BearerToken(shown=Secret(text)), now=self.world.now)

        try:
            return self.runner.run(verify())
        except errors.IdentifyError as wrong:
            return wrong.code

    def anew(self, text):
        """Ask a front that has forgotten its tokens; rings and groups are the same, they are no cache of tokens."""
        made = self.remembers._generation
        edges = Edges(fetch=self.world.fetch, clock=self.world.clock, base=Path(__file__).parent / "data")
        self.remembers._generation = generation(self.settings, edges, before=made)
        try:
            return self.ask(text)
        finally:
            self.remembers._generation = made


TestCaching = Caching.TestCase
TestCaching.settings = pace(max_examples=15, stateful_step_count=20, deadline=None)


def entry(**more):
    plain = {"identity": None, "since": START, "until": START, "ring": None, "ring_version": 0}
    return Entry(**(plain | {"members": None, "members_version": 0, "sequence": 0} | more))


def test_the_number_of_remembered_tokens_is_bounded():
    tokens = Tokens(10)

    for number in range(100):
        tokens.put(bytes([number]), entry())

    assert len(tokens) <= 10


def test_tokens_that_are_seen_stay_and_others_go():
    tokens = Tokens(10)
    tokens.put(b"often", entry())

    for number in range(100):
        tokens.put(bytes([number]), entry())
        assert tokens.find(b"often") is not None

    assert tokens.find(bytes([0])) is None


@pytest.mark.parametrize("text", ["", "a", "ü", "\ud800", "a.b.c", "a.b.c" * 100])
def test_a_text_that_was_never_verified_is_not_known(identify, clock, text):
    assert identify().known(text, clock()) is None
