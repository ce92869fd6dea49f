"""The room as doors use it: assertions in, identities and tokens of ours out, revocation over both."""

import os
import re
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import anyio
import msgspec
import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree

from actas import jose
from actas.identify import Identify
from actas.identify.errors import BadSignature, IdentifyError, MalformedToken, Revoked, UnknownIssuer
from actas.identify.own import LONGEST, OwnKeys
from actas.identify.saml_edges import SamlEdges
from actas.identify.saml_errors import AssertionUsed, NoSamlProvider, NoStableName, SamlRefused, SignInOver
from actas.identify.saml_profile import Doors
from actas.identify.sign_in import opened, seal, sign_in_of
from actas.identify.watermarks import MarksInMemory
from actas.model.evidence import BearerToken, SamlResponse
from actas.model.facts import Known, Missing
from actas.model.secret import Secret
from actas.saml.names import DS, SAML, XENC, saml
from actas.saml.parsing import parse
from actas.saml.signature import SIGNATURE
from actas.saml.signing import sign_element
from actas.secrets.sealing import Sealing
from actas.settings.schema import Provider
from actas.store.replays import MemoryReplays
from actas.testing.saml_idp import Said, SamlIdp

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
CONTROL = "https://actas.example"
DOORS = Doors.of(CONTROL, "ping")
IDP = SamlIdp()


class Room:
    """An `Identify` with one SAML provider, keys of its own, and marks."""

    def __init__(self, folder, **provider):
        (folder / "idp.xml").write_bytes(IDP.metadata())
        self.key = jose.Key.generate("ES256", kid="one")
        self.seals = Sealing(folder / "sealing.json")
        self.seals.rotate(NOW)
        self.marks, self.folder = MarksInMemory(), folder
        self.now = NOW
        replays = MemoryReplays(lambda: self.now)

        async def kept():
            return replays

        self.identify = Identify(
            {"ping": self.provider(**provider)},
            base_dir=folder,
            watermarks=self.marks,
            clock=lambda: NOW,
            saml=SamlEdges(control_url=CONTROL, replays=kept),
            own=OwnKeys(issuer=CONTROL, newest=lambda: self.key, published=lambda: (self.key,), seals=self.seals),
        )

    def provider(self, **more):
        return msgspec.convert(
            {"preset": "saml", "metadata": "idp.xml"} | more, Provider, dec_hook=lambda cls, value: cls.read(value)
        )

    def evidence(self, *, recipient=DOORS.acs, provider="ping", **said):
        plain = Said(recipient=recipient, audience=DOORS.metadata, attributes={"groups": ("finance",)})
        xml = IDP.response(replace(plain, **said), now=said.pop("now", NOW))
        return SamlResponse(shown=Secret(b64encode(xml).decode()), provider=provider, recipient=recipient)

    def signed_in(self, **said):
        return anyio.run(lambda: self.identify.signed_in(self.evidence(**said), now=NOW))

    def verify(self, shown, *, now=NOW):
        return anyio.run(lambda: self.identify.verify(shown, now=now))

    def token(self, **said):
        believed = self.signed_in(**said)
        until = NOW + timedelta(hours=1)
        return self.identify.own.mint(believed.identity, believed.profile.digest, until=until, now=NOW)

    def shown(self, token, *, now=NOW):
        return self.verify(BearerToken(shown=token), now=now)


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def test_a_token_of_ours_stands_for_whom_the_assertion_named(room):
    believed = room.signed_in()
    minted = room.identify.own.mint(believed.identity, believed.profile.digest, until=NOW + LONGEST, now=NOW)

    identity = room.shown(minted.shown)

    assert identity == replace(believed.identity, expires_at=minted.expires_at)
    assert room.identify.known(minted.shown.reveal(), NOW) is identity  # remembered as any token


@pytest.mark.parametrize(
    ("ahead", "issued"),
    [(timedelta(seconds=60), timedelta(seconds=60)), (timedelta(seconds=61), timedelta(seconds=60))],
    ids=["as far as clocks may differ", "further"],
)
def test_a_providers_clock_that_is_ahead_outruns_no_revocation(room, ahead, issued):
    xml = IDP.response(Said(recipient=DOORS.acs, audience=DOORS.metadata), now=NOW)
    written = f'IssueInstant="{NOW:%Y-%m-%dT%H:%M:%SZ}"'.encode()
    moved = f'IssueInstant="{NOW + ahead:%Y-%m-%dT%H:%M:%SZ}"'.encode()
    assert written in xml

    identity = anyio.run(lambda: room.identify.saml.read("ping", again_signed(xml.replace(written, moved)), now=NOW))

    assert identity.identity.issued_at == NOW + issued


