"""Promises about logout: a message counts only if signed by the provider, for us, now, and by the octets that came."""

import base64
import re
import zlib
from datetime import timedelta
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from actas import saml

SLO = "https://sp.example/slo"
SAMLP, SAML = "urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:2.0:assertion"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"


@pytest.fixture(scope="module")
def request_xml(made):
    """Make the XML of a request as a provider writes it."""

    def run(**changes):
        said = {
            "root": "LogoutRequest", "version": "2.0", "id": ' ID="_l1"', "at": made.at(), "until": "",
            "destination": f' Destination="{SLO}"', "issuer": f"<saml:Issuer>{made.ISSUER}</saml:Issuer>", "extra": "",
            "name": '<saml:NameID Format="urn:f">ana</saml:NameID>',
            "indexes": "<samlp:SessionIndex>_s1</samlp:SessionIndex>",
        } | changes  # fmt: skip
        return (
            f'<samlp:{said["root"]} xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}"{said["id"]} Version="{said["version"]}" '
            f'IssueInstant="{said["at"]}"{said["destination"]}{said["until"]}>{said["issuer"]}{said["extra"]}'
            f"{said['name']}{said['indexes']}</samlp:{said['root']}>"
        )

    return run


@pytest.fixture(scope="module")
def response_xml(made):
    """Make the XML of an answer as a provider writes it."""

    def run(status=made.SUCCESS, *, request=' InResponseTo="_l9"', destination=f' Destination="{SLO}"', at=None):
        return (
            f'<samlp:LogoutResponse xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="_o1" Version="2.0" '
            f'IssueInstant="{at or made.at()}"{destination}{request}><saml:Issuer>{made.ISSUER}</saml:Issuer>{status}'
            "</samlp:LogoutResponse>"
        )

    return run


def packed(xml):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.b64encode(packer.compress(xml.encode()) + packer.flush())


@pytest.fixture(scope="module")
def query(made):
    """Carry XML in a query and sign it, without a line of the library."""

    def run(
        idp, xml, *, name="SAMLRequest", state=None, algorithm=RSA_SHA256, kind="rsa-sha256", coded=quote_plus, **more
    ):
        text = f"{name}={coded(packed(xml))}"
        text += f"&RelayState={coded(state)}" if state is not None else ""
        text += f"&SigAlg={coded(algorithm)}"
        signed = made.raw_signature(more.get("key", idp.key), kind, text.encode())
        return f"{text}&Signature={coded(base64.b64encode(signed))}".encode()

    return run


@pytest.fixture(scope="module")
def read(made, trust):
    """Read a request, expecting what it says unless told otherwise."""

    def run(message, **changes):
        asked = {"trust": trust, "destination": SLO, "now": made.NOW} | changes
        return saml.read_logout_request(message, asked.pop("trust"), **asked)

    return run


@pytest.fixture(scope="module")
def read_answer(made, trust):
    def run(message, **changes):
        asked = {"trust": trust, "destination": SLO, "now": made.NOW, "in_response_to": "_l9"} | changes
        return saml.read_logout_response(message, asked.pop("trust"), **asked)

    return run


@pytest.fixture(params=["form", "query"], scope="module")
def sent(request, idp, query):
    """Sign and send XML by either binding."""
    if request.param == "form":
        return lambda xml, signer=idp, name="SAMLRequest": signer.signed(xml)
    return lambda xml, signer=idp, name="SAMLRequest": saml.read_redirect(query(signer, xml, name=name))


def test_a_signed_request_says_whose_session_ends(sent, read, request_xml, made):
    found = read(sent(request_xml()))

    assert (found.id, found.issuer, found.name_id, found.name_id_format) == ("_l1", made.ISSUER, "ana", "urn:f")
    assert found.session_indexes == ("_s1",)
    assert found.issued_at == made.NOW
    assert found.not_on_or_after == made.NOW + timedelta(minutes=5)
    assert b"Signature" not in found.xml


def test_a_request_without_sessions_ends_all_of_them(sent, read, request_xml):
    assert read(sent(request_xml(indexes=""))).session_indexes == ()


