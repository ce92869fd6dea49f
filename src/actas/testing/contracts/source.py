"""What every source of identity events must promise.

Inherit it, and say how to make your source and what its provider sends::

    class TestOkta(SourceContract):
        def source(self): ...
        def delivery(self): ...          # sources that are pushed to
        def forgeries(self): ...
        async def happen(self): ...      # sources that are asked
        def secrets(self): ...

What a source cannot do is not tried: a source that is only asked needs no deliveries.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from actas.errors import ActasError
from actas.events.interface import Compares, Health, Polls, Pushed, Receives, Reply, Source
from actas.events.normal import IdentityEvent

_MOST_POLLS = 20


class SourceContract:
    """The same event has the same id, nothing forged becomes one, and no secret is told."""

    @abstractmethod
    def source(self) -> Source:
        """Give the source under test; the same one each time within a test."""

    @abstractmethod
    def now(self) -> datetime:
        """Give the time at which the source's deliveries are good."""

    @abstractmethod
    def secrets(self) -> Sequence[str]:
        """Give what must be in no error, no health and no representation."""

    def delivery(self) -> Pushed:
        """Give an authentic request that tells at least one event; for sources that are pushed to."""
        raise NotImplementedError

    def forgeries(self) -> Mapping[str, Pushed]:
        """Give requests by what is wrong with them, each the authentic one but for that."""
        raise NotImplementedError

    async def happen(self) -> int:
        """Let something happen at the provider; tell how many events of it there are. For sources that are asked."""
        raise NotImplementedError

    @pytest.fixture
    def anyio_backend(self) -> str:
        """Run on asyncio, as the gateway does."""
        return "asyncio"

    async def _receive(self, pushed: Pushed) -> Reply:
        source = self.source()
        if not isinstance(source, Receives):
            pytest.skip("this source is not pushed to")
        return await source.receive(pushed, now=self.now())

    async def _told_by(self, pushed: Pushed) -> tuple[IdentityEvent, ...]:
        """Give what a request told that may be refused: by an error of status 4xx that tells no secret."""
        refusals: list[ActasError] = []
        try:
            return (await self._receive(pushed)).events
        except ActasError as refused:
            refusals.append(refused)
        assert 400 <= refusals[0].status < 500
        self._tells_no_secret(refusals[0])
        return ()

    def _can_receive(self) -> None:
        if not isinstance(self.source(), Receives):
            pytest.skip("this source is not pushed to")

    async def _poll(self, cursor: str | None) -> tuple[list[IdentityEvent], str | None]:
        source = self.source()
        if not isinstance(source, Polls):
            pytest.skip("this source is not asked")
        found: list[IdentityEvent] = []
        for _ in range(_MOST_POLLS):
            batch = await source.poll(cursor, now=self.now())
            found, cursor = found + list(batch.events), batch.cursor
            if not batch.more:
                return found, cursor
        raise AssertionError("the source says without end that there is more")

    def _belongs(self, events: Sequence[IdentityEvent]) -> None:
        source = self.source()
        assert {(one.source, one.provider) for one in events} <= {(source.name, source.provider)}
        assert all(one.happened_at.tzinfo is UTC and one.heard_at.tzinfo is UTC for one in events)

    @pytest.mark.anyio
    async def test_an_authentic_delivery_tells_its_events(self) -> None:
        """A control for everything that is refused below."""
        self._can_receive()
        reply = await self._receive(self.delivery())

        assert 200 <= reply.status < 300
        assert reply.events
        self._belongs(reply.events)

    @pytest.mark.anyio
    async def test_a_delivery_that_comes_again_tells_the_same_ids(self) -> None:
        """What repeats is known by its id, so it must have the same one."""
        self._can_receive()
        first, again = [await self._receive(self.delivery()) for _ in range(2)]

        assert [one.id for one in first.events] == [one.id for one in again.events]
        assert len({one.id for one in first.events}) == len(first.events)

    @pytest.mark.anyio
    async def test_what_is_not_authentic_tells_nothing(self) -> None:
        """Each forgery is the authentic delivery but for one thing."""
        self._can_receive()
        for what, forged in self.forgeries().items():
            assert await self._told_by(forged) == (), what

    @pytest.mark.anyio
    async def test_a_delivery_cut_short_tells_nothing(self) -> None:
        """Half an event is none."""
        self._can_receive()
        whole = self.delivery()
        for length in (0, len(whole.body) // 2, len(whole.body) - 1):
            assert await self._told_by(replace(whole, body=whole.body[:length])) == ()

    @pytest.mark.anyio
    async def test_what_happens_is_brought_and_brought_again_from_the_same_cursor(self) -> None:
        """A gateway that was killed before it kept the cursor asks from the old one."""
        source = self.source()
        if not isinstance(source, Polls):
            pytest.skip("this source is not asked")
        _, cursor = await self._poll(None)
        count = await self.happen()
        first, after = await self._poll(cursor)
        again, _ = await self._poll(cursor)

        assert len({one.id for one in first}) >= count > 0
        assert {one.id for one in first} <= {one.id for one in again}
        assert isinstance(after, str)
        self._belongs(first)

    @pytest.mark.anyio
    async def test_what_the_provider_lists_has_the_ids_that_are_brought(self) -> None:
        """The gap detector compares by id."""
        source = self.source()
        if not isinstance(source, Compares) or not isinstance(source, Polls):
            pytest.skip("this source cannot tell what its provider lists")
        began = self.now()
        _, cursor = await self._poll(None)
        await self.happen()
        brought, _ = await self._poll(cursor)
        since = min([began, *(one.happened_at for one in brought)])
        listed = [one async for one in source.compare(since, until=max(self.now(), *(e.happened_at for e in brought)))]

        assert {one.id for one in brought} <= {one.id for one in listed}

    def test_its_health_can_be_told_at_any_time_and_holds_no_secret(self) -> None:
        """Also before anything was heard."""
        health = self.source().health()

        assert isinstance(health, Health)
        self._tells_no_secret(health)
        self._tells_no_secret(self.source())

    @pytest.mark.anyio
    async def test_it_can_be_closed_twice(self) -> None:
        """Settings may be swapped while a gateway stops."""
        await self.source().close()
        await self.source().close()

    def _tells_no_secret(self, one: object) -> None:
        said = f"{one!r} {one}"
        assert not [secret for secret in self.secrets() if secret in said]
