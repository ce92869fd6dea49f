"""Whether a grant still stands, by the watermarks of everybody who has a part in it."""

from datetime import UTC, datetime, timedelta

import pytest

from actas import store
from actas.model.decision import Grant
from actas.model.facts import Known
from actas.model.identity import Actor, Identity, Kind
from actas.store.person_key import PersonKey
from actas.store.watermarks import Watermarks
from actas.wiring.over import is_over

pytestmark = pytest.mark.anyio
AT = datetime(2026, 3, 14, 12, tzinfo=UTC)
ISSUER = "https://sso.example/realms/corp"


def granted(*actors, issued_at=AT):
    ana = Identity(
        provider="corp", issuer=ISSUER, subject="ana", kind=Known(Kind.HUMAN), expires_at=AT + timedelta(hours=1),
        issued_at=issued_at, evidence="bearer", evidence_id="0" * 16, actors=actors,
    )  # fmt: skip
    return Grant(
        identity=ana, role=None, function="report", function_arn="", qualifier="$LATEST", rules=(), facts=(), fence=(),
        expires_at=AT + timedelta(hours=1), generation="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("whose", "over"),
    [("ana", True), ("agent-7", True), ("agent-8", False), ("ben", False), (None, True)],
    ids=["the caller", "who acts", "an actor of another issuer", "somebody else", "the whole provider"],
)
async def test_a_grant_is_over_with_the_caller_and_with_whoever_acts(tmp_path, whose, over):
    marks = Watermarks(PersonKey(bytes(32)), lambda: AT)
    one = await store.open(tmp_path)
    try:
        await marks.append(one, provider="corp", at=AT, reason="user-disabled", subject=whose)
    finally:
        await one.close()

    acting = Actor(issuer=ISSUER, subject="agent-7"), Actor(issuer="https://other.example", subject="agent-8")
    assert is_over(marks, granted(*acting), None) is over
    assert not is_over(marks, granted(*acting, issued_at=AT + timedelta(microseconds=1)), None)