def test_the_earlier_end_counts(sent, read, request_xml, made):
    found = read(sent(request_xml(until=f' NotOnOrAfter="{made.at(30)}"')))

    assert found.not_on_or_after == made.NOW + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"version": "1.1"}, saml.WrongVersion),
        ({"issuer": "<saml:Issuer>https://other.example/</saml:Issuer>"}, saml.WrongIssuer),
        ({"issuer": ""}, saml.UnexpectedStructure),
        ({"issuer": "<saml:Issuer>https://idp.example/</saml:Issuer>" * 2}, saml.UnexpectedStructure),
        ({"destination": ' Destination="https://sp.example/other"'}, saml.WrongDestination),
        ({"destination": ""}, saml.WrongDestination),
        ({"name": ""}, saml.UnexpectedStructure),
        ({"name": "<saml:NameID>ana</saml:NameID>" * 2}, saml.UnexpectedStructure),
        ({"name": "<saml:BaseID/>"}, saml.UnexpectedStructure),
        ({"indexes": "<samlp:Status/>"}, saml.UnexpectedStructure),
        ({"indexes": "<samlp:SessionIndex>_s1</samlp:SessionIndex>" * 65}, saml.DocumentTooLarge),
        ({"root": "AuthnRequest"}, saml.UnexpectedStructure),
        ({"root": "Response"}, saml.UnexpectedStructure),
        ({"extra": "<samlp:SessionIndex>_s1</samlp:SessionIndex>"}, saml.UnexpectedStructure),
        ({"at": "yesterday"}, saml.MalformedDocument),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value.__name__,
)
def test_a_request_that_is_not_as_it_must_be_is_refused(sent, read, request_xml, changes, error):
    with pytest.raises(error):
        read(sent(request_xml(**changes)))


@pytest.mark.parametrize(
    ("at", "until", "is_taken"),
    [(-359, None, True), (-360, None, False), (60, None, True), (61, None, False), (-10, -59, True), (-10, -60, False)],
    ids=[
        "a-second-before-its-lifetime-and-the-leeway-are-over",
        "its-lifetime-and-the-leeway-are-over",
        "from-a-future-within-the-leeway",
        "from-a-future-beyond-the-leeway",
        "its-own-end-is-within-the-leeway",
        "its-own-end-is-a-leeway-ago",
    ],
)
def test_a_request_counts_for_its_lifetime(sent, read, request_xml, made, at, until, is_taken):
    said = f' NotOnOrAfter="{made.at(until)}"' if until is not None else ""
    message = sent(request_xml(at=made.at(at), until=said))

    if is_taken:
        assert read(message).id == "_l1"
    else:
        with pytest.raises(saml.MessageNotFresh):
            read(message)


def test_a_request_signed_by_somebody_else_is_refused(sent, read, request_xml, attacker):
    with pytest.raises(saml.BadSignature):
        read(sent(request_xml(), attacker))


def test_an_old_and_a_new_key_count_together(sent, read, request_xml, made, idp, attacker):
    both = saml.Trust(made.ISSUER, (attacker.cert, idp.cert))

    assert read(sent(request_xml()), trust=both).id == "_l1"
    assert read(sent(request_xml(), attacker), trust=both).id == "_l1"


def test_a_request_in_a_form_without_a_signature_is_refused(read, request_xml):
    with pytest.raises(saml.NotSigned):
        read(request_xml().encode())


def test_a_request_in_a_query_without_a_signature_is_refused(read, request_xml):
    bare = saml.read_redirect(b"SAMLRequest=" + quote_plus(packed(request_xml())).encode())

    assert bare.signature is None
    with pytest.raises(saml.NotSigned):
        read(bare)


def test_an_enveloped_signature_does_not_make_up_for_one_of_the_query(read, request_xml, idp):
    signed = idp.signed(request_xml()).decode()

    with pytest.raises(saml.NotSigned):
        read(saml.read_redirect(b"SAMLRequest=" + quote_plus(packed(signed)).encode()))


