"""Whatever is done to a signed document, it is refused or says the same; and a second verifier agrees."""

import base64
import dataclasses
import zlib
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml import CanonicalizationMethod, SignatureConfiguration, XMLSigner, XMLVerifier
from signxml.algorithms import DigestAlgorithm, SignatureMethod

from actas import saml

FEW = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
NAME = "{urn:oasis:names:tc:SAML:2.0:assertion}Assertion"


def outcome(verify, response, **more):
    """What is said, whoever of the two signed it: one signature may be lost, and the other still hold."""
    try:
        return dataclasses.replace(verify(response, **more), signed="both")
    except saml.SamlError as refused:
        str(refused).encode()
        return None


@pytest.fixture(scope="module", params=["assertion", "response", "both"])
def genuine(request, idp, verify):
    response = idp.response(sign=request.param)
    return response, outcome(verify, response)


@FEW
@given(data=st.data())
def test_a_changed_byte_is_refused_or_changes_nothing(genuine, verify, data):
    response, wanted = genuine
    at = data.draw(st.integers(0, len(response) - 1))
    byte = data.draw(st.integers(0, 255))

    found = outcome(verify, response[:at] + bytes([byte]) + response[at + 1 :])

    assert found is None or found == wanted


@FEW
@given(data=st.data())
def test_bytes_put_in_or_taken_out_are_refused_or_change_nothing(genuine, verify, data):
    response, wanted = genuine
    start = data.draw(st.integers(0, len(response)))
    end = data.draw(st.integers(start, min(len(response), start + 40)))
    put = data.draw(st.sampled_from(PIECES) | st.binary(max_size=8))
    found = outcome(verify, response[:start] + put + response[end:])

    assert found is None or found == wanted


PIECES = [
    b"<!-- x -->", b"<?x y?>", b"eve", b"<x/>", b"&#10;", b"&amp;", b" ", b"\r\n", b'ID="_a1"', b'xmlns="urn:x"',
    b"<![CDATA[eve]]>", b"</saml:NameID><saml:NameID>eve", b'<saml:Assertion ID="_e"/>', b'xmlns:saml="urn:x"',
]  # fmt: skip


@FEW
@given(data=st.data())
def test_elements_moved_copied_or_renamed_are_refused_or_change_nothing(genuine, verify, data):
    response, wanted = genuine
    root = etree.fromstring(response)
    for _ in range(data.draw(st.integers(1, 3))):
        disturb(root, data.draw)
    found = outcome(verify, etree.tostring(root))

    assert found is None or found == wanted


def disturb(root, draw):
    """Move, copy, remove, rename or rewrite one element of the tree."""
    elements = [one for one in root.iter(etree.Element) if one is not root]
    if not elements:
        return
    one, place = draw(st.sampled_from(elements)), draw(st.sampled_from([root, *elements]))
    what = draw(st.sampled_from(["move", "copy", "remove", "rename", "text", "ID", "attribute"]))
    inside = any(ancestor is one for ancestor in (place, *place.iterancestors()))
    if what in {"move", "copy"} and not inside:
        moved = one if what == "move" else etree.fromstring(etree.tostring(one, with_tail=False))
        place.insert(draw(st.integers(0, len(place))), moved)
    elif what == "remove":
        one.getparent().remove(one)
    elif what == "rename":
        one.tag = draw(st.sampled_from(elements)).tag
    elif what == "text":
        one.text = draw(st.sampled_from(["eve", "", "_a1", "https://idp.example/"]))
    elif what == "ID":
        one.set("ID", draw(st.sampled_from(["_a1", "_r1", "_x"])))
    elif what == "attribute" and one.attrib:
        one.set(draw(st.sampled_from(sorted(one.attrib))), draw(st.sampled_from(["#_a1", "_q1", "eve", ""])))


@settings(FEW, max_examples=300)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_give_a_saml_error(verify, made, data):
    for read in (
        lambda: verify(data),
        lambda: saml.Metadata.parse(data, now=made.NOW),
        lambda: saml.Trust("https://idp.example/", (data,)),
        lambda: saml.decode_post(data.decode("latin-1")),
        lambda: saml.decode_redirect(base64.b64encode(zlib.compress(data)[2:-4]).decode()),
    ):
        try:
            read()
        except saml.SamlError as refused:
            str(refused).encode()


# --- a second opinion ------------------------------------------------------------------------------------------------


def second_opinion(response, idp, made, sign):
    """What signxml says is signed, with the place pinned."""
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(idp.cert) + b"-----END CERTIFICATE-----\n"
    config = SignatureConfiguration(
        require_x509=True,
        location="./" if sign == "response" else f"./{NAME}/",
        signature_methods=frozenset(SignatureMethod),
        digest_algorithms=frozenset(DigestAlgorithm),
        verification_time=made.NOW - timedelta(days=30),
    )
    return XMLVerifier().verify(response, x509_cert=pem, id_attribute="ID", expect_config=config, validate_schema=False)


@pytest.mark.parametrize("algorithm", ["rsa-sha256", "rsa-sha384", "rsa-sha512", "pss-sha256"])
@pytest.mark.parametrize("sign", ["assertion", "response"])
def test_signxml_reads_the_same_bytes(idp, verify, made, sign, algorithm):
    name = "<saml:NameID>a<!-- x -->n&#97; \n</saml:NameID>"
    response = idp.response(sign=sign, name=name, how={"algorithm": algorithm})

    ours = verify(response)
    theirs = second_opinion(response, idp, made, sign).signed_xml
    found = theirs if sign == "assertion" else theirs.find(NAME)

    assert etree.tostring(found, method="c14n", exclusive=True, with_comments=False, with_tail=False) == ours.xml


@settings(FEW, max_examples=60)
@given(data=st.data())
def test_what_we_accept_after_a_change_signxml_accepts_too(idp, verify, made, data):
    response = idp.response()
    start = data.draw(st.integers(0, len(response)))
    put = data.draw(st.sampled_from([b" ", b"\n", b"<!-- x -->", b"&#32;"]))
    changed = response[:start] + put + response[start:]
    ours = outcome(verify, changed)

    if ours is not None:
        theirs = second_opinion(changed, idp, made, "assertion").signed_xml
        assert etree.tostring(theirs, method="c14n", exclusive=True, with_comments=False, with_tail=False) == ours.xml


@pytest.mark.parametrize("digest", [256, 384, 512])
@pytest.mark.parametrize("kind", ["RSA", "ECDSA", "PSS"])
def test_what_signxml_signs_we_read(idp, curves, verify, made, kind, digest):
    """A signer that none of us wrote, for each algorithm: a curve's r and s as others write them."""
    signer = curves[{256: 256, 384: 384, 512: 521}[digest]] if kind == "ECDSA" else idp
    name = f"SHA{digest}_RSA_MGF1" if kind == "PSS" else f"{kind}_SHA{digest}"
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(signer.cert) + b"-----END CERTIFICATE-----\n"
    signing = XMLSigner(
        signature_algorithm=SignatureMethod[name],
        digest_algorithm=f"sha{digest}",
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    root = etree.fromstring(idp.assertion())
    signed = signing.sign(root, key=made.pem(signer.key), cert=[pem.decode()], reference_uri="_a1", id_attribute="ID")
    response = idp.envelope(etree.tostring(signed).decode()).encode()

    assert verify(response, trust=saml.Trust(made.ISSUER, (signer.cert,))).name_id == "ana"
    with pytest.raises(saml.BadDigest):
        verify(response.replace(b">ana<", b">eve<"), trust=saml.Trust(made.ISSUER, (signer.cert,)))
