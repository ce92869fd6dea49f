"""What every audit sink must promise.

Inherit it, and say how to make, read, change, break and mend your sink::

    class TestJsonl(SinkContract):
        def sink(self): ...
        def read_back(self): ...
        def holds(self): ...
        def change_something(self): ...
        def break_it(self): ...
        def mend_it(self): ...
"""

from abc import abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from actas.audit.errors import AuditError
from actas.audit.interface import Sink
from actas.audit.records import Entry
from actas.model.record import Decided, Ended

_AT = datetime(2026, 3, 14, 9, 26, 53, 589793, tzinfo=UTC)


def call(number: int) -> tuple[Decided, Ended]:
    """Make the two records of a call."""
    at = _AT + timedelta(microseconds=number)
    decided = Decided(
        call=f"{number:026d}",
        at=at,
        received_at=_AT,
        identified_us=3,
        decided_us=number,
        door="http",
        provider="corp",
        subject="p" + "b" * 26,
        actors=("p" + "c" * 26,),
        kind="agent",
        evidence="bearer",
        evidence_id="e" * 43,
        function="orders",
        qualifier="$LATEST",
        route="GET /orders/{id}",
        verdict="allow",
        role="reader",
        rules=("agents-read-orders", "Überprüft-\U0001f512"),
        reasons=("group-member",),
        generation="g" * 16,
        trace="0af7651916cd43dd8448eb211c80319c",
        root=f"{number - 1:026d}",
        depth=1,
    )
    return decided, Ended(call=decided.call, at=at, outcome="failed", error="invoke.took-too-long", took_us=1)


class SinkContract:
    """Order, read back, and a refusal that is an `AuditError`."""

    @abstractmethod
    def sink(self) -> Sink:
        """Give the sink under test, open; the same one each time within a test."""

    @abstractmethod
    def read_back(self) -> Sequence[Entry]:
        """Give every record of a call that the sink holds, in its order."""

    @abstractmethod
    def holds(self) -> bool:
        """Tell whether what the sink holds is proved unchanged."""

    @abstractmethod
    def change_something(self) -> None:
        """Change one record that the sink holds, behind its back."""

    @abstractmethod
    def break_it(self) -> None:
        """Make the sink unable to keep anything."""

    @abstractmethod
    def mend_it(self) -> None:
        """Undo `break_it`."""

    def test_what_was_written_is_read_back_in_the_order_given(self) -> None:
        """Keep two batches; find all of both, as they were given."""
        first, second = (*call(1), *call(2)), call(3)

        self.sink().write(first)
        self.sink().write(second)

        assert tuple(self.read_back()) == (*first, *second)

    def test_what_was_written_is_proved_unchanged(self) -> None:
        """Keep a call; the proof holds."""
        self.sink().write(call(1))

        assert self.holds()

    def test_a_change_behind_its_back_is_seen(self) -> None:
        """Keep two calls, change one; the proof fails."""
        self.sink().write((*call(1), *call(2)))

        self.change_something()

        assert not self.holds()

    def test_an_empty_batch_leaves_nothing(self) -> None:
        """Keep nothing; find nothing."""
        self.sink().write(())

        assert tuple(self.read_back()) == ()

    def test_not_being_able_to_keep_a_record_is_an_audit_error(self) -> None:
        """Break it: a write raises `AuditError`, and so does the next."""
        sink = self.sink()
        self.break_it()

        for number in (1, 2):
            with pytest.raises(AuditError):
                sink.write(call(number))
        self.mend_it()

        assert tuple(self.read_back()) == ()

    def test_it_keeps_again_when_it_can(self) -> None:
        """Break and mend it: what was refused is not there, what comes after is, and the proof holds."""
        sink = self.sink()
        sink.write(call(1))
        self.break_it()
        with pytest.raises(AuditError):
            sink.write(call(2))
        self.mend_it()

        sink.write(call(3))

        assert tuple(self.read_back()) == (*call(1), *call(3))
        assert self.holds()
