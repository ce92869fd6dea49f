"""The known traps of SAML and XML signatures, a test for each row by its name and its CVEs, with its control.

Each attack is made from a document of ours; its control is the same document without the attack, and is accepted.
More forms of most of them are in the files beside this one.
"""

import base64
import re
import zlib

import pytest
from lxml import etree

from actas import saml

SAML, DS = "urn:oasis:names:tc:SAML:2.0:assertion", "http://www.w3.org/2000/09/xmldsig#"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
ASSERTION = f"{{{SAML}}}Assertion"
XPATH = '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>1</ds:XPath></ds:Transform>'


def put(response, old, new):
    assert old.encode() in response
    return response.replace(old.encode(), new.encode(), 1)


def forged(idp, **said):
    """An assertion of the attacker's, unsigned."""
    return idp.assertion(id="_evil", name="<saml:NameID>eve</saml:NameID>", **said)


def hidden(idp, holder):
    """The genuine assertion in a corner, a forged one in its place."""
    genuine = idp.signed(idp.assertion()).decode()
    corner = f'<x:{holder} xmlns:x="urn:oasis:names:tc:SAML:2.0:protocol">{genuine}</x:{holder}>'
    return idp.envelope(forged(idp), extra=corner).encode()


def loose_digest(idp):
    detail = f'<samlp:StatusDetail><ds:DigestValue xmlns:ds="{DS}">x</ds:DigestValue></samlp:StatusDetail>'
    return put(put(idp.response(), ">ana<", ">eve<"), "</samlp:Status>", f"{detail}</samlp:Status>")


def two_infos(idp):
    response = idp.response()
    info = re.search(rb"<ds:SignedInfo>.*</ds:SignedInfo>", response, re.DOTALL)[0]
    return response.replace(info, info + info.replace(b"#_a1", b"#_evil"))


def commented_digest(idp):
    comment = f"<ds:DigestValue><!--{base64.b64encode(bytes(32)).decode()}-->"
    return put(put(idp.response(), ">ana<", ">eve<"), "<ds:DigestValue>", comment)


def two_assertions(idp):
    return put(idp.response(), "</samlp:Response>", forged(idp) + "</samlp:Response>")


def signature_lower_down(idp):
    root = etree.fromstring(idp.response())
    signature = root.find(f".//{{{DS}}}Signature")
    root.find(f".//{{{SAML}}}Subject").append(signature)
    return etree.tostring(root)


def key_of_the_attacker(_idp, attacker):
    return attacker.response()


def hmac(idp):
    return idp.response(how={"algorithm": "hmac-sha256"})


