"""Grants for made-up people, a ring on disk, pseudonyms that are no database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from actas.assume.brokers.local import LocalBroker
from actas.decide.ruleset import RuleSet
from actas.model.decision import Question
from actas.model.facts import Known
from actas.model.identity import Identity, Kind
from actas.secrets.sealing import Sealing
from actas.settings.schema import Settings
from actas.store.person_key import PersonKey
from actas.store.watermarks import Watermarks

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
RULES = (
    {"id": "may", "who": {"provider": "corp", "groups": ["finance"]}, "may": ["report"], "as": "reader"},
    {"id": "lent", "who": {"provider": "corp", "groups": ["board"]}, "may": ["billing"], "as": "reader"},
    {"id": "plain", "who": {"provider": "corp"}, "may": ["hello"]},
)


class Named:
    """Pseudonyms out of a dictionary."""

    async def of(self, issuer, subject):
        return f"p-{abs(hash((issuer, subject))) % 10**12:012}"


@pytest.fixture
def noon():
    return NOON


@pytest.fixture
def ana():
    return Identity(
        provider="corp",
        issuer="https://sso.example/realms/corp",
        subject="ana-7f0c",
        kind=Known(Kind.HUMAN),
        expires_at=NOON + timedelta(minutes=30),
        issued_at=NOON,
        evidence="bearer",
        evidence_id="0" * 16,
        groups=Known(frozenset({"finance"})),
        mfa=Known(value=True),
    )


@pytest.fixture
def but(ana):
    return lambda **changes: replace(ana, **changes)


@pytest.fixture
def grant(ana):
    def make(identity=ana, function="report", rules=RULES, session="15m"):
        data = {
            "functions": {name: {"python": f"{name}.py:handler"} for name in ("report", "billing", "hello")},
            "roles": {"reader": {"arn": "arn:aws:iam::111122223333:role/reader", "session": session}},
            "rules": list(rules),
        }
        settings = msgspec.convert(data, Settings, dec_hook=lambda cls, text: cls.read(text))
        return RuleSet(settings).decide(Question(identity=identity, function=function, at=NOON)).grant

    return make


@pytest.fixture
def ring(tmp_path):
    made = Sealing(tmp_path / "keys" / "sealing.json")
    made.rotate(NOON)
    return made


@pytest.fixture
def marks():
    return Watermarks(PersonKey(bytes(32)), lambda: NOON)


@pytest.fixture
def broker(ring, marks):
    return LocalBroker(ring, Named(), marks)


@pytest.fixture
def anyio_backend():
    return "asyncio"
