"""Signature wrapping, XSW 1-8 and what came after: each attack is made from a response of ours that is accepted."""

import copy

import pytest
from lxml import etree

from actas import saml

SAML, SAMLP = "urn:oasis:names:tc:SAML:2.0:assertion", "urn:oasis:names:tc:SAML:2.0:protocol"
DS = "http://www.w3.org/2000/09/xmldsig#"
ASSERTION, SIGNATURE = f"{{{SAML}}}Assertion", f"{{{DS}}}Signature"


def parts(response):
    root = etree.fromstring(response)
    return root, root.find(ASSERTION)


def evil(element, identifier="_evil"):
    """A copy that says what the attacker wants."""
    forged = copy.deepcopy(element)
    if identifier:
        forged.set("ID", identifier)
    for name in forged.iter(f"{{{SAML}}}NameID"):
        name.text = "eve"
    return forged


def bare(element):
    """A copy without the signature of its own."""
    stripped = copy.deepcopy(element)
    stripped.remove(stripped.find(SIGNATURE))
    return stripped


def xsw1(response):
    root, _ = parts(response)
    forged = evil(root)
    forged.find(SIGNATURE).append(bare(root))
    return forged


def xsw2(response):
    root, _ = parts(response)
    forged = evil(root)
    forged.insert(forged.index(forged.find(SIGNATURE)), bare(root))
    return forged


def xsw3(response):
    root, signed = parts(response)
    root.insert(root.index(signed), evil(bare(signed)))
    return root


def xsw4(response):
    root, signed = parts(response)
    forged = evil(bare(signed))
    root.replace(signed, forged)
    forged.append(signed)
    return root


def xsw5(response):
    root, signed = parts(response)
    original = bare(signed)
    root.replace(signed, evil(signed))
    root.append(original)
    return root


def xsw6(response):
    root, signed = parts(response)
    forged = evil(signed)
    root.replace(signed, forged)
    forged.find(SIGNATURE).append(bare(signed))
    return root


def xsw7(response):
    root, signed = parts(response)
    extensions = etree.Element(f"{{{SAMLP}}}Extensions")
    root.insert(1, extensions)
    extensions.append(evil(bare(signed), None))
    return root


def xsw8(response):
    root, signed = parts(response)
    forged = evil(signed, None)
    root.replace(signed, forged)
    etree.SubElement(forged.find(SIGNATURE), f"{{{DS}}}Object").append(bare(signed))
    return root


def hidden_in(*path):
    """The genuine assertion hides in another element, and a forged one stands in its place."""

    def attack(response):
        root, signed = parts(response)
        root.replace(signed, evil(bare(signed)))
        place = root
        for name in path:
            found = place.find(name)
            place = etree.SubElement(place, name) if found is None else found
        place.append(signed)
        return root

    return attack


def forged_behind(response):
    root, signed = parts(response)
    root.append(evil(bare(signed)))
    return root


def signature_moved_to_the_response(response):
    root, signed = parts(response)
    signature = signed.find(SIGNATURE)
    root.replace(signed, evil(bare(signed)))
    root.insert(1, signature)
    return root


def signature_moved_into_the_subject(response):
    root, signed = parts(response)
    signed.find(f"{{{SAML}}}Subject").append(signed.find(SIGNATURE))
    return root


def signature_moved_to_a_forged_one(response):
    root, signed = parts(response)
    forged = evil(bare(signed))
    forged.insert(1, signed.find(SIGNATURE))
    root.replace(signed, forged)
    return root


def signature_twice(response):
    root, signed = parts(response)
    signed.insert(1, copy.deepcopy(signed.find(SIGNATURE)))
    return root


def response_in_a_response(response):
    root, _ = parts(response)
    forged = evil(root)
    forged.append(root)
    return forged


def assertion_in_the_key_info(response):
    root, signed = parts(response)
    forged = evil(signed)
    root.replace(signed, forged)
    forged.find(f"{SIGNATURE}/{{{DS}}}KeyInfo").append(bare(signed))
    return root


def assertion_in_the_advice_of_a_forged_one(response):
    root, signed = parts(response)
    forged = evil(bare(signed))
    root.replace(signed, forged)
    etree.SubElement(forged, f"{{{SAML}}}Advice").append(signed)
    return root


def advice_signature_lifted(response):
    """The forged assertion carries the signature of the assertion in its advice."""
    root, signed = parts(response)
    forged = evil(bare(signed))
    advice = etree.SubElement(forged, f"{{{SAML}}}Advice")
    advice.append(bare(signed))
    forged.insert(1, copy.deepcopy(signed.find(SIGNATURE)))
    root.replace(signed, forged)
    return root


