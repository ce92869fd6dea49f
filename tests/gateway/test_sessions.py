"""A session instead of a token: the same way, in a house of real rooms; only the trail and the function listen."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from actas.assume.brokers.local import LocalBroker
from actas.assume.cache import SessionCache
from actas.assume.errors import RevocationsUnread, SessionExpired, SessionRevoked
from actas.assume.held import opened
from actas.assume.taking import Taker
from actas.decide.ruleset import RuleSet
from actas.errors import ActasError
from actas.gateway import Gateway, House
from actas.invoke.envelope import envelope
from actas.model.call import Call
from actas.model.evidence import BearerToken
from actas.model.facts import Known
from actas.model.identity import Actor, Identity, Kind
from actas.model.outcome import Answered, Refused
from actas.model.secret import Secret
from actas.model.wish import Wish
from actas.secrets.sealing import Sealing
from actas.settings.schema import Settings
from actas.store.person_key import PersonKey
from actas.store.watermarks import Watermarks

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
READER = "arn:aws:iam::111122223333:role/reader"
WRITER = "arn:aws:iam::111122223333:role/writer"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:{}:$LATEST"
RULES = [
    {
        "id": "may",
        "who": {"provider": "corp", "groups": ["finance"]},
        "may": ["report", "billing"],
        "as": ["reader", "writer"],
    },
    {"id": "other", "who": {"provider": "corp"}, "may": ["hello"], "as": "writer"},
]


class TooMany(ActasError):
    code, hint, status = "test.too-many-here", "Wait.", 429


@pytest.fixture
def anyio_backend():
    return "asyncio"


def identity():
    return Identity(
        provider="corp",
        issuer="https://sso.example",
        subject="ana-7f0c",
        kind=Known(Kind.HUMAN),
        expires_at=NOW + timedelta(hours=1),
        issued_at=NOW,
        evidence="bearer",
        evidence_id="of-a-test",
        groups=Known(frozenset({"finance"})),
        actors=(Actor(issuer="https://sso.example", subject="robot"),),
    )


class Around:
    """Who is known, who may come, what is kept, and the function: each writes down what it hears."""

    def __init__(self):
        self.records, self.deliveries, self.admitted, self.heard = [], [], [], []
        self.full = False

    def known(self, _token, _now):
        return None

    async def verify(self, _evidence, *, now):
        return identity()

    def admit(self, identity, *, now):
        if self.full:
            raise TooMany
        self.admitted.append((identity.issuer, identity.subject))

    async def of(self, issuer, subject):
        return f"p-{len(subject)}-{issuer[-4:]}"

    async def decided(self, record):
        self.heard.append("decided")
        self.records.append(record)

    def ended(self, record):
        self.records.append(record)

    def stranger(self, reason, _address):
        self.heard.append(reason)

    async def invoke(self, delivery):
        self.heard.append("invoke")
        self.deliveries.append(delivery)
        return Answered(payload=b"done")


@pytest.fixture
def around():
    return Around()


@pytest.fixture
def marks():
    made = Watermarks(PersonKey(bytes(32)), lambda: NOW)
    made.read_at = NOW
    return made


@pytest.fixture
def ring(tmp_path):
    made = Sealing(tmp_path / "sealing.json")
    made.rotate(NOW)
    return made


@pytest.fixture
def furnish(around, marks, ring):
    def make(rules=RULES):
        data = {
            "functions": {name: {"python": f"{name}.py:handler"} for name in ("report", "billing", "hello")},
            "roles": {"reader": {"arn": READER}, "writer": {"arn": WRITER}},
            "rules": rules,
        }
        settings = msgspec.convert(data, Settings, dec_hook=lambda cls, text: cls.read(text))
        broker = LocalBroker(ring, around, marks)
        return House(
            identify=around,
            decider=RuleSet(settings),
            admits=around,
            takes=SessionCache(most=10, most_per_subject=10),
            brokers={None: broker, "reader": broker, "writer": broker},
            backends=dict.fromkeys(("report", "billing", "hello"), around),
            audit=around,
            envelope=lambda call, grant, event, now: msgspec.json.encode(
                envelope(call, grant, event, issuer="https://actas.example", now=now)
            ).decode(),
            seals=Taker(ring, around, marks),
            marks=marks,
            issuer="https://actas.example",
        )

    return make


@pytest.fixture
def gateway(furnish):
    return Gateway(furnish(), lambda: NOW)


def call(function="report", **more):
    return Call(id="01M84C8NMY5F7PP43C6AAK7H8X", function=function, payload=b"{}", received_at=NOW, **more)


SHOWN = BearerToken(shown=Secret("a token"))


@pytest.fixture
async def held(gateway):
    async def take(role=READER, shown=SHOWN, **wish):
        action = "sts:AssumeRole" if shown is not SHOWN else "sts:AssumeRoleWithWebIdentity"
        found = await gateway.take_role(call("sts"), shown, Wish(role_arn=role, action=action, **wish))
        return found if isinstance(found, Refused) else found[1].held

    return take


async def test_a_session_goes_the_same_way_as_a_token(gateway, around, held):
    session = await held()
    around.records.clear()
    around.heard.clear()

    outcome = await gateway.serve_session(call(), session)

    assert outcome == Answered(payload=b"done")
    assert around.heard == ["decided", "invoke"]
    decided, ended = around.records
    assert (decided.evidence, decided.verdict, decided.role, decided.function) == (
        "session",
        "allow",
        "reader",
        "report",
    )
    assert (decided.subject, decided.actors) == (session.subject, session.actors)
    assert ended.outcome == "answered"


async def test_the_function_gets_a_session_that_inherits(gateway, around, held, ring):
    session = await held(lasts=timedelta(minutes=15))
    await gateway.serve_session(call(), session)
    work = around.deliveries[0].sessions.work
    child = opened(work.session_token.reveal(), ring.find, now=NOW)

    assert (child.subject, child.functions, child.marks, child.expires_at) == (
        session.subject, session.functions, session.marks, session.expires_at,
    )  # fmt: skip
    assert around.deliveries[0].token is None


async def test_a_child_calls_on_like_its_parent_and_no_further(gateway, around, held, ring):
    await gateway.serve_session(call(), await held())
    child = opened(around.deliveries[0].sessions.work.session_token.reveal(), ring.find, now=NOW)

    assert await gateway.serve_session(call("billing"), child) == Answered(payload=b"done")
    refused = await gateway.serve_session(call("hello"), child)
    assert isinstance(refused, Refused)
    assert isinstance(await held(WRITER, child), Refused)


async def test_equal_calls_by_one_session_share_what_their_function_gets(gateway, around, held):
    session, other = await held(), await held()
    for one in (session, session, other):
        await gateway.serve_session(call(), one)

    ids = [one.sessions.id for one in around.deliveries]
    assert ids[0] == ids[1] != ids[2]


async def test_the_function_is_told_a_pseudonym_and_who_knows_it(gateway, around, held):
    session = await held()
    await gateway.serve_session(call(), session)
    delivery = around.deliveries[0]
    told = json.loads(delivery.envelope(b"{}", NOW))

    assert (told["sub"], told["identity_issuer"], told["provider"]) == (
        session.subject,
        "https://actas.example",
        "corp",
    )
    assert told["missing"]["groups"] == "unknown"
    assert told["act"]["sub"] == session.actors[0]
    assert "ana-7f0c" not in json.dumps(told)


async def test_limits_count_by_the_pseudonym(gateway, around, held):
    session = await held()
    await gateway.serve_session(call(), session)

    assert around.admitted[-1] == ("https://actas.example", session.subject)
    around.full = True
    records = len(around.records)
    with pytest.raises(TooMany):
        await gateway.serve_session(call(), session)
    assert len(around.records) == records


async def test_what_was_revoked_or_has_ended_goes_no_way_at_all(gateway, around, held, marks):
    session = await held()
    records = len(around.records)
    for at, wrong in ((NOW + timedelta(seconds=6), RevocationsUnread), (NOW, None)):
        marks.read_at = at
        if wrong is None:
            assert await gateway.serve_session(call(), session)
        else:
            with pytest.raises(wrong):
                await gateway.serve_session(call(), session)
    marks._take(1, "*", None, int(NOW.timestamp() * 1_000_000))
    with pytest.raises(SessionRevoked):
        await gateway.serve_session(call(), session)
    with pytest.raises(SessionRevoked):
        await held(READER, session)
    with pytest.raises(SessionExpired):
        await gateway.serve_session(call(), msgspec.structs.replace(session, expires_at=NOW))
    assert len(around.records) == records + 2


async def test_a_session_stands_only_as_long_as_its_rule(gateway, furnish, held):
    session = await held()
    gateway.house = furnish([{**RULES[0], "when": {"mfa": True}}])
    refused = await gateway.serve_session(call(), session)

    assert [one.code for one in refused.decision.reasons] == ["no-rule-allows"]
    gateway.house = furnish([RULES[0]])
    assert isinstance(await gateway.serve_session(call(), session), Answered)


async def test_the_decision_is_kept_before_a_role_is_given(gateway, around, held):
    session = await held()
    decided, ended = around.records

    assert (decided.function, decided.verdict, decided.rules) == ("sts", "allow", ("may",))
    assert ended.outcome == "answered"
    assert session.root == decided.call


async def test_a_no_to_a_role_is_kept_too(gateway, around, held):
    refused = await held("arn:aws:iam::111122223333:role/nobody")

    assert isinstance(refused, Refused)
    assert [one.outcome for one in around.records if hasattr(one, "outcome")] == ["refused"]


async def test_more_than_the_role_gives_ends_as_a_failure(gateway, around):
    wish = Wish(role_arn=READER, action="sts:AssumeRoleWithWebIdentity", lasts=timedelta(hours=1))
    with pytest.raises(ActasError, match="900 s at most"):
        await gateway.take_role(call("sts"), SHOWN, wish)

    assert [(one.outcome, one.error) for one in around.records if hasattr(one, "outcome")] == [
        ("failed", "assume.lasts-too-long")
    ]
