"""Texts that only our ring opens, each for one purpose."""

import secrets
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.secrets.sealed import LARGEST, opened, seal
from actas.secrets.sealing import Sealing

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    found = Sealing(tmp_path_factory.mktemp("ring") / "sealing.json")
    found.rotate(NOW)
    return found


def test_what_was_sealed_is_opened(ring):
    assert opened(ring, "one", seal(ring, "one", b"said"), now=NOW) == b"said"


def test_a_text_for_one_purpose_opens_for_no_other(ring):
    text = seal(ring, "one", b"said")

    assert opened(ring, "other", text, now=NOW) is None
    assert opened(ring, "one", text, now=NOW) == b"said"


def test_a_text_that_was_changed_anywhere_is_none(ring):
    text = seal(ring, "one", b"said of somebody")
    for place in range(len(text)):
        other = "B" if text[place] == "A" else "A"
        changed = text[:place] + other + text[place + 1 :]
        assert opened(ring, "one", changed, now=NOW) is None, place


def test_another_gateways_text_is_none(ring, tmp_path):
    other = Sealing(tmp_path / "sealing.json")
    other.rotate(NOW)

    assert opened(ring, "one", seal(other, "one", b"said"), now=NOW) is None


def test_a_text_that_would_become_too_large_is_none(ring):
    fits, bomb = seal(ring, "one", b"x" * LARGEST), seal(ring, "one", b"x" * (LARGEST + 1))

    assert opened(ring, "one", fits, now=NOW) == b"x" * LARGEST
    assert opened(ring, "one", bomb, now=NOW) is None


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.hex()))
def test_whatever_else_comes_is_none(text):
    class Nobody:
        def newest(self):
            raise AssertionError

        def find(self, _key_id, _now):
            return None

    assert opened(Nobody(), "one", text, now=NOW) is None
    assert opened(Nobody(), "one", secrets.token_urlsafe(64), now=NOW) is None
