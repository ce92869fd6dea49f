"""Made-up people, and rules out of plain dictionaries."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import msgspec
import pytest

from actas.decide.ruleset import RuleSet
from actas.model.decision import Question
from actas.model.facts import Known
from actas.model.identity import Identity, Kind
from actas.settings.schema import Settings

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday

FUNCTIONS = {
    "report": {"python": "report.py:handler"},
    "billing": {"python": "billing.py:handler"},
    "orders": {"http": "http://orders.internal", "routes": ["GET /orders/{id}", "DELETE /orders/{id}"]},
}
ROLES = {
    "reader": {"arn": "arn:aws:iam::111122223333:role/reader"},
    "writer": {"arn": "arn:aws:iam::111122223333:role/writer", "session": "5m"},
}


@pytest.fixture
def noon():
    return NOON


@pytest.fixture
def ana():
    return Identity(
        provider="corp",
        issuer="https://sso.example/realms/corp",
        subject="7f0c",
        kind=Known(Kind.HUMAN),
        expires_at=NOON + timedelta(hours=1),
        issued_at=NOON,
        evidence="bearer",
        evidence_id="0" * 16,
        groups=Known(frozenset({"finance", "/staff"})),
        roles=Known(frozenset({"clerk"})),
        scopes=Known(frozenset({"reports.read"})),
        client=Known("cli"),
        tenant=Known("corp"),
        mfa=Known(value=True),
        authenticated_at=Known(NOON - timedelta(minutes=10)),
    )


@pytest.fixture
def settings():
    def make(*rules, **more):
        data = {"functions": FUNCTIONS, "roles": ROLES, "rules": list(rules), **more}
        return msgspec.convert(data, Settings, dec_hook=lambda cls, text: cls.read(text))

    return make


@pytest.fixture
def ruleset(settings):
    return lambda *rules, **more: RuleSet(settings(*rules, **more))


@pytest.fixture
def ask(ana):
    def question(function="report", *, identity=ana, address="192.0.2.7", at=NOON, **more):
        known = Known(ip_address(address)) if isinstance(address, str) else address
        return Question(identity=identity, function=function, at=at, address=known, **more)

    return question


@pytest.fixture
def but(ana):
    return lambda **changes: replace(ana, **changes)
