"""Random bytes that are drawn for many calls at a time serve each call once."""

from actas.http.drawn import Random
from actas.model.ids import RANDOM


def test_no_two_calls_get_the_same_also_beyond_what_was_drawn_at_once():
    random = Random()

    taken = [random.take() for _ in range(1000)]

    assert len(set(taken)) == len(taken)
    assert {len(one) for one in taken} == {RANDOM}


def test_two_doors_share_nothing():
    one, other = Random(), Random()

    assert {one.take() for _ in range(256)}.isdisjoint({other.take() for _ in range(256)})
