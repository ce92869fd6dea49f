"""What rests in the database is opened by the keys that sealed it, about what it was sealed about, and not else."""

from datetime import UTC, datetime, timedelta

import pytest

from actas.secrets.errors import Unopenable
from actas.secrets.resting import EVERY, KEEP, Resting

AT = datetime(2026, 3, 14, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys" / "resting.json"


def test_what_was_sealed_is_opened_by_another_replica_about_the_same(path):
    sealed = Resting(path, lambda: AT).seal(b"ana", b"row 1")

    assert b"ana" not in sealed
    assert Resting(path, lambda: AT).open(sealed, b"row 1") == b"ana"


def test_the_same_is_never_sealed_the_same_way_twice(path):
    one = Resting(path, lambda: AT)

    assert one.seal(b"ana", b"row 1") != one.seal(b"ana", b"row 1")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]),
        lambda sealed: sealed[:-1],
        lambda sealed: sealed[:8],
        lambda sealed: b"",
        lambda sealed: b"00000000" + sealed[8:],
    ],
    ids=["a bit flipped", "a byte short", "a key's id alone", "nothing", "a key that is not there"],
)
def test_what_was_changed_is_not_opened(path, spoil):
    one = Resting(path, lambda: AT)

    with pytest.raises(Unopenable):
        one.open(spoil(one.seal(b"ana", b"row 1")), b"row 1")


def test_what_is_about_one_row_is_not_opened_as_another(path):
    one = Resting(path, lambda: AT)

    with pytest.raises(Unopenable):
        one.open(one.seal(b"ana", b"row 1"), b"row 2")


@pytest.mark.parametrize(("later", "opens"), [(KEEP - timedelta(days=1), True), (KEEP + EVERY, False)])
def test_a_retired_key_opens_for_a_year(path, later, opens):
    one = Resting(path, lambda: AT)
    sealed = one.seal(b"ana", b"row 1")
    one.rotate(AT + EVERY)
    other = Resting(path, lambda: AT)
    other.rotate(AT + EVERY + later)

    if opens:
        assert other.open(sealed, b"row 1") == b"ana"
    else:
        with pytest.raises(Unopenable):
            other.open(sealed, b"row 1")