ROWS = {
    "XSW: see test_wrapping and test_games": lambda idp, _: hidden(idp, "Extensions"),
    "comment or PI splits text: CVE-2017-11427, -11428, -11429, -11430, CVE-2018-0489": lambda idp, _: put(
        idp.response(), ">ana<", "><?x y?>ana<"
    ),
    "digest found by loose XPath: CVE-2024-45409": lambda idp, _: loose_digest(idp),
    "two parsers in one check, by a document type: CVE-2025-25291": lambda idp, _: (
        b"<!DOCTYPE samlp:Response []>" + idp.response()
    ),
    "two parsers in one check, by namespaces: CVE-2025-25292": lambda idp, _: (
        f'<!DOCTYPE a [<!ATTLIST ds:Signature xmlns:ds CDATA "{DS}">]>'.encode()
        + put(idp.response(), f'xmlns:ds="{DS}"', 'xmlns:ds="urn:x"')
    ),
    "incomplete fixes, void canonicalisation: CVE-2025-66567, CVE-2025-66568": lambda idp, _: put(
        put(idp.response(), ">ana<", ">eve<"), "<saml:Assertion ", '<saml:Assertion xmlns:v="1" '
    ),
    "signature covers something else than is read: CVE-2025-47949, CVE-2025-54419": lambda idp, _: hidden(idp, "Other"),
    "genuine assertion hidden, forged one read: CVE-2026-47201": lambda idp, _: hidden(idp, "StatusDetail"),
    "two assertions, the first checked, the second used: CVE-2022-41912": lambda idp, _: two_assertions(idp),
    "multiple SignedInfo: CVE-2025-29774": lambda idp, _: two_infos(idp),
    "comment in DigestValue: CVE-2025-29775": lambda idp, _: commented_digest(idp),
    "entity in the ID attribute: CVE-2025-23369": lambda idp, _: (
        b'<!DOCTYPE a [<!ENTITY e "_a1">]>' + put(idp.response(), 'ID="_a1"', 'ID="&e;"')
    ),
    "The Fragile Lock, attribute pollution": lambda idp, _: put(idp.response(), 'ID="_r1"', 'ID="_r1" samlp:ID="_a1"'),
    "The Fragile Lock, namespace confusion": lambda idp, _: put(
        idp.response(), "<samlp:Response ", '<samlp:Response xmlns:xmlns="urn:x" '
    ),
    "The Fragile Lock, void canonicalisation": lambda idp, _: put(
        idp.response(), "<ds:SignedInfo", '<ds:SignedInfo xmlns:v="1"'
    ),
    "DTD and XXE: CVE-2016-1000251, CVE-2017-9672": lambda idp, _: (
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + put(idp.response(), ">ana<", ">&e;<")
    ),
    "entity bombs: CVE-2014-3527": lambda idp, _: (
        b'<!DOCTYPE a [<!ENTITY a "ana"><!ENTITY b "&a;&a;&a;&a;">]>' + put(idp.response(), ">ana<", ">&b;<")
    ),
    "key from the message: CVE-2021-21239": key_of_the_attacker,
    "wrapper checks missing: CVE-2020-5390": lambda idp, _: signature_lower_down(idp),
    "schema checks missing: CVE-2021-21238": lambda idp, _: put(
        idp.response(), "</samlp:Status>", f"</samlp:Status><samlp:Wrapper>{forged(idp)}</samlp:Wrapper>"
    ),
    "HMAC in SignatureMethod: CVE-2025-48994, CVE-2025-48995": lambda idp, _: hmac(idp),
    "weak algorithm in SignatureMethod": lambda idp, _: idp.response(how={"algorithm": "rsa-sha1", "digest": "sha1"}),
    "transforms: CVE-2019-3465": lambda idp, _: idp.response(how={"transforms": XPATH * 2}),
    "signature excluded but accepted": lambda idp, _: idp.response(sign="nothing"),
    "ID uniqueness": lambda idp, _: put(idp.response(), 'ID="_r1"', 'ID="_a1"'),
}


@pytest.mark.parametrize("attack", ROWS.values(), ids=ROWS)
def test_the_trap_is_refused_and_its_control_is_accepted(idp, attacker, verify, attack):
    assert verify(idp.response()).name_id == "ana"
    with pytest.raises(saml.SamlError):
        verify(attack(idp, attacker))


def test_a_comment_in_a_name_is_read_over_whole(idp, verify):
    """CVE-2017-11427 and its kin: the whole text is read, never the part before the comment."""
    name = "<saml:NameID>admin@people.example<!---->.evil.example</saml:NameID>"

    assert verify(idp.response(name=name)).name_id == "admin@people.example.evil.example"


@pytest.mark.parametrize("size", [256 * 1024, 256 * 1024 + 1], ids=["just-in", "just-out"])
def test_inflate_bombs_end_at_the_limit(size):
    """CVE-2025-25293, CVE-2025-54572."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = base64.b64encode(packer.compress(b" " * size) + packer.flush()).decode()

    if size == 256 * 1024:
        assert len(saml.decode_redirect(packed)) == size
    else:
        with pytest.raises(saml.DocumentTooLarge):
            saml.decode_redirect(packed)


@pytest.mark.parametrize("spoil", ["padding", "content", "short"])
def test_a_padding_oracle_hears_one_sentence(idp, verify, made, sp_key, spoil):
    """Jager and Somorovsky, 2011: CBC tells nothing of what a changed ciphertext became; GCM alone can be asked for."""
    changes = {
        "padding": lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]),
        "content": lambda sealed: sealed[:20] + bytes([sealed[20] ^ 1]) + sealed[21:],
        "short": lambda sealed: sealed[:-16],
    }
    inside = idp.signed(idp.assertion())
    good = idp.envelope(made.encrypt(inside, sp_key, cipher="aes128-cbc")).encode()
    bad = idp.envelope(made.encrypt(inside, sp_key, cipher="aes128-cbc", spoil=changes[spoil])).encode()

    assert verify(good, decryption_keys=(sp_key,)).name_id == "ana"
    with pytest.raises(saml.DecryptionFailed) as refused:
        verify(bad, decryption_keys=(sp_key,))
    assert str(refused.value) == str(saml.DecryptionFailed())
    with pytest.raises(saml.RequirementUnmet):
        verify(good, decryption_keys=(sp_key,), require=saml.Require(gcm_only=True))
