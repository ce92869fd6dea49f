"""A key signs once everybody had time to hear of it, and stays published while what it signed may be shown."""

from datetime import UTC, datetime, timedelta

import pytest

from actas.secrets.signing import EVERY, KEEP, LEAD, Signing

START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def ring(tmp_path):
    made = Signing(tmp_path / "keys" / "signing.json")
    made.rotate(START)
    return made


def published(ring):
    return [key["kid"] for key in ring.jwks()["keys"]]


def test_the_first_key_signs_at_once(ring):
    assert published(ring) == [ring.newest().kid]


def test_a_new_key_is_published_before_it_signs(ring):
    first = ring.newest().kid
    ring.rotate(START + EVERY)

    assert len(published(ring)) == 2
    assert ring.newest().kid == first
    ring.rotate(START + EVERY + LEAD - timedelta(seconds=1))
    assert ring.newest().kid == first
    ring.rotate(START + EVERY + LEAD)
    assert ring.newest().kid == published(ring)[1] != first


def test_a_retired_key_stays_published_for_what_it_signed(ring):
    first = ring.newest().kid
    ring.rotate(START + EVERY)

    ring.rotate(START + EVERY + KEEP - timedelta(seconds=1))
    assert first in published(ring)
    ring.rotate(START + EVERY + KEEP)
    assert first not in published(ring)


def test_nothing_private_is_published(ring):
    assert all("d" not in key and key["use"] == "sig" for key in ring.jwks()["keys"])


def test_replicas_with_one_file_sign_with_one_key(ring, tmp_path):
    other = Signing(tmp_path / "keys" / "signing.json")
    other.rotate(START)

    assert other.newest().kid == ring.newest().kid
