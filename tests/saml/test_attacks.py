"""Each trap of XML signatures, by name: the attack is refused, and the same document without it is accepted."""

import base64

import pytest
from lxml import etree

from actas import saml

DS = "http://www.w3.org/2000/09/xmldsig#"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = f'<ds:Transform Algorithm="{DS}enveloped-signature"/>'
C14N = f'<ds:Transform Algorithm="{EXC}"/>'
XSLT = '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"><x/></ds:Transform>'
XPATH = (
    '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>true()</ds:XPath></ds:Transform>'
)
PARAMETERS = ENVELOPED.replace("/>", "><x/></ds:Transform>")
RESPONSE, SAML = "<samlp:Response", "urn:oasis:names:tc:SAML:2.0:assertion"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"


def swap(old, new, count=1):
    def attack(response):
        old_bytes, new_bytes = old.encode(), new.encode()
        assert old_bytes in response, old
        return response.replace(old_bytes, new_bytes, count)

    return attack


def before(text):
    return lambda response: text.encode() + response


def behind(text):
    return lambda response: response + text.encode()


def digest_commented(response):
    at = response.index(b"<ds:DigestValue>") + len(b"<ds:DigestValue>")
    return response[:at] + b"<!--" + base64.b64encode(b"x" * 32) + b"-->" + response[at:]


def info_twice(response):
    start, end = response.index(b"<ds:SignedInfo>"), response.index(b"</ds:SignedInfo>") + len(b"</ds:SignedInfo>")
    return response[:end] + response[start:end].replace(b"#_a1", b"#_a2") + response[end:]


def without_signature(response):
    start, end = response.index(b"<ds:Signature "), response.index(b"</ds:Signature>") + len(b"</ds:Signature>")
    return response[:start] + response[end:]


def loose_digest(response):
    """The name is changed, and the digest that fits it stands where a loose XPath finds it first."""
    detail = f'<samlp:StatusDetail><ds:DigestValue xmlns:ds="{DS}">x</ds:DigestValue></samlp:StatusDetail>'
    return swap("</samlp:Status>", f"{detail}</samlp:Status>")(swap(">ana<", ">eve<")(response))


def etree_text(response, name, text):
    root = etree.fromstring(response)
    next(root.iter(f"{{{DS}}}{name}")).text = text
    return etree.tostring(root)


