"""Attacks that nobody wrote down: forged documents put together by strategies, from documents that we signed.

Whatever is done, the result is refused or says what the signed document says; and for each game there is a form of it
that changes nothing and is accepted, so that the game is known to be played.
"""

import copy
import re

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from lxml import etree

from actas import saml

SAML, SAMLP = "urn:oasis:names:tc:SAML:2.0:assertion", "urn:oasis:names:tc:SAML:2.0:protocol"
DS = "http://www.w3.org/2000/09/xmldsig#"
ASSERTION, SIGNATURE = f"{{{SAML}}}Assertion", f"{{{DS}}}Signature"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
MANY = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
SIGNS = ["assertion", "response", "both"]


@pytest.fixture(scope="module", params=SIGNS)
def genuine(request, idp, verify):
    response = idp.response(sign=request.param)
    return request.param, response, said(verify, response)


def said(verify, response):
    """What is believed of a document: who, what, until when; None where it is refused."""
    try:
        found = verify(response)
    except saml.SamlError:
        return None
    return found.id, found.name_id, dict(found.attributes), found.not_on_or_after, found.xml


def believed_as_before(verify, forged, wanted):
    found = said(verify, forged)
    return found is None or found == wanted


# --- one byte --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", ["assertion", "response"])
def test_one_flipped_byte_anywhere_in_the_signed_part_is_refused(idp, verify, sign):
    """Every byte of the signed element and of its SignedInfo and SignatureValue, one after the other."""
    twice_declared = f'<saml:Assertion xmlns:saml="{SAML}"'.encode()  # which is in no canonical form
    response = idp.response(sign=sign, how={"key_info": None}).replace(twice_declared, b"<saml:Assertion")
    assert verify(response).name_id == "ana"
    start, end = (
        (0, len(response))
        if sign == "response"
        else re.search(rb"<saml:Assertion.*</saml:Assertion>", response, re.DOTALL).span()
    )

    survivors = []
    for at in range(start, end):
        changed = bytearray(response)
        changed[at] ^= 1
        if said(verify, bytes(changed)) is not None:
            survivors.append((at, response[at - 12 : at + 12]))
    assert survivors == []


@pytest.mark.parametrize("part", ["SignatureValue", "DigestValue"])
def test_base64_has_one_form(idp, verify, part):
    response = idp.response()
    at = re.search(rb"<ds:%s>[^<]*?([A-Za-z0-9+/])=" % part.encode(), response).start(1)
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = alphabet[alphabet.index(response[at]) ^ 1]

    assert verify(response).name_id == "ana"
    assert said(verify, response[:at] + bytes([other]) + response[at + 1 :]) is None


# --- wrapping, by strategy --------------------------------------------------------------------------------------------


@st.composite
def forgeries(draw, response, sign):
    """A forged root around, beside or inside the signed element: XSW 1 to 8 are points of this space."""
    root = etree.fromstring(response)
    signed = root if sign == "response" else root.find(ASSERTION)
    forged = copy.deepcopy(signed)
    for name in forged.iter(f"{{{SAML}}}NameID"):
        name.text = "eve"
    forged.set("ID", draw(st.sampled_from([signed.get("ID"), "_evil", ""])))
    keeps = draw(st.sampled_from(["forged", "original", "both", "neither"]))
    original = copy.deepcopy(signed)
    for one, name in ((forged, "forged"), (original, "original")):
        signature = one.find(SIGNATURE)
        if signature is not None and keeps not in {name, "both"}:
            one.remove(signature)
    if sign == "response":
        whole = forged
    else:
        whole = root
        root.replace(signed, forged)
        if draw(st.booleans()):
            root.set("ID", draw(st.sampled_from(["_r1", "_a1", "_x"])))
    places = list(whole.iter(etree.Element))
    place = draw(st.sampled_from(places))
    wrapped = draw(st.sampled_from([None, f"{{{DS}}}Object", f"{{{SAMLP}}}Extensions", f"{{{SAML}}}Advice", "x"]))
    if wrapped is not None:
        holder = etree.Element(wrapped)
        holder.append(original)
        original = holder
    place.insert(draw(st.integers(0, len(place))), original)
    if keeps == "neither" and draw(st.booleans()):  # the signature stands alone, somewhere else
        alone = copy.deepcopy(signed.find(SIGNATURE))
        draw(st.sampled_from(places)).insert(0, alone)
    return etree.tostring(whole)


