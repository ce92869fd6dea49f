"""What every credential broker promises, as tests to inherit.

::

    class TestMine(BrokerContract):
        now = datetime(2026, 11, 23, 12, tzinfo=UTC)

        def broker(self): ...
        def grant(self, **more): ...  # a grant for a role, by default; function="hello" gives one without a role
"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from actas.assume.errors import AssumeError
from actas.assume.interface import Broker
from actas.model.decision import Grant


@pytest.mark.anyio
class BrokerContract:
    """Right role, never outlives the grant, no secret shown."""

    now: datetime

    def broker(self) -> Broker:
        """Give the broker to be tried."""
        raise NotImplementedError

    def grant(self, **more: Any) -> Grant:
        """Give a grant."""
        raise NotImplementedError

    async def test_the_sessions_are_for_the_granted_role(self) -> None:
        """No other role ever."""
        grant = self.grant()
        sessions = await self.broker().issue(grant, now=self.now)

        assert grant.role is not None
        assert sessions.invoke is not None
        assert sessions.work is not None
        assert {sessions.invoke.role_arn, sessions.work.role_arn} == {grant.role.arn}
        assert (sessions.invoke.purpose, sessions.work.purpose) == ("invoke", "work")

    async def test_they_do_not_outlive_the_grant_the_role_or_an_hour(self) -> None:
        """Whichever is first."""
        grant = self.grant()
        sessions = await self.broker().issue(grant, now=self.now)

        assert grant.role is not None
        latest = min(grant.expires_at, self.now + grant.role.session, self.now + timedelta(hours=1))
        for session in (sessions.invoke, sessions.work):
            assert session is not None
            assert self.now < session.expires_at <= latest

    async def test_two_sessions_never_share_credentials(self) -> None:
        """Neither of one grant, nor of two makings."""
        broker, grant = self.broker(), self.grant()
        made = [await broker.issue(grant, now=self.now) for _ in range(2)]
        keys = [one.access_key_id for sessions in made for one in (sessions.invoke, sessions.work) if one]

        assert len(set(keys)) == 4

    async def test_no_secret_is_shown(self) -> None:
        """Not by repr, not by str."""
        sessions = await self.broker().issue(self.grant(), now=self.now)

        assert sessions.work is not None
        assert sessions.work.secret_access_key.reveal() not in repr(sessions.work)
        assert sessions.work.session_token.reveal() not in repr(sessions.work)

    async def test_evidence_that_has_ended_is_refused(self) -> None:
        """By an error of the room, never by None."""
        grant = self.grant()

        with pytest.raises(AssumeError):
            await self.broker().issue(grant, now=grant.expires_at)

    async def test_its_shape_is_a_text_without_a_secret(self) -> None:
        """What is remembered is told apart by it."""
        broker = self.broker()
        sessions = await broker.issue(self.grant(), now=self.now)

        assert broker.shape
        assert sessions.work is not None
        assert sessions.work.secret_access_key.reveal() not in broker.shape
        assert broker.shows_evidence in {True, False}