def again_signed(xml):
    """Sign the assertion in *xml* anew: what it says has changed."""
    root = parse(xml)
    assertion = root.find(saml("Assertion"))
    assertion.remove(assertion.find(SIGNATURE))
    sign_element(assertion, IDP.key, position=1)
    return etree.tostring(root)


def encrypted_by_old_ciphers(xml, key):
    """Encrypt the assertion in *xml* by 3DES and RSA PKCS #1 v1.5."""
    root = parse(xml)
    assertion = root.find(saml("Assertion"))
    inside, secret, nonce = etree.tostring(assertion), os.urandom(24), os.urandom(8)
    fill = 8 - len(inside) % 8
    sealing = Cipher(TripleDES(secret), CBC(nonce)).encryptor()
    sealed = nonce + sealing.update(inside + bytes([fill] * fill)) + sealing.finalize()
    wrapped = key.public_key().encrypt(secret, padding.PKCS1v15())
    value = "<e:CipherData><e:CipherValue>{}</e:CipherValue></e:CipherData>"
    made = etree.fromstring(
        f'<s:EncryptedAssertion xmlns:s="{SAML}" xmlns:e="{XENC}" xmlns:d="{DS}"><e:EncryptedData>'
        f'<e:EncryptionMethod Algorithm="{XENC}tripledes-cbc"/><d:KeyInfo><e:EncryptedKey>'
        f'<e:EncryptionMethod Algorithm="{XENC}rsa-1_5"/>{value.format(b64encode(wrapped).decode())}'
        f"</e:EncryptedKey></d:KeyInfo>{value.format(b64encode(sealed).decode())}"
        "</e:EncryptedData></s:EncryptedAssertion>"
    )
    root.replace(assertion, made)
    return etree.tostring(root)


@pytest.mark.parametrize(
    ("named", "taken"),
    [([], False), (["rsa-1_5"], False), (["tripledes-cbc"], False), (["rsa-1_5", "tripledes-cbc"], True)],
    ids=["none", "RSA-1.5 alone", "3DES alone", "both"],
)
def test_old_ciphers_are_opened_where_the_settings_name_them(tmp_path, named, taken):
    ours = SamlIdp(key_name="ours").key
    pem = ours.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "ours.pem").write_bytes(pem)
    (tmp_path / "ours.pem").chmod(0o600)
    room = Room(tmp_path, old_ciphers=named, decryption=[{"file": "ours.pem"}])
    xml = encrypted_by_old_ciphers(IDP.response(Said(recipient=DOORS.acs, audience=DOORS.metadata), now=NOW), ours)

    def read():
        return anyio.run(lambda: room.identify.saml.read("ping", xml, now=NOW)).identity.subject

    if taken:
        assert read() == "f1a9"
    else:
        with pytest.raises(SamlRefused):
            read()


@pytest.mark.parametrize(
    ("qualifier", "taken"),
    [("", True), (IDP.entity_id, True), ("https://other.example/", False)],
    ids=["nobody's", "the issuer's", "another provider's"],
)
def test_a_persistent_name_is_the_issuers_own(room, qualifier, taken):
    xml = IDP.response(Said(recipient=DOORS.acs, audience=DOORS.metadata), now=NOW)
    said = again_signed(xml.replace(b"<saml:NameID ", f'<saml:NameID NameQualifier="{qualifier}" '.encode()))

    def read():
        return anyio.run(lambda: room.identify.saml.read("ping", said, now=NOW))

    if taken:
        assert read().identity.subject == "f1a9"
    else:
        with pytest.raises(NoStableName):
            read()


