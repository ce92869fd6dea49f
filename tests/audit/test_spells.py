"""A while without a trail is told once, whole, and only if it left something to tell."""

from datetime import UTC, datetime

from actas.audit import records
from actas.audit.records import Reloaded
from actas.audit.spells import Spell

AT = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


def test_a_while_that_left_nothing_has_no_gap():
    assert Spell(AT, "audit.disk-full").gap(AT, 0) is None


def test_a_gap_says_since_when_and_why_and_what_came_late():
    gap = Spell(AT, "audit.disk-full").gap(AT, 3)

    assert (gap.since, gap.because, gap.late, gap.lost, gap.calls) == (AT, "audit.disk-full", 3, 0, ())


def test_what_was_told_is_not_told_again(ended):
    spell = Spell(AT, "audit.disk-full")
    spell.lose(ended(1))
    gap = spell.gap(AT, 0)
    spell.lose(ended(2))

    spell.told(gap)

    assert spell.gap(AT, 0).calls == (ended(2).call,)
    assert spell.lost == 1


def test_what_is_no_call_is_counted_without_a_name():
    spell = Spell(AT, "audit.disk-full")
    spell.lose(Reloaded(at=AT, generation="g"))

    gap = spell.gap(AT, 0)

    assert (gap.lost, gap.calls) == (1, ())


def test_no_more_calls_are_named_than_a_reader_can_bear(ended):
    spell = Spell(AT, "audit.disk-full")
    for number in range(records.NAMED_CALLS + 3):
        spell.lose(ended(number))

    gap = spell.gap(AT, 0)

    assert (gap.lost, len(gap.calls)) == (records.NAMED_CALLS + 3, records.NAMED_CALLS)