DOCTYPE = '<!DOCTYPE samlp:Response [<!ENTITY e "eve">]>'
ATTLIST = '<!DOCTYPE samlp:Response [<!ATTLIST saml:Assertion ID CDATA "_a1">]>'
ROWS = {
    # comments and processing instructions
    "comment/PI splits text: a PI in the name": swap(">ana<", ">ana<?x y?>.evil.example<"),
    "comment/PI splits text: a PI anywhere": swap("<saml:Subject>", "<?x y?><saml:Subject>"),
    "comment/PI splits text: a comment in base64": digest_commented,
    "comment/PI splits text: a comment in SignedInfo": swap("<ds:SignedInfo>", "<ds:SignedInfo><!-- x -->"),
    "comment/PI splits text: a comment in Signature": swap("<ds:SignedInfo>", "<!-- x --><ds:SignedInfo>"),
    "comment/PI splits text: a comment before the root": before("<!-- x -->"),
    "comment/PI splits text: a comment behind the root": behind("<!-- x -->"),
    # where things are looked for
    "CVE-2024-45409 digest found by loose XPath": loose_digest,
    "CVE-2025-29774 multiple SignedInfo": info_twice,
    "CVE-2025-29775 comments in DigestValue": digest_commented,
    # two parsers, encodings, document types
    "CVE-2025-25291 a document type": before(DOCTYPE),
    "CVE-2025-23369 an entity in the ID": lambda r: before(DOCTYPE)(r.replace(b'ID="_a1"', b'ID="&e;"')),
    "DTD: an attribute list that adds an ID": before(ATTLIST),
    "DTD: an external subset": before('<!DOCTYPE a SYSTEM "file:///etc/hostname">'),
    "DTD: in a comment's clothing": before("<!-- --!><!DOCTYPE a []>-->"),
    "DTD: in UTF-16": lambda r: (DOCTYPE + r.decode()).encode("utf-16"),
    "encoding: UTF-16": lambda r: r.decode().encode("utf-16"),
    "encoding: UTF-7 declared": before('<?xml version="1.0" encoding="UTF-7"?>'),
    "encoding: Latin-1 declared": before('<?xml version="1.0" encoding="ISO-8859-1"?>'),
    "encoding: declared twice": before('<?xml version="1.0"?><?xml version="1.0"?>'),
    "encoding: no UTF-8": lambda r: r.replace(b">ana<", b">an\xff<"),
    "encoding: NUL": lambda r: r.replace(b">ana<", b">an\0a<"),
    "XML 1.1": before('<?xml version="1.1"?>'),
    # IDs
    "Fragile Lock: p:ID beside ID": swap('ID="_a1"', 'xmlns:p="urn:p" p:ID="_a1" ID="_a2"'),
    "Fragile Lock: samlp:ID beside ID on the response": swap('ID="_r1"', 'ID="_r1" samlp:ID="_a1"'),
    "Fragile Lock: xml:id": swap('ID="_r1"', 'ID="_r1" xml:id="_a1"'),
    "Fragile Lock: id": swap('ID="_r1"', 'ID="_r1" id="_a1"'),
    "ID uniqueness": swap('ID="_r1"', 'ID="_a1"'),
    "ID uniqueness: ID and Id": swap("<ds:Signature ", '<ds:Signature Id="_a1" '),
    # namespaces and void canonicalisation
    "void canonicalisation: a relative namespace outside": swap("<samlp:Response ", '<samlp:Response xmlns:v="1" '),
    "void canonicalisation: a relative namespace inside": swap("<saml:Assertion ", '<saml:Assertion xmlns:v="1" '),
    "void canonicalisation: a relative namespace in SignedInfo": swap("<ds:SignedInfo", '<ds:SignedInfo xmlns:v="1"'),
    "void canonicalisation: a hidden relative namespace": swap("<samlp:Response ", f"{RESPONSE} xmlns:v='&#49;' "),
    "namespace confusion: the assertion's is another": swap(f'"{SAML}" ID="_a1"', '"urn:x:assertion" ID="_a1"'),
    "namespace confusion: the signature's is another": swap(f'xmlns:ds="{DS}"', f'xmlns:ds="{DS[:-1]}"'),
    "namespace confusion: SAML 1": swap(f'"{SAML}" ID="_a1"', f'"{SAML.replace("2.0", "1.0")}" ID="_a1"'),
    # what is signed
    "signature excluded": without_signature,
    "a changed name": swap(">ana<", ">eve<"),
    "a changed attribute value": swap(">reader<", ">admin<"),
    "a changed time": swap('NotOnOrAfter="2026-11-23T09:10:00Z"', 'NotOnOrAfter="2027-11-23T09:10:00Z"'),
    "an added element": swap("</saml:Subject>", "</saml:Subject><saml:Advice/>"),
    "a text between elements": swap("</saml:Subject>", "</saml:Subject>text"),
    "a reference to nothing": swap('URI="#_a1"', 'URI="#_a9"'),
    "a reference to the response": swap('URI="#_a1"', 'URI="#_r1"'),
    "an Object in the signature": swap("</ds:KeyInfo>", "</ds:KeyInfo><ds:Object/>"),
    "an empty signature value": lambda r: etree_text(r, "SignatureValue", ""),
    "a signature value that is too long": lambda r: etree_text(r, "SignatureValue", "AAAA" * 86),
    "a signature value that is no base64": lambda r: etree_text(r, "SignatureValue", "#"),
    "markup in the signature value": swap("</ds:SignatureValue>", "<x/></ds:SignatureValue>"),
    # entities that are built in are no trap, but an unknown one is
    "an entity that nobody declared": swap(">ana<", ">&ana;<"),
    "not well-formed": swap("</samlp:Response>", "</samlp:Respons>"),
    "two roots": behind("<a/>"),
    "bytes behind the root": behind("x"),
}  # fmt: skip


@pytest.mark.parametrize("attack", ROWS.values(), ids=ROWS)
def test_a_changed_document_is_refused(idp, verify, attack):
    genuine = idp.response()

    assert verify(genuine).name_id == "ana"
    with pytest.raises(saml.SamlError):
        verify(attack(genuine))


@pytest.mark.parametrize("attack", ROWS.values(), ids=ROWS)
def test_a_changed_signed_response_is_refused(idp, verify, attack):
    genuine = idp.response(sign="response")
    try:
        forged = attack(genuine)
    except AssertionError:
        pytest.skip("the attack needs what only a signed assertion has")

    assert verify(genuine).name_id == "ana"
    with pytest.raises(saml.SamlError):
        verify(forged)