def root_is_something_else(response):
    root, _ = parts(response)
    around = etree.Element("{urn:x}Envelope")
    around.append(root)
    return around


def forged_root_with_assertion_name(response):
    root, signed = parts(response)
    forged = evil(bare(signed))
    forged.append(root)
    return forged


STATUS_DETAIL = (f"{{{SAMLP}}}Status", f"{{{SAMLP}}}StatusDetail")
OF_THE_RESPONSE = {"XSW1": xsw1, "XSW2": xsw2, "a response in a forged response": response_in_a_response}
OF_THE_ASSERTION = {
    "XSW3": xsw3,
    "XSW4": xsw4,
    "XSW5": xsw5,
    "XSW6": xsw6,
    "XSW7": xsw7,
    "XSW8": xsw8,
    "CVE-2022-41912, the second of two is used": forged_behind,
    "CVE-2026-47201, the genuine one hides in Extensions": hidden_in(f"{{{SAMLP}}}Extensions"),
    "the genuine one hides in StatusDetail": hidden_in(*STATUS_DETAIL),
    "the genuine one hides in an element nobody knows": hidden_in("{urn:x}Holder"),
    "the genuine one hides in the advice of the forged one": assertion_in_the_advice_of_a_forged_one,
    "the genuine one hides in KeyInfo": assertion_in_the_key_info,
    "the signature is moved to the response": signature_moved_to_the_response,
    "the signature is moved into the subject": signature_moved_into_the_subject,
    "the signature is moved to the forged one": signature_moved_to_a_forged_one,
    "the signature is lifted from the advice": advice_signature_lifted,
    "the signature is there twice": signature_twice,
    "the response stands in an envelope": root_is_something_else,
    "the response stands in a forged assertion": forged_root_with_assertion_name,
}
ALL = [
    *(pytest.param("response", attack, id=name) for name, attack in OF_THE_RESPONSE.items()),
    *(pytest.param("assertion", attack, id=name) for name, attack in OF_THE_ASSERTION.items()),
]


@pytest.mark.parametrize(("sign", "attack"), ALL)
def test_a_wrapped_document_is_refused(idp, verify, sign, attack):
    genuine = idp.response(sign=sign)
    forged = etree.tostring(attack(genuine))

    assert b"eve" in forged or attack in {signature_twice, signature_moved_into_the_subject, root_is_something_else}
    assert verify(genuine).name_id == "ana"
    with pytest.raises(saml.SamlError):
        verify(forged)


@pytest.mark.parametrize("attack", OF_THE_ASSERTION.values(), ids=OF_THE_ASSERTION)
def test_a_document_wrapped_before_it_was_encrypted_is_refused(idp, verify, made, sp_key, attack):
    if attack in {root_is_something_else, forged_root_with_assertion_name}:
        pytest.skip("it changes the root, which is not inside the ciphertext")
    keys = (made.pem(sp_key),)
    forged = attack(idp.response())
    inside = forged.find(ASSERTION)

    assert verify(idp.envelope(made.encrypt(idp.signed(idp.assertion()), sp_key)).encode(), decryption_keys=keys)
    try:
        found = verify(idp.envelope(made.encrypt(etree.tostring(inside), sp_key)).encode(), decryption_keys=keys)
    except saml.SamlError:
        return
    assert found.name_id == "ana"  # what is left of the attack is the genuine assertion


def test_an_assertion_in_advice_is_not_in_the_way(idp, verify):
    advice = f"<saml:Advice>{idp.assertion(id='_a0', name='<saml:NameID>bob</saml:NameID>')}</saml:Advice>"

    for sign in ("assertion", "response", "both"):
        assert verify(idp.response(sign=sign, advice=advice)).name_id == "ana"


def test_an_assertion_in_advice_cannot_be_swapped(idp, verify):
    advice = f"<saml:Advice>{idp.assertion(id='_a0', name='<saml:NameID>bob</saml:NameID>')}</saml:Advice>"
    response = idp.response(advice=advice)

    assert verify(response).name_id == "ana"
    with pytest.raises(saml.BadDigest):
        verify(response.replace(b"bob", b"eve"))


def test_no_assertion_and_two_signed_ones_are_refused(idp, verify):
    two = idp.envelope((idp.signed(idp.assertion()) + idp.signed(idp.assertion(id="_a2"))).decode())

    for response, found in ((idp.signed(idp.envelope("")), 0), (idp.signed(two), 2), (two.encode(), 2)):
        with pytest.raises(saml.NotOneAssertion) as refused:
            verify(response)
        assert refused.value.found == found