def test_a_message_in_a_query_carries_no_signature_of_its_own(read, request_xml, idp, query):
    with pytest.raises(saml.SignatureRefused):
        read(saml.read_redirect(query(idp, idp.signed(request_xml()).decode())))


def test_a_comment_splits_no_name(sent, read, request_xml):
    assert read(sent(request_xml(name="<saml:NameID>a<!-- x -->na</saml:NameID>"))).name_id == "ana"


def test_a_processing_instruction_in_a_name_is_refused(read, request_xml, idp):
    signed = idp.signed(request_xml())

    assert read(signed).name_id == "ana"
    with pytest.raises(saml.ForbiddenConstruct):
        read(signed.replace(b">ana<", b">a<?x?>na<"))


def test_an_encrypted_name_is_opened(sent, read, request_xml, made, sp_key):
    name = f'<saml:NameID xmlns:saml="{SAML}">ben</saml:NameID>'.encode()
    message = sent(request_xml(name=made.encrypt(name, sp_key, wrapper="saml:EncryptedID")))

    assert read(message, decryption_keys=(sp_key,)).name_id == "ben"
    with pytest.raises(saml.NoDecryptionKey):
        read(message)


def test_a_wrapped_request_is_not_read(read, request_xml, idp):
    genuine = idp.signed(request_xml(id=' ID="_g1"')).decode()
    evil = request_xml(name="<saml:NameID>ben</saml:NameID>", extra=f"<samlp:Extensions>{genuine}</samlp:Extensions>")
    moved = etree.fromstring(evil)
    signature = moved.find(".//{http://www.w3.org/2000/09/xmldsig#}Signature")
    moved.insert(1, signature)

    with pytest.raises(saml.NotSigned):
        read(evil.encode())
    with pytest.raises(saml.SignatureRefused):
        read(etree.tostring(moved))


def test_sha1_counts_only_where_it_is_allowed(read, request_xml, idp, query):
    old = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
    message = saml.read_redirect(query(idp, request_xml(), algorithm=old, kind="rsa-sha1"))

    with pytest.raises(saml.AlgorithmRefused):
        read(message)
    assert read(message, allow_sha1=True).name_id == "ana"


@pytest.mark.parametrize(
    "algorithm",
    ["http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", "http://www.w3.org/2000/09/xmldsig#dsa-sha1", "none"],
)
def test_other_algorithms_of_a_query_are_refused(read, request_xml, idp, query, algorithm):
    with pytest.raises(saml.AlgorithmRefused):
        read(saml.read_redirect(query(idp, request_xml(), algorithm=algorithm)), allow_sha1=True)


@pytest.mark.parametrize("bits", [256, 384, 521])
def test_curves_sign_queries(read, request_xml, query, curves, made, bits):
    name = {256: "sha256", 384: "sha384", 521: "sha512"}[bits]
    signer = curves[bits]
    uri = f"http://www.w3.org/2001/04/xmldsig-more#ecdsa-{name}"
    message = saml.read_redirect(query(signer, request_xml(), algorithm=uri, kind=f"ecdsa-{name}"))

    assert read(message, trust=saml.Trust(made.ISSUER, (signer.cert,))).id == "_l1"


def lower(text):
    return re.sub("%..", lambda found: found[0].lower(), quote_plus(text))


@pytest.mark.parametrize(
    "coded",
    [quote_plus, lower, lambda text: quote(text, safe="")],
    ids=["as-browsers-do", "lower-case-as-.NET-does", "a-space-as-20"],
)
def test_the_octets_count_however_they_are_escaped(read, request_xml, idp, query, coded):
    message = saml.read_redirect(query(idp, request_xml(), state="a b/c", coded=coded))

    assert message.relay_state == "a b/c"
    assert read(message).id == "_l1"


def test_a_query_escaped_anew_is_no_longer_the_signed_one(read, request_xml, idp, query):
    signed = query(idp, request_xml(), state="a/b")
    message, _, signature = signed.partition(b"&Signature=")

    with pytest.raises(saml.BadSignature):
        read(saml.read_redirect(message.replace(b"%2F", b"%2f") + b"&Signature=" + signature))


