"""A secret that is made when it is first read is a secret all the same."""

import pickle

import pytest

from actas.model.secret import Deferred


class Making:
    """Counts how often it is asked."""

    def __init__(self):
        self.times = 0

    def __call__(self):
        self.times += 1
        return "worth-hiding"


def test_nothing_is_made_before_it_is_read():
    making = Making()

    Deferred(making)

    assert making.times == 0


def test_it_is_made_once_however_often_it_is_read():
    making = Making()
    secret = Deferred(making)

    read = {secret.reveal() for _ in range(3)}

    assert (read, making.times) == ({"worth-hiding"}, 1)


@pytest.mark.parametrize(
    ("other", "same"), [("worth-hiding", True), ("", False), ("worth-hidin", False)], ids=["itself", "nothing", "less"]
)
def test_it_is_compared_by_what_it_is(other, same):
    assert Deferred(Making()).matches(other) is same


def test_what_kept_it_from_being_made_is_told_to_whoever_reads_it():
    def broken():
        raise LookupError("no key")

    secret = Deferred(broken)

    for _ in range(2):
        with pytest.raises(LookupError):
            secret.reveal()


@pytest.mark.parametrize("is_read", [False, True], ids=["before it is read", "after"])
def test_it_will_not_print_format_or_pickle(is_read):
    secret = Deferred(Making())
    if is_read:
        secret.reveal()

    assert "worth" not in f"{secret} {secret!r} {secret:>40}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