def test_an_assertion_for_two_doors_counts_once_at_both(tmp_path):
    """Its confirmations end at different times; it is remembered until the last of them does."""
    room = Room(tmp_path)
    xml = IDP.response(Said(recipient=DOORS.acs, audience=DOORS.metadata, lasts=timedelta(minutes=1)), now=NOW)
    one = re.search(rb"<saml:SubjectConfirmation .*</saml:SubjectConfirmation>", xml)[0]
    other = one.replace(DOORS.acs.encode(), DOORS.token.encode()).replace(b":01:00Z", b":20:00Z")
    conditions = re.sub(rb'(<saml:Conditions[^>]*) NotOnOrAfter="[^"]*"', rb"\1", xml.replace(one, one + other))
    shown = Secret(b64encode(again_signed(conditions.replace(b"Destination=", b"Consent=", 1))).decode())

    def take(recipient, now):
        evidence = SamlResponse(shown=shown, provider="ping", recipient=recipient)
        room.now = now
        return anyio.run(lambda: room.identify.signed_in(evidence, now=now)).identity.subject

    assert take(DOORS.acs, NOW) == "f1a9"
    for minutes in (0, 10, 19):
        with pytest.raises(AssertionUsed):
            take(DOORS.token, NOW + timedelta(minutes=minutes))


def test_an_assertion_without_an_end_to_speak_of_is_taken_once(room):
    xml = IDP.response(Said(recipient=DOORS.acs, audience=DOORS.metadata), now=NOW)
    for_ever = re.sub(rb'NotOnOrAfter="[^"]*"', b'NotOnOrAfter="9999-12-31T23:59:59Z"', xml)
    evidence = SamlResponse(
        shown=Secret(b64encode(again_signed(for_ever)).decode()), provider="ping", recipient=DOORS.acs
    )

    assert anyio.run(lambda: room.identify.signed_in(evidence, now=NOW)).identity.subject == "f1a9"
    with pytest.raises(AssertionUsed):
        anyio.run(lambda: room.identify.signed_in(evidence, now=NOW))


ADDRESSES = [
    ("one value", {"attributes": {"mail": ("ana@people.example",)}}, "mail", "ana@people.example"),
    ("two values", {"attributes": {"mail": ("ana@people.example", "ana@old.example")}}, "mail", ""),
    ("no such attribute", {"attributes": {"groups": ("finance",)}}, "mail", ""),
    ("the NameID", {"subject": "ana@people.example"}, "name-id", "ana@people.example"),
    ("no key that says where", {"attributes": {"mail": ("ana@people.example",)}}, None, None),
]


@pytest.mark.parametrize(("said", "key", "wanted"), [one[1:] for one in ADDRESSES], ids=[one[0] for one in ADDRESSES])
def test_an_assertion_and_what_stands_for_it_bear_the_address_that_events_name(tmp_path, said, key, wanted):
    room = Room(tmp_path, **({} if key is None else {"address": key}))

    believed = room.signed_in(**said)
    minted = room.identify.own.mint(believed.identity, believed.profile.digest, until=NOW + LONGEST, now=NOW)

    assert believed.identity.address == wanted
    assert room.shown(minted.shown).address == wanted


def test_a_token_of_ours_never_outlives_a_quarter_of_an_hour(room):
    minted = room.token()
    last = NOW + LONGEST

    assert minted.expires_at == last
    assert room.shown(minted.shown, now=last - timedelta(seconds=1)).subject == "f1a9"
    with pytest.raises(SignInOver):
        room.shown(minted.shown, now=last + timedelta(seconds=5))


def test_a_token_for_what_has_ended_is_not_made(room):
    identity = room.signed_in().identity

    with pytest.raises(SignInOver):
        room.identify.own.mint(identity, "digest", until=NOW, now=NOW)


@pytest.mark.parametrize(
    "mark",
    [{"subject": "f1a9"}, {"subject": "f1a9", "session": "s1"}, {"session": "s1"}, {}],
    ids=["the person", "the person's session", "the session", "everybody of the provider"],
)
def test_what_is_revoked_ends_assertions_tokens_and_sign_ins(room, mark):
    minted, believed = room.token(), room.signed_in()
    room.marks.mark(provider="ping", at=NOW, **mark)

    for ends in (
        lambda: room.shown(minted.shown),
        room.signed_in,
        lambda: room.identify.stands(believed.identity, believed.profile.digest, now=NOW),
    ):
        with pytest.raises(Revoked):
            ends()


@pytest.mark.parametrize(
    "mark",
    [{"subject": "another"}, {"subject": "f1a9", "session": "another"}, {"session": "another"}],
    ids=["another person", "another session of this person", "another session"],
)
def test_what_is_not_revoked_goes_on(room, mark):
    minted = room.token()
    room.marks.mark(provider="ping", at=NOW, **mark)

    assert room.shown(minted.shown).subject == "f1a9"
    assert room.signed_in().identity.subject == "f1a9"