@pytest.mark.parametrize(
    "changed",
    [
        lambda fields: [fields[1], fields[0], *fields[2:]],
        lambda fields: [*fields[:1], fields[2], fields[1], fields[3]],
        lambda fields: [*fields[:2], fields[3], fields[2]],
        lambda fields: [fields[0], *fields],
        lambda fields: [*fields[:2], fields[1], *fields[2:]],
        lambda fields: [*fields, fields[0]],
        lambda fields: [*fields, fields[3]],
        lambda fields: [*fields, "SAMLResponse=YQ"],
        lambda fields: [*fields, "more=1"],
        lambda fields: ["more=1", *fields],
        lambda fields: fields[:3],
        lambda fields: [*fields[:2], fields[3]],
        lambda fields: [*fields, ""],
        lambda fields: [fields[0] + "%", *fields[1:]],
        lambda fields: [fields[0] + "%zz", *fields[1:]],
        lambda fields: [fields[0] + "+", *fields[1:]],
        lambda fields: [fields[0] + "%0A", *fields[1:]],
        lambda fields: [fields[0].replace("SAMLRequest", "samlrequest"), *fields[1:]],
        lambda fields: [fields[0].replace("SAMLRequest", "SAMLReques%74"), *fields[1:]],
        lambda fields: [fields[0], "RelayState=%ff", *fields[2:]],
        lambda fields: [";".join(fields)],
        lambda _fields: [],
    ],
    ids=[
        "the-message-second", "the-algorithm-before-the-state", "the-signature-before-the-algorithm",
        "the-message-twice", "the-state-twice", "the-message-again-behind", "the-signature-twice",
        "a-response-as-well", "something-else-behind", "something-else-before", "an-algorithm-without-a-signature",
        "a-signature-without-an-algorithm", "an-empty-field", "half-an-escape", "no-escape", "a-plus-in-base64",
        "a-line-feed-in-base64", "a-name-in-lower-case", "an-escaped-name", "a-state-that-is-no-text", "semicolons",
        "nothing",
    ],
)  # fmt: skip
def test_a_query_in_another_form_is_refused(request_xml, idp, query, changed):
    fields = query(idp, request_xml(), state="opaque").decode().split("&")
    assert saml.read_redirect("&".join(fields).encode()).relay_state == "opaque"

    with pytest.raises(saml.MalformedDocument):
        saml.read_redirect("&".join(changed(fields)).encode())


def test_a_long_query_is_refused():
    with pytest.raises(saml.DocumentTooLarge):
        saml.read_redirect(b"SAMLRequest=" + b"A" * 65536)
    with pytest.raises(saml.DocumentTooLarge):
        saml.read_redirect(b"SAMLRequest=" + quote_plus(packed("<a/>")).encode() + b"&RelayState=" + b"x" * 1025)


def test_a_query_that_inflates_to_a_bomb_is_refused():
    with pytest.raises(saml.DocumentTooLarge):
        saml.read_redirect(b"SAMLRequest=" + quote_plus(packed(" " * 3_000_000)).encode())


@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_one_flipped_bit_of_a_query_is_refused(read, request_xml, idp, query, place, bit):
    signed = bytearray(query(idp, request_xml(), state="opaque"))
    signed[place % len(signed)] ^= 1 << bit

    with pytest.raises(saml.SamlError):
        read(saml.read_redirect(bytes(signed)))


@given(junk=st.binary(max_size=300) | st.text(max_size=200).map(lambda text: b"SAMLRequest=" + text.encode()))
def test_any_query_gives_only_our_errors(junk):
    try:
        saml.read_redirect(junk)
    except saml.SamlError:
        return


PARTIAL = (
    '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"><samlp:StatusCode '
    'Value="urn:oasis:names:tc:SAML:2.0:status:PartialLogout"/></samlp:StatusCode></samlp:Status>'
)
DENIED = (
    '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"/>'
    "<samlp:StatusMessage>no</samlp:StatusMessage></samlp:Status>"
)


