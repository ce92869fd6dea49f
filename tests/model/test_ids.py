"""A call's name tells when it came, in order, and nothing that could be guessed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.model.ids import RANDOM, call_id

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ANY_TIME = st.datetimes(datetime(1970, 1, 2), datetime(5000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
BYTES = st.binary(min_size=RANDOM, max_size=RANDOM)


def read(text):
    number = 0
    for character in text:
        number = number * 32 + ALPHABET.index(character)
    return number


@pytest.mark.parametrize(
    ("milliseconds", "wanted"),
    [(0, "0000000000"), (1, "0000000001"), (32, "0000000010"), (2**47 - 1, "3ZZZZZZZZZ")],
    ids=["the beginning of 1970", "a millisecond later", "32 milliseconds later", "as far as 47 bits go"],
)
def test_the_first_ten_characters_are_the_millisecond(milliseconds, wanted):
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)

    assert call_id(now, bytes(RANDOM))[:10] == wanted


@given(now=ANY_TIME, random=BYTES)
def test_a_name_is_26_characters_that_say_the_time_and_five_bits_of_each_byte(now, random):
    name = call_id(now, random)

    assert len(name) == 26
    assert read(name[:10]) == int(now.timestamp() * 1000)
    assert [ALPHABET.index(character) for character in name[10:]] == [octet & 31 for octet in random]


@given(one=ANY_TIME, other=ANY_TIME, random=BYTES)
def test_names_are_in_the_order_of_time(one, other, random):
    first, second = sorted((one, other))

    assert call_id(first, random) <= call_id(second, random)
