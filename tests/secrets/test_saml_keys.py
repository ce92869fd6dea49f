"""Our SAML keys roll over without a gap: published before they sign, kept while they may be encrypted to."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from actas import saml
from actas.secrets.errors import RingUnreadable
from actas.secrets.saml_keys import EVERY, KEEP, LEAD, STILL, SamlKeys
from actas.secrets.signing import Signing

START = datetime(2026, 11, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    """A ring that was rotated once; what it shows depends on the time alone."""
    made = SamlKeys(tmp_path_factory.mktemp("keys") / "saml.json", name="actas.example")
    made.rotate(START)
    made.rotate(START + EVERY - TICK)
    made.rotate(START + EVERY)
    return made


@pytest.fixture
def ring(tmp_path):
    made = SamlKeys(tmp_path / "keys" / "saml.json", name="actas.example")
    made.rotate(START)
    return made


def ids(keys):
    return [key.id for key in keys]


def test_the_first_key_signs_at_once(ring):
    assert ids(ring.published(START)) == ids(ring.encryption(START)) == [ring.signing(START).id]


def test_a_new_key_is_made_when_the_old_is_old_enough(life):
    assert [key.made_at for key in life.keys] == [START, START + EVERY]


@pytest.mark.parametrize(
    ("at", "signs", "published", "encryption"),
    [
        (EVERY, 0, [0, 1], [0, 1]),
        (EVERY + LEAD - TICK, 0, [0, 1], [0, 1]),
        (EVERY + LEAD, 1, [1, 0], [1]),
        (EVERY + LEAD + STILL - TICK, 1, [1, 0], [1]),
        (EVERY + LEAD + STILL, 1, [1], [1]),
    ],
    ids=["it-is-published", "it-waits-a-week", "it-signs", "the-old-one-is-still-published", "it-is-alone"],
)
def test_a_key_rolls_over(life, at, signs, published, encryption):
    now, names = START + at, ids(life.keys)

    assert life.signing(now).id == names[signs]
    assert ids(life.published(now)) == [names[place] for place in published]
    assert ids(life.encryption(now)) == [names[place] for place in encryption]


def test_a_retired_key_opens_for_a_while(ring):
    first = ring.keys[0].id
    ring.rotate(START + EVERY)
    ring.rotate(START + EVERY + KEEP - TICK)
    assert first in ids(ring.keys)
    ring.rotate(START + EVERY + KEEP)
    assert first not in ids(ring.keys)


def test_a_key_is_made_now_when_that_is_asked(ring):
    ring.rotate(START + timedelta(days=1), force=True)

    assert len(ring.keys) == 2
    assert ring.signing(START + timedelta(days=1)).id == ring.keys[0].id
    assert ring.signing(START + timedelta(days=1) + LEAD).id == ring.keys[1].id


def test_a_stolen_key_is_gone_at_once(ring):
    stolen = ring.keys[0].id
    ring.restart(START + timedelta(days=1))

    assert stolen not in ids(ring.keys)
    assert ring.signing(START + timedelta(days=1)).id == ring.keys[0].id


def test_a_running_gateway_takes_what_a_command_made(ring, tmp_path):
    other = SamlKeys(tmp_path / "keys" / "saml.json", name="actas.example")
    other.rotate(START)
    assert ids(other.keys) == ids(ring.keys)
    other.rotate(START + TICK, force=True)

    assert len(ring.keys) == 1
    ring.refresh()
    assert ids(ring.keys) == ids(other.keys)


def test_the_schedule_can_be_another(tmp_path):
    often = SamlKeys(tmp_path / "saml.json", name="actas.example", every=timedelta(days=30))
    often.rotate(START)
    often.rotate(START + timedelta(days=30))

    assert len(often.keys) == 2


def test_a_certificate_outlives_its_use(ring):
    key = ring.keys[0]
    certificate = x509.load_der_x509_certificate(key.certificate)

    assert key.ends_at == START + EVERY + LEAD + KEEP
    assert certificate.subject.rfc4514_string() == "CN=actas.example"


def test_what_is_published_is_metadata_and_what_is_signed_is_verified_by_it(ring):
    ring.rotate(START + TICK, force=True)
    now = START + timedelta(days=1)
    certificates = [key.certificate for key in ring.published(now)]
    xml = saml.sp_metadata(
        entity_id="https://actas.example/saml", acs="https://actas.example/saml/acs", signing_certificates=certificates,
        encryption_certificates=[key.certificate for key in ring.encryption(now)], key=ring.signing(now).private,
    )  # fmt: skip

    metadata = saml.Metadata.parse(xml, now=now, certificates=certificates)
    assert metadata.certificates == tuple(certificates)
    assert len(certificates) == 2


@pytest.mark.parametrize("spoil", [b"{}", b'{"kind":"saml","keys":[{"id":"a","made_at":"2026-11-01T00:00:00Z"}]}'])
def test_a_ring_that_is_no_ring_is_refused(ring, tmp_path, spoil):
    file = tmp_path / "keys" / "saml.json"
    file.write_bytes(spoil)

    with pytest.raises(RingUnreadable):
        ring.refresh()


def test_a_ring_of_another_kind_is_refused_and_not_overwritten(tmp_path):
    path = tmp_path / "signing.json"
    Signing(path).rotate(START)
    before = path.read_bytes()

    for act in (SamlKeys(path, name="a").rotate, SamlKeys(path, name="a").restart):
        with pytest.raises(RingUnreadable):
            act(START)
    assert path.read_bytes() == before


def test_nothing_private_is_shown(ring):
    assert "private" not in repr(ring.keys[0])
    assert (ring._path.stat().st_mode & 0o777) == 0o600