@pytest.mark.parametrize(
    ("status", "is_success", "is_partial"),
    [(None, True, False), (PARTIAL, False, True), (DENIED, False, False)],
    ids=["done", "done-in-part", "not-done"],
)
def test_an_answer_tells_how_it_went(sent, read_answer, response_xml, status, is_success, is_partial):
    xml = response_xml() if status is None else response_xml(status)
    found = read_answer(sent(xml, name="SAMLResponse"))

    assert (found.is_success, found.is_partial, found.in_response_to) == (is_success, is_partial, "_l9")
    assert found.is_signed


@pytest.mark.parametrize("request_", ["", ' InResponseTo="_l8"'], ids=["no-request", "another-request"])
def test_an_answer_to_something_else_is_refused(sent, read_answer, response_xml, request_):
    with pytest.raises(saml.WrongRequest):
        read_answer(sent(response_xml(request=request_), name="SAMLResponse"))


@pytest.mark.parametrize("status", ["", PARTIAL * 2, "<samlp:Status/>"])
def test_an_answer_has_one_status(sent, read_answer, response_xml, status):
    with pytest.raises(saml.UnexpectedStructure):
        read_answer(sent(response_xml(status), name="SAMLResponse"))


def test_an_answer_without_a_signature_counts_only_where_that_is_said(read_answer, response_xml):
    xml = response_xml(destination="").encode()

    with pytest.raises(saml.NotSigned):
        read_answer(xml)
    found = read_answer(xml, must_be_signed=False)
    assert (found.is_signed, found.is_success) == (False, True)


def test_a_bad_signature_is_refused_also_where_none_was_needed(sent, read_answer, response_xml, attacker):
    with pytest.raises(saml.BadSignature):
        read_answer(sent(response_xml(), attacker, "SAMLResponse"), must_be_signed=False)


def test_a_request_is_no_answer_and_an_answer_is_no_request(sent, read, read_answer, request_xml, response_xml):
    with pytest.raises(saml.UnexpectedStructure):
        read_answer(sent(request_xml()))
    with pytest.raises(saml.UnexpectedStructure):
        read(sent(response_xml()))


@pytest.mark.parametrize("binding", [saml.POST, saml.REDIRECT])
def test_what_we_send_is_what_we_read(read, read_answer, made, idp, binding):
    common = {"issuer": made.ISSUER, "destination": SLO, "now": made.NOW, "key": idp.key, "binding": binding}
    request = saml.logout_request(id="_l1", name_id="ana", session_index="_s1", **common)
    answer = saml.logout_response(
        id="_o1", in_response_to="_l9", status=(saml.RESPONDER, saml.PARTIAL_LOGOUT), **common
    )
    if binding == saml.REDIRECT:
        request, answer = (saml.read_redirect(urlsplit(url).query) for url in (request, answer))
        assert (request.is_response, answer.is_response) == (False, True)

    assert read(request).session_indexes == ("_s1",)
    assert read_answer(answer).status == (saml.RESPONDER, saml.PARTIAL_LOGOUT)


def test_the_state_of_a_provider_is_echoed_whole(made, idp):
    url = saml.logout_response(
        id="_o1", issuer=made.AUDIENCE, destination=SLO, now=made.NOW, in_response_to="_l1", key=idp.key,
        binding=saml.REDIRECT, relay_state="ä" * 300,
    )  # fmt: skip

    assert parse_qs(urlsplit(url.decode()).query)["RelayState"] == ["ä" * 300]


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("leeway", timedelta(hours=2)),
        ("leeway", timedelta(seconds=-1)),
        ("lifetime", timedelta(0)),
        ("lifetime", timedelta(days=2)),
        ("now", None),
    ],
)
def test_a_reader_that_is_asked_wrongly_says_so(read, request_xml, argument, value):
    with pytest.raises(saml.AskedWrongly) as refused:
        read(request_xml().encode(), **{argument: value})
    assert refused.value.argument == argument


def test_an_answer_with_three_codes_is_the_callers_mistake(made):
    with pytest.raises(saml.AskedWrongly):
        saml.logout_response(
            id="_o1", issuer="a", destination=SLO, now=made.NOW, in_response_to=None, status=("a", "b", "c")
        )