def test_a_mark_from_before_the_assertion_ends_nothing(room):
    minted = room.token()
    room.marks.mark(provider="ping", subject="f1a9", at=NOW - timedelta(seconds=1))

    assert room.shown(minted.shown).subject == "f1a9"


def test_other_settings_of_the_provider_end_what_rested_on_the_old(room):
    minted = room.token()
    room.identify.replace({"ping": room.provider(groups={"absent": "empty"})})

    with pytest.raises(SignInOver):
        room.shown(minted.shown)
    room.identify.replace({"ping": room.provider()})
    assert room.shown(minted.shown).subject == "f1a9"


def test_a_provider_that_is_gone_has_no_callers(room):
    minted = room.token()
    room.identify.replace({})

    with pytest.raises(IdentifyError):
        room.shown(minted.shown)


def test_another_gateways_token_is_none(room, tmp_path):
    (tmp_path / "other").mkdir()
    other = Room(tmp_path / "other")

    with pytest.raises(BadSignature):
        room.shown(other.token().shown)


def test_a_gateway_without_keys_of_its_own_takes_no_token_of_ours(room):
    plain = Identify({"ping": room.provider()}, base_dir=room.folder, saml=SamlEdges(control_url=CONTROL))
    shown = BearerToken(shown=room.token().shown)

    with pytest.raises(UnknownIssuer):
        anyio.run(lambda: plain.verify(shown, now=NOW))


def test_an_assertion_is_used_up_by_whoever_believes_it_first(room):
    evidence = room.evidence()

    assert room.verify(evidence).subject == "f1a9"
    with pytest.raises(AssertionUsed):
        room.verify(evidence)


def test_looking_at_an_assertion_does_not_use_it_up(room):
    evidence = room.evidence()

    looked = anyio.run(lambda: room.identify.saml.look(evidence, now=NOW))

    assert looked.identity == room.verify(evidence)


def test_a_refused_assertion_is_not_used_up(room):
    evidence = room.evidence()
    room.marks.mark(provider="ping", subject="f1a9", at=NOW)
    with pytest.raises(Revoked):
        room.verify(evidence)

    room.marks._marks.clear()
    assert room.verify(evidence).subject == "f1a9"


@pytest.mark.parametrize("provider", ["pong", "", "p\u00efng", "x" * 10_000])
def test_a_provider_that_there_is_not_is_told_so(room, provider):
    with pytest.raises(NoSamlProvider):
        room.verify(replace(room.evidence(), provider=provider))


@pytest.mark.parametrize("shown", ["", "AAAA", "not base64!", "PGE+", "\u00e4"])
def test_what_is_no_response_is_refused(room, shown):
    with pytest.raises(SamlRefused):
        room.verify(SamlResponse(shown=Secret(shown), provider="ping", recipient=DOORS.acs))


def test_a_sign_in_is_sealed_and_ends(room):
    believed = room.signed_in(session_lasts=timedelta(minutes=10))
    found = sign_in_of(believed, now=NOW)
    text = seal(room.seals, found).reveal()
    again = opened(room.seals, text, now=NOW)

    assert found.until == NOW + timedelta(minutes=10)
    assert again == replace(found, identity=replace(found.identity, expires_at=found.until))
    assert "f1a9" not in text
    with pytest.raises(SignInOver):
        opened(room.seals, text, now=found.until)
    with pytest.raises(SignInOver):
        opened(room.seals, text + "A", now=NOW)


def test_a_sign_in_lasts_as_long_as_the_settings_say(tmp_path):
    room = Room(tmp_path, sign_in="2m")

    assert sign_in_of(room.signed_in(session_lasts=timedelta(hours=8)), now=NOW).until == NOW + timedelta(minutes=2)


def test_a_caller_may_be_supposed(room):
    identity = room.identify.suppose({"provider": "ping", "attributes": {"groups": ["finance"], "roles": "x"}}, now=NOW)

    assert (identity.provider, identity.groups, identity.roles) == (
        "ping",
        Known(frozenset({"finance"})),
        Known(frozenset({"x"})),
    )
    assert identity.aws is Missing.ABSENT


@pytest.mark.parametrize("claims", [{"provider": "ping", "groups": []}, {"provider": 1}, {"provider": "ping", "x": 1}])
def test_what_no_caller_says_cannot_be_supposed(room, claims):
    with pytest.raises(MalformedToken):
        room.identify.suppose(claims, now=NOW)