HARMLESS = {
    "a comment in the name is read over": (swap(">ana<", ">a<!-- x -->na<"), "assertion"),
    "a comment between elements": (swap("<saml:Subject>", "<!-- x --><saml:Subject>"), "both"),
    "a character reference": (swap(">ana<", ">&#97;na<"), "both"),
    "a CDATA section": (swap(">ana<", "><![CDATA[ana]]><"), "both"),
    "a declaration": (before('<?xml version="1.0" encoding="UTF-8"?>\n'), "both"),
    "a byte order mark": (lambda r: b"\xef\xbb\xbf" + r, "both"),
    "another key in KeyInfo": (lambda r: etree_text(r, "X509Certificate", "bm90aGluZw=="), "assertion"),
    "white space outside": (lambda r: r + b"\n", "both"),
    "quotes of the other kind": (swap('Version="2.0"', "Version='2.0'"), "both"),
    "the order of attributes": (swap('ID="_a1" Version="2.0"', 'Version="2.0" ID="_a1"'), "both"),
    "text that looks like an ID": (swap("<samlp:Status>", "<!-- p:id=x xmlns=y --><samlp:Status>"), "assertion"),
}


@pytest.mark.parametrize(("change", "sign"), HARMLESS.values(), ids=HARMLESS)
def test_what_changes_nothing_that_is_signed_is_accepted(idp, verify, change, sign):
    genuine = idp.response(sign=sign)

    assert verify(change(genuine)) == verify(genuine)


HOW = {
    "transforms: none": {"transforms": ""},
    "transforms: enveloped alone": {"transforms": ENVELOPED},
    "transforms: canonicalisation alone": {"transforms": C14N},
    "transforms: in the other order": {"transforms": C14N + ENVELOPED},
    "transforms: three": {"transforms": ENVELOPED + C14N + C14N},
    "transforms: XSLT": {"transforms": ENVELOPED + XSLT},
    "transforms: XPath": {"transforms": ENVELOPED + XPATH},
    "transforms: with comments": {"transforms": ENVELOPED + C14N.replace('#"', '#WithComments"')},
    "transforms: inclusive": {"transforms": ENVELOPED + C14N.replace(EXC, INCLUSIVE)},
    "transforms: parameters of the enveloped one": {"transforms": PARAMETERS + C14N},
    "canonicalisation of SignedInfo: inclusive": {"c14n": INCLUSIVE},
    "canonicalisation of SignedInfo: with comments": {"c14n": EXC + "WithComments"},
    "reference: the whole document": {"uri": ""},
    "reference: xpointer": {"uri": "#xpointer(id('_a1'))"},
    "reference: an address": {"uri": "https://evil.example/#_a1"},
    "reference: two of them": {"tamper_info": lambda info: twice(info, "ds:Reference")},
    "reference: none": {"tamper_info": lambda info: info.replace("ds:Reference", "ds:Other")},
    "HMAC with the public key": {"algorithm": "hmac-sha256"},
    "an algorithm that is none": {"algorithm": ""},
    "RSA with MD5": {"algorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"},
    "the algorithm of a curve for an RSA key": {"algorithm": "ecdsa-sha256"},
    "parameters of the signature method": {"method_inside": "<ds:HMACOutputLength>8</ds:HMACOutputLength>"},
    "SHA-224": {"digest": "sha224"},
}  # fmt: skip


def twice(info, name):
    start, end = info.index(f"<{name} "), info.index(f"</{name}>") + len(f"</{name}>")
    return info[:end] + info[start:end] + info[end:]


@pytest.mark.parametrize("sign", ["assertion", "response"])
@pytest.mark.parametrize("how", HOW.values(), ids=HOW)
def test_a_signature_of_another_form_is_refused_though_the_key_is_right(idp, verify, how, sign):
    assert verify(idp.response(sign=sign)).name_id == "ana"
    with pytest.raises(saml.SamlError):
        verify(idp.response(sign=sign, how=how))


def test_key_from_the_message_is_not_used(idp, attacker, verify):
    """CVE-2021-21239: the attacker signs, and puts his certificate, or ours, into KeyInfo."""
    ours = base64.b64encode(idp.cert).decode()
    shown = f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{ours}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"

    for how in ({}, {"key_info": shown}):
        with pytest.raises(saml.BadSignature):
            verify(attacker.response(how=how))
    assert verify(idp.response(how={"key_info": None})).name_id == "ana"


def test_each_signature_that_is_there_must_hold(idp, attacker, verify):
    """A forged signature beside a good one is no matter of taste."""
    inside = attacker.signed(idp.assertion()).decode()

    with pytest.raises(saml.BadSignature):
        verify(idp.signed(idp.envelope(inside)))
    with pytest.raises(saml.BadSignature):
        verify(attacker.signed(idp.envelope(idp.signed(idp.assertion()).decode())))