@MANY
@given(data=st.data())
def test_a_forged_document_around_the_signed_one_is_never_believed(genuine, verify, data):
    sign, response, wanted = genuine
    forged = data.draw(forgeries(response, "assertion" if sign == "both" else sign))

    assert b"eve" in forged
    assert believed_as_before(verify, forged, wanted)


# --- comments and processing instructions -----------------------------------------------------------------------------


@MANY
@given(data=st.data())
def test_a_processing_instruction_is_refused_wherever_it_stands(genuine, verify, data):
    _, response, _ = genuine
    at = data.draw(st.integers(0, len(response)))
    target = data.draw(st.sampled_from([b"<?x y?>", b"<?x?>", b"<?y href='a'?>", b"<?XML version='1.0'?>"]))

    assert said(verify, response[:at] + target + response[at:]) is None


@MANY
@given(data=st.data())
def test_a_comment_cuts_no_text(genuine, verify, data):
    _, response, wanted = genuine
    at = data.draw(st.integers(0, len(response)))
    put = data.draw(st.sampled_from([b"<!---->", b"<!-- > -->", b"<!--<saml:NameID>eve</saml:NameID>-->"]))

    assert believed_as_before(verify, response[:at] + put + response[at:], wanted)


@pytest.mark.parametrize("sign", SIGNS)
def test_a_comment_inside_the_name_of_a_signed_document_leaves_the_whole_name(idp, verify, sign):
    response = idp.response(sign=sign, name="<saml:NameID>ana@people.example<!-- -->.evil.example</saml:NameID>")

    assert verify(response).name_id == "ana@people.example.evil.example"


# --- namespaces -------------------------------------------------------------------------------------------------------

SPACES = st.sampled_from(
    [
        'xmlns:v="urn:v"', 'xmlns:saml="urn:x"', 'xmlns:samlp="urn:x"', 'xmlns:ds="urn:x"', 'xmlns="urn:x"', 'xmlns=""',
        f'xmlns="{SAML}"', f'xmlns:ds="{SAML}"', f'xmlns:saml="{SAMLP}"', f'xmlns:a="{SAML}"', 'xml:base="urn:b"',
        'xml:space="preserve"', 'xml:lang="de"', f'xmlns:ec="{EXC}"',
    ]
)  # fmt: skip
VOID = st.sampled_from(
    [
        'xmlns:v="1"', 'xmlns:v="a/b"', 'xmlns:v="../x"', 'xmlns:v="#a"', 'xmlns:v="//h/p"', "xmlns:v='?q'",
        'xmlns:v="&#49;"', 'xmlns:v="urn"', 'xmlns:v="http//x"', 'xmlns:v=":x"', 'xmlns:v=" urn:x"',
    ]
)  # fmt: skip


def tags(response):
    """Where a start tag's name ends: there attributes can be put."""
    return [found.end() for found in re.finditer(rb"<[A-Za-z][A-Za-z0-9:]*", response)]


@MANY
@given(data=st.data())
def test_namespaces_declared_anywhere_change_nothing_or_are_refused(genuine, verify, data):
    _, response, wanted = genuine
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.sampled_from(tags(response)))
        response = response[:at] + b" " + data.draw(SPACES).encode() + response[at:]

    assert believed_as_before(verify, response, wanted)


@pytest.mark.parametrize("sign", SIGNS)
def test_a_namespace_that_nobody_uses_may_be_declared_around_what_is_signed(idp, verify, sign):
    response = idp.response(sign=sign)

    assert verify(response.replace(b"<samlp:Response ", b'<samlp:Response xmlns:v="urn:v" ', 1)).name_id == "ana"


@MANY
@given(data=st.data())
def test_void_canonicalisation_is_refused_wherever_the_namespace_stands(genuine, verify, data):
    _, response, _ = genuine
    at = data.draw(st.sampled_from(tags(response)))

    assert said(verify, response[:at] + b" " + data.draw(VOID).encode() + response[at:]) is None


