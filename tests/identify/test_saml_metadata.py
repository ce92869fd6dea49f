"""Metadata of a provider on a real socket: fetched once, renewed in time, rolled over without a gap."""

import base64
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from actas import saml
from actas.identify.fetch import Fetcher
from actas.identify.saml_edges import SamlEdges
from actas.identify.saml_errors import SamlRefused, SamlUnavailable
from actas.identify.saml_expiry import Announced, days_left, endings
from actas.identify.saml_metadata import MetadataKeyring, MetadataSource
from actas.identify.verifier import Identify
from actas.model.evidence import SamlResponse
from actas.model.secret import Secret
from actas.settings.schema import Provider
from actas.testing.saml_idp import Said, SamlIdp

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 3, 14, 12, 0, 0, tzinfo=UTC)
IDP = "https://idp.example/"
MD = "urn:oasis:names:tc:SAML:2.0:metadata"
PATH = "/metadata"


def certified(*, days=365):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "idp.example")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(NOW - timedelta(days=3650)).not_valid_after(NOW + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    return key, made.public_bytes(serialization.Encoding.DER)


OLD_KEY, OLD = certified()
_, NEW = certified()
FEDERATION_KEY, FEDERATION = certified()


def entity(*certificates, name=IDP, more="", role_more=""):
    keys = "".join(
        '<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
        f"<ds:X509Certificate>{base64.b64encode(one).decode()}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        "</md:KeyDescriptor>"
        for one in certificates
    )
    return (
        f'<md:EntityDescriptor xmlns:md="{MD}" entityID="{name}"{more}><md:IDPSSODescriptor{role_more} '
        f'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{keys}<md:SingleSignOnService '
        'Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/sso"/>'
        "</md:IDPSSODescriptor></md:EntityDescriptor>"
    ).encode()


def serve(house, document, *, headers=None, status=200):
    house.answers[PATH] = (status, headers or {}, document)


@pytest.fixture
def ring(house, clock, tmp_path):
    """Make a ring over the house, which serves its metadata."""

    def make(**more):
        source = {"provider": "ping", "url": house.origin + PATH, "private": True} | more
        if source.get("file"):
            del source["url"]
        return MetadataKeyring(MetadataSource(**source), fetch=Fetcher(base=tmp_path), base=tmp_path, clock=clock)

    serve(house, entity(OLD))
    return make


async def test_many_that_come_first_fetch_the_metadata_once(house, ring, clock):
    one, found = ring(), []

    async def ask():
        found.append(await one.trust(now=clock()))

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(ask)

    assert {trust.entity_id for trust in found} == {IDP}
    assert house.count(PATH) == 1


async def test_metadata_that_was_fetched_ahead_keeps_nobody_waiting(house, ring, clock):
    one = ring()
    await one.renew()
    house.down = True

    known = await one.known(now=clock())
    assert known.entity.endpoint("SingleSignOnService", saml.REDIRECT).location == "https://idp.example/sso"
    assert house.count(PATH) == 1


async def test_old_and_new_keys_count_together_and_a_removed_one_no_more(house, ring, clock):
    one = ring()
    counts = []
    for certificates in [(OLD,), (OLD, NEW), (NEW,)]:
        serve(house, entity(*certificates))
        await one.renew()
        known = await one.known(now=clock())
        counts.append((known.version, known.trust.certificates))

    assert counts == [(1, (OLD,)), (2, (OLD, NEW)), (3, (NEW,))]


async def test_metadata_that_says_the_same_is_the_same_version(house, ring, clock):
    one = ring()
    for certificates in [(OLD,), (OLD,)]:
        serve(house, entity(*certificates) + b"\n" * house.count(PATH))
        await one.renew()

    assert (await one.known(now=clock())).version == 1
    assert house.count(PATH) == 2


async def test_a_key_that_does_not_fit_makes_us_ask_once_in_five_minutes(house, ring, clock):
    one = ring()
    seen = (await one.known(now=clock())).version

    assert not await one.look_again(seen=seen, now=clock())
    assert house.count(PATH) == 2
    serve(house, entity(OLD, NEW))
    clock.turn(minutes=5, seconds=-1)
    assert not await one.look_again(seen=seen, now=clock())
    assert house.count(PATH) == 2
    clock.turn(seconds=1)
    assert await one.look_again(seen=seen, now=clock())
    assert house.count(PATH) == 3
    assert await one.look_again(seen=seen, now=clock())
    assert house.count(PATH) == 3


async def test_metadata_that_cannot_be_renewed_is_trusted_until_it_is_stale(house, ring, clock):
    one = ring(stale=timedelta(hours=2))
    await one.renew()
    house.down = True
    clock.turn(hours=2, microseconds=-1)
    await one.renew()
    assert (await one.trust(now=clock())).entity_id == IDP
    assert one.state(now=clock()).stale_since == clock()
    clock.turn(microseconds=1)

    with pytest.raises(SamlUnavailable):
        await one.trust(now=clock())
    house.down = False
    clock.turn(minutes=1)
    assert (await one.trust(now=clock())).entity_id == IDP
    assert one.state(now=clock()).error is None


@pytest.mark.parametrize("where", ["entity", "role"])
async def test_metadata_ends_at_its_own_date_however_long_it_may_be_stale(house, ring, clock, where):
    ends = f' validUntil="{NOW + timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}"'
    serve(house, entity(OLD, **{"more" if where == "entity" else "role_more": ends}))
    one = ring()
    await one.renew()
    house.down = True
    clock.turn(minutes=30, microseconds=-1)
    assert (await one.trust(now=clock())).entity_id == IDP
    clock.turn(microseconds=1)

    with pytest.raises(SamlUnavailable):
        await one.trust(now=clock())


async def test_metadata_that_has_ended_is_not_taken(house, ring, clock):
    serve(house, entity(OLD, more=f' validUntil="{NOW:%Y-%m-%dT%H:%M:%SZ}"'))

    with pytest.raises(SamlUnavailable):
        await ring().trust(now=clock())


@pytest.mark.parametrize(
    ("document", "status"),
    [
        (b"<html>Sign in</html>", 200),
        (b"", 200),
        (entity(), 200),
        (entity(b"no certificate"), 200),
        (entity(OLD, name="https://idp.example/"), 500),
        (b"<!DOCTYPE a>" + entity(OLD), 200),
        (b" " * 4_200_000, 200),
    ],
    ids=["a-sign-in-page", "nothing", "no-key", "no-usable-key", "an-error", "a-document-type", "too-much"],
)
async def test_what_is_no_metadata_leaves_the_old_in_place(house, ring, clock, document, status):
    one = ring()
    await one.renew()
    serve(house, document, status=status)
    await one.renew()

    assert (await one.known(now=clock())).version == 1
    assert one.state(now=clock()).error == "identify.unexpected-answer"


async def test_metadata_must_be_signed_by_the_pinned_key(house, ring, clock, tmp_path):
    (tmp_path / "federation.pem").write_bytes(FEDERATION)
    one = ring(certificate="federation.pem")
    await one.renew()
    with pytest.raises(SamlUnavailable):
        await one.trust(now=clock())

    signed = signed_by(FEDERATION_KEY, entity(OLD, more=' ID="_m"'))
    for document, is_good in [(signed_by(OLD_KEY, entity(OLD, more=' ID="_m"')), False), (signed, True)]:
        serve(house, document)
        await one.renew()
        assert one.state(now=clock()).ready is is_good
    assert (await one.trust(now=clock())).certificates == (OLD,)


def signed_by(key, document):
    from lxml import etree

    from actas.saml.signing import sign_element

    root = etree.fromstring(document)
    sign_element(root, key, position=0)
    return etree.tostring(root)


async def test_of_a_federation_the_one_that_is_named_counts(house, ring, clock):
    others = entity(NEW, name="https://other.example/")
    serve(
        house, f'<md:EntitiesDescriptor xmlns:md="{MD}">'.encode() + others + entity(OLD) + b"</md:EntitiesDescriptor>"
    )

    assert (await ring(entity_id=IDP).trust(now=clock())).certificates == (OLD,)
    for wanted in (None, "https://nobody.example/"):
        with pytest.raises(SamlUnavailable):
            await ring(entity_id=wanted).trust(now=clock())


async def test_a_file_is_read_again_when_it_changes(ring, clock, tmp_path):
    file = tmp_path / "idp.xml"
    file.write_bytes(entity(OLD))
    one = ring(file="idp.xml")
    assert (await one.trust(now=clock())).certificates == (OLD,)
    file.write_bytes(entity(NEW))
    assert (await one.trust(now=clock())).certificates == (OLD,)
    clock.turn(seconds=5)

    assert (await one.trust(now=clock())).certificates == (NEW,)
    file.unlink()
    await one.renew()
    assert (await one.trust(now=clock())).certificates == (NEW,)
    assert one.state(now=clock()).error == "identify.unexpected-answer"


@pytest.mark.parametrize(
    ("headers", "said", "minutes"),
    [
        ({}, "", 15),
        ({"Cache-Control": "max-age=1800"}, "", 30),
        ({"Cache-Control": "max-age=1"}, "", 5),
        ({"Cache-Control": "max-age=86400"}, "", 60),
        ({}, ' cacheDuration="PT20M"', 20),
        ({}, ' cacheDuration="PT1200S"', 20),
        ({}, ' cacheDuration="P7D"', 60),
        ({}, ' cacheDuration="PT1.5S"', 5),
        ({}, ' cacheDuration="P1Y"', 15),
        ({"Cache-Control": "max-age=1800"}, ' cacheDuration="PT10M"', 10),
    ],
)
async def test_metadata_is_renewed_when_the_provider_wishes_within_bounds(house, ring, headers, said, minutes):
    serve(house, entity(OLD, more=said), headers=headers)
    one = ring()
    await one.renew()

    assert one.due == NOW + timedelta(minutes=minutes)


async def test_a_private_address_is_asked_only_where_that_is_said(ring, clock):
    with pytest.raises(SamlUnavailable):
        await ring(private=False).trust(now=clock())


async def test_trials_that_fail_come_at_growing_intervals(house, ring, clock):
    one, waits = ring(), []
    house.down = True
    for _ in range(6):
        await one.renew()
        waits.append(int((one.due - clock()).total_seconds()))
        clock.at = one.due

    assert waits == [5, 10, 20, 40, 60, 60]


def dated(ends_at, der=b"one"):
    return saml.Certificate(der=der, key=OLD_KEY.public_key(), not_after=ends_at)


@pytest.mark.parametrize(
    ("left", "stage"),
    [
        (timedelta(days=30, microseconds=1), None),
        (timedelta(days=30), 30),
        (timedelta(days=7, microseconds=1), 30),
        (timedelta(days=7), 7),
        (timedelta(days=1, microseconds=1), 7),
        (timedelta(days=1), 1),
        (timedelta(microseconds=1), 1),
        (timedelta(0), 0),
        (timedelta(days=-400), 0),
    ],
)
def test_an_end_is_announced_in_stages(left, stage):
    found = endings("ping", [dated(NOW + left)], now=NOW)

    assert [one.stage for one in found] == ([] if stage is None else [stage])


def test_each_stage_is_said_once():
    said, told = Announced(), []
    for day in range(400):
        told += said.fresh(endings("ping", [dated(NOW + timedelta(days=40))], now=NOW + timedelta(days=day)))

    assert [(one.stage, one.days) for one in told] == [(30, 30), (7, 7), (1, 1), (0, 0)]
    assert told[0].sentence.endswith("of ping ends in 30 days, on 2026-04-23")
    assert told[-1].sentence.endswith("of ping ended on 2026-04-23")


def test_the_days_that_are_left_are_those_of_the_newest():
    assert days_left([dated(NOW - timedelta(days=9)), dated(NOW + timedelta(days=12), b"two")], now=NOW) == 12
    assert days_left([dated(NOW - timedelta(days=9))], now=NOW) == -9
    assert days_left([], now=NOW) is None
    assert days_left([dated(None)], now=NOW) is None


@given(st.integers(-20_000, 2_900_000).map(lambda days: NOW + timedelta(days=days)))
def test_any_date_can_be_announced(ends_at):
    for one in endings("ping", [dated(ends_at)], now=NOW):
        assert one.stage in {0, 1, 7, 30}
        assert one.sentence


async def test_ends_of_certificates_are_logged_and_measured_and_keys_outlive_a_reload(house, clock, tmp_path, caplog):
    _, soon = certified(days=7)
    serve(house, entity(soon))
    settings = {"ping": Provider(preset="saml", metadata=house.origin + PATH, private=True)}
    edges = SamlEdges(control_url="https://actas.example")
    room = Identify(settings, base_dir=tmp_path, clock=clock, saml=edges)
    assert room.certificate_days_left() is None

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(room.run)
        with anyio.fail_after(20):
            while not caplog.messages:  # noqa: ASYNC110 - a log has no event
                await anyio.sleep(0.01)
        room.replace(settings)
        assert room.certificate_days_left() == pytest.approx(7)
        assert [(one.provider, one.ready, one.keys) for one in room.state()] == [("ping", True, 1)]
        await anyio.sleep(0.05)
        tasks.cancel_scope.cancel()

    assert [text.partition(" of ")[2] for text in caplog.messages] == ["ping ends in 7 days, on 2026-03-21"]
    assert house.count(PATH) == 1


async def test_a_response_by_a_key_that_was_published_since_is_believed_at_once(house, clock, tmp_path):
    idp = SamlIdp(entity_id=IDP)
    serve(house, idp.metadata())
    settings = {"ping": Provider(preset="saml", metadata=house.origin + PATH, private=True)}
    room = Identify(settings, base_dir=tmp_path, clock=clock, saml=SamlEdges(control_url="https://actas.example"))
    doors = room.saml.profile("ping").doors

    async def shown(by):
        said = Said(recipient=doors.acs, audience=doors.metadata)
        packed = Secret(base64.b64encode(by.response(said, now=clock())).decode())
        evidence = SamlResponse(shown=packed, provider="ping", recipient=doors.acs, asked_elsewhere=True)
        return (await room.saml.look(evidence, now=clock())).identity.provider

    assert await shown(idp) == "ping"
    rolled = SamlIdp(entity_id=IDP, key_name="second", published=("first",))
    serve(house, rolled.metadata())
    assert await shown(rolled) == "ping"
    assert await shown(idp) == "ping"
    assert house.count(PATH) == 2

    for _ in range(3):  # a stranger's does not make us ask again
        with pytest.raises(SamlRefused):
            await shown(SamlIdp(entity_id=IDP, key_name="stranger"))
    assert house.count(PATH) == 2


async def test_a_sign_out_by_a_key_that_was_published_since_is_believed_at_once(house, clock, tmp_path):
    idp, rolled = SamlIdp(entity_id=IDP), SamlIdp(entity_id=IDP, key_name="second", published=("first",))
    serve(house, idp.metadata())
    settings = {"ping": Provider(preset="saml", metadata=house.origin + PATH, private=True)}
    room = Identify(settings, base_dir=tmp_path, clock=clock, saml=SamlEdges(control_url="https://actas.example"))
    here = room.saml.profile("ping").doors.logout

    async def shown(by):
        said = {"issuer": IDP, "destination": here, "now": clock(), "name_id": "f1a9"}
        message = saml.logout_request(id="_q1", key=by.key, **said)

        def read(known):
            return saml.read_logout_request(message, known.trust, destination=here, now=clock())

        return (await room.saml.signed("ping", read, size=len(message), now=clock())).name_id

    assert await shown(idp) == "f1a9"
    serve(house, rolled.metadata())
    assert await shown(rolled) == "f1a9"
    with pytest.raises(saml.BadSignature):
        await shown(SamlIdp(entity_id=IDP, key_name="stranger"))
    assert house.count(PATH) == 2