@pytest.mark.parametrize("signature", ["r and s zero", "DER", "short"])
def test_a_curve_signature_of_another_form_is_refused(curves, verify, made, signature):
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    trust = saml.Trust(made.ISSUER, (curves[256].cert,))
    response = curves[256].response(how={"algorithm": "ecdsa-sha256"})
    raw = base64.b64decode(etree.fromstring(response).findtext(f".//{{{DS}}}SignatureValue"))
    r, s = (int.from_bytes(half, "big") for half in (raw[:32], raw[32:]))
    other = {"r and s zero": bytes(64), "DER": encode_dss_signature(r, s), "short": raw[:-1]}[signature]

    assert verify(response, trust=trust).name_id == "ana"
    with pytest.raises(saml.BadSignature):
        verify(etree_text(response, "SignatureValue", base64.b64encode(other).decode()), trust=trust)


ATTRIBUTES = " ".join(f'a{n}=""' for n in range(65))
NAMESPACES = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(130))
DEEP = "<x>" * 70 + "</x>" * 70
LARGE = {
    "bytes": lambda r: r + b" " * (256 * 1024 - len(r) + 1),
    "levels": swap("<samlp:Status>", DEEP + "<samlp:Status>"),
    "nodes": swap("<samlp:Status>", "<x/>" * 10_001 + "<samlp:Status>"),
    "attributes in one element": swap("<samlp:Status>", f"<x {ATTRIBUTES}/><samlp:Status>"),
    "different namespaces": swap("<samlp:Status>", f"<x {NAMESPACES}/><samlp:Status>"),
}  # fmt: skip


@pytest.mark.parametrize("what", LARGE)
def test_a_document_that_is_too_large_is_refused(idp, verify, what):
    with pytest.raises(saml.DocumentTooLarge) as refused:
        verify(LARGE[what](idp.response()))
    assert refused.value.what == what


def test_a_document_that_is_just_not_too_large_is_accepted(idp, verify):
    response = idp.response()

    assert verify(response + b" " * (256 * 1024 - len(response))).name_id == "ana"


def repeated_namespaces():
    """Each element uses 60 namespaces that are declared once; a canonical form would declare them at each."""
    declared = " ".join(f'xmlns:n{n}="urn:{n:0>240}"' for n in range(60))
    used = "<x " + " ".join(f'n{n}:a=""' for n in range(60)) + "/>"
    info = f'<ds:SignedInfo xmlns:ds="{DS}">' + used * 400 + "</ds:SignedInfo>"
    signature = f'<ds:Signature xmlns:ds="{DS}">{info}<ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature>'
    root = f'{RESPONSE} xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r" {declared}>'
    return f"{root}{signature}</samlp:Response>".encode()


HOSTILE = {
    "20,000 attributes": lambda: b"<a " + b" ".join(b'a%d=""' % n for n in range(20_000)) + b"/>",
    "20,000 namespaces": lambda: b"<a " + b" ".join(b'xmlns:a%d="u:x"' % n for n in range(13_000)) + b"/>",
    "long namespaces": lambda: b'<a xmlns:n="u:' + b"x" * 200_000 + b'">' + b"<n:b/>" * 9_000 + b"</a>",
    "namespaces that canonicalisation repeats": repeated_namespaces,
    "deep": lambda: b"<a>" * 80_000,
    "entities": lambda: b'<!DOCTYPE a [<!ENTITY b "' + b"x" * 1000 + b'">]><a>' + b"&b;" * 80_000 + b"</a>",
    "comments": lambda: b"<a>" + b"<!---->" * 37_000 + b"</a>",
    "many IDs": lambda: b"<a>" + b"".join(b'<a ID="_%d"/>' % n for n in range(9_000)) + b"</a>",
    "text that looks like declarations": lambda: b"<a>" + b"xmlns:" * 41_000 + b"</a>",
    "text that looks like declarations with quotes": lambda: b"<a>" + b"xmlns=\"xmlns'" * 18_000 + b"</a>",
    "white space behind each of them": lambda: b"<a>" + (b"xmlns" + b" " * 100) * 2_300 + b"</a>",
    "one namespace declared at each element": lambda: b"<a>" + b'<b xmlns="u:x"/>' * 9_000 + b"</a>",
    "base64 of nothing": lambda: b"<a>" + b"=" * 250_000 + b"</a>",
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_document_costs_little(verify, make):
    import tracemalloc

    document = make()
    tracemalloc.start()
    try:
        with pytest.raises(saml.SamlError):
            verify(document)
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
    finally:
        tracemalloc.stop()