@MANY
@given(data=st.data())
def test_prefixes_renamed_inside_what_is_signed_are_refused(genuine, verify, data):
    _, response, wanted = genuine
    old, new = data.draw(st.sampled_from([("saml", "s"), ("samlp", "p"), ("ds", "dsig"), ("saml", "samlp")]))
    text = response.decode()
    renamed = re.sub(rf"(</?|xmlns:|\s){old}(?=[:=])", rf"\1{new}", text)

    assert believed_as_before(verify, renamed.encode(), wanted)


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("prefixes", ["xs", "xs xsi", "saml", "samlp saml ds", "nobody"])
def test_signers_may_list_prefixes(idp, verify, sign, prefixes):
    spaces = ' xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'

    assert verify(idp.response(sign=sign, how={"prefixes": prefixes}, envelope={"namespaces": spaces})).name_id == "ana"


@pytest.mark.parametrize("prefixes", ["a b " * 9, "a:b", "<", "1", "x" * 65, "xs,xsi"])
def test_lists_of_prefixes_in_another_form_are_refused(idp, verify, prefixes):
    response = idp.response(how={"prefixes": "xs"}).replace(b'PrefixList="xs"', f'PrefixList="{prefixes}"'.encode())

    with pytest.raises(saml.SamlError):
        verify(response)


# --- IDs --------------------------------------------------------------------------------------------------------------

IDS = st.sampled_from(["_a1", "_r1", "#_a1", "_a1 ", " _a1", "_A1", "&#95;a1", "_a1&#10;", "", "_x"])
ID_NAMES = st.sampled_from(["ID", "Id", "id", "iD", "xml:id", "saml:ID", "samlp:ID", "ds:Id", "AssertionID"])


@MANY
@given(data=st.data())
@example(data=None)
def test_an_id_added_anywhere_changes_nothing_or_is_refused(genuine, verify, data):
    _, response, wanted = genuine
    if data is None:
        assert said(verify, response) == wanted
        return
    at = data.draw(st.sampled_from(tags(response)))
    put = f' {data.draw(ID_NAMES)}="{data.draw(IDS)}"'.encode()

    assert believed_as_before(verify, response[:at] + put + response[at:], wanted)


@MANY
@given(data=st.data())
def test_ids_and_references_that_are_rewritten_are_refused(genuine, verify, data):
    sign, response, wanted = genuine
    own = b"_r1" if sign == "response" else b"_a1"
    new = data.draw(IDS).encode()
    where = data.draw(st.sampled_from(["ID", "URI", "both"]))
    changed = response.replace(b'ID="%s"' % own, b'ID="%s"' % new) if where != "URI" else response
    changed = changed.replace(b'URI="#%s"' % own, b'URI="#%s"' % new) if where != "ID" else changed
    assume(changed != response)

    found = said(verify, changed)
    assert found is None or (found == wanted and new == b"&#95;a1")  # the same ID, written otherwise


# --- holder of key ----------------------------------------------------------------------------------------------------

HOK = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
VOUCHES = "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"


def confirmed(made, *methods, inside=""):
    data = f'<saml:SubjectConfirmationData NotOnOrAfter="{made.at(300)}" Recipient="{made.ACS}" InResponseTo="_q1">'
    return "".join(
        f'<saml:SubjectConfirmation Method="{method}">{data}{inside}</saml:SubjectConfirmationData>'
        "</saml:SubjectConfirmation>"
        for method in methods
    )


def test_holder_of_key_is_refused_by_name(idp, verify, made):
    key = f'<ds:KeyInfo xmlns:ds="{DS}"><ds:KeyName>k</ds:KeyName></ds:KeyInfo>'

    with pytest.raises(saml.HolderOfKeyRefused):
        verify(idp.response(confirmation=confirmed(made, HOK, inside=key)))
    bearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
    assert verify(idp.response(confirmation=confirmed(made, HOK, bearer))).name_id == "ana"


@pytest.mark.parametrize("method", [VOUCHES, "", "urn:oasis:names:tc:SAML:1.0:cm:bearer", "bearer"])
def test_other_confirmations_are_refused(idp, verify, made, method):
    with pytest.raises(saml.NotConfirmed):
        verify(idp.response(confirmation=confirmed(made, method)))
