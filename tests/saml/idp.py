"""A small identity provider of our own: makes, signs and encrypts responses, in the manner of real ones.

It signs with lxml and cryptography and shares no line with what it tests.
"""

import base64
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

SAML, SAMLP = "urn:oasis:names:tc:SAML:2.0:assertion", "urn:oasis:names:tc:SAML:2.0:protocol"
DS, XENC, XENC11 = (
    "http://www.w3.org/2000/09/xmldsig#",
    "http://www.w3.org/2001/04/xmlenc#",
    "http://www.w3.org/2009/xmlenc11#",
)
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
MORE, MORE07 = "http://www.w3.org/2001/04/xmldsig-more#", "http://www.w3.org/2007/05/xmldsig-more#"
ISSUER, AUDIENCE, ACS = "https://idp.example/", "https://sp.example/metadata", "https://sp.example/acs"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HASHES = {
    "sha1": hashes.SHA1(),
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
DIGESTS = {
    "sha1": DS + "sha1",
    "sha224": MORE + "sha224",
    "sha256": XENC + "sha256",
    "sha384": MORE + "sha384",
    "sha512": XENC + "sha512",
}
SIGNATURES = {
    "rsa-sha1": DS + "rsa-sha1",
    **{f"{kind}-sha{bits}": f"{MORE}{kind}-sha{bits}" for kind in ("rsa", "ecdsa") for bits in (256, 384, 512)},
    **{f"pss-sha{bits}": f"{MORE07}sha{bits}-rsa-MGF1" for bits in (256, 384, 512)},
    "hmac-sha256": MORE + "hmac-sha256",
}


def at(seconds: float = 0) -> str:
    return f"{NOW + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def certificate(key, *, days=(-1000, -1)) -> bytes:
    """A self-signed certificate, expired as real ones are; DER."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "idp.example")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0])).not_valid_after(NOW + timedelta(days=days[1]))
        .add_extension(x509.KeyUsage(True, *[False] * 8), critical=True)  # signxml asks for it
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    return made.public_bytes(serialization.Encoding.DER)


def pem(key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


ATTRIBUTES = (
    '<saml:Attribute Name="urn:oid:0.9.2342.19200300.100.1.3" FriendlyName="mail">'
    "<saml:AttributeValue>ana@people.example</saml:AttributeValue></saml:Attribute>"
    '<saml:Attribute Name="Role"><saml:AttributeValue>reader</saml:AttributeValue></saml:Attribute>'
    '<saml:Attribute Name="Role"><saml:AttributeValue>writer</saml:AttributeValue></saml:Attribute>'
)


RESTRICTION = f"<saml:AudienceRestriction><saml:Audience>{AUDIENCE}</saml:Audience></saml:AudienceRestriction>"
SUCCESS = '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>'


@dataclass
class Idp:
    """The provider: its keys, and what its documents say unless they are asked to say something else."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    cert: bytes
    defaults: dict = field(default_factory=dict)

    def assertion(self, **changes) -> str:
        said = {
            "id": "_a1", "version": "2.0", "issuer": f"<saml:Issuer>{ISSUER}</saml:Issuer>",
            "name": '<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">ana</saml:NameID>',
            "recipient": ACS, "confirmed_until": at(300), "request": ' InResponseTo="_q1"', "data": None,
            "confirmation": None, "begins": at(-60), "ends": at(600), "advice": "",
            "audience": RESTRICTION,
            "conditions": None, "context": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
            "session": f' SessionNotOnOrAfter="{at(28800)}"', "authn": None, "attributes": ATTRIBUTES, "space": "",
        } | self.defaults | changes  # fmt: skip
        data = said["data"]
        if data is None:
            data = (
                f'<saml:SubjectConfirmationData NotOnOrAfter="{said["confirmed_until"]}" '
                f'Recipient="{said["recipient"]}"{said["request"]}/>'
            )
        confirmation = said["confirmation"]
        if confirmation is None:
            confirmation = (
                f'<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">{data}'
                "</saml:SubjectConfirmation>"
            )
        conditions = said["conditions"]
        if conditions is None:
            conditions = (
                f'<saml:Conditions NotBefore="{said["begins"]}" NotOnOrAfter="{said["ends"]}">'
                f"{said['audience']}</saml:Conditions>"
            )
        authn = said["authn"]
        if authn is None:
            authn = (
                f'<saml:AuthnStatement AuthnInstant="{at(-30)}" SessionIndex="_s1"{said["session"]}><saml:AuthnContext>'
                f"<saml:AuthnContextClassRef>{said['context']}</saml:AuthnContextClassRef></saml:AuthnContext>"
                "</saml:AuthnStatement>"
            )
        attributes = said["attributes"]
        statement = f"<saml:AttributeStatement>{attributes}</saml:AttributeStatement>" if attributes else ""
        return (
            f'<saml:Assertion xmlns:saml="{SAML}" ID="{said["id"]}" Version="{said["version"]}" '
            f'IssueInstant="{at()}">{said["issuer"]}{said["space"]}'
            f"<saml:Subject>{said['name']}{confirmation}</saml:Subject>{said['space']}"
            f"{conditions}{said['advice']}{authn}{statement}</saml:Assertion>"
        )

    def envelope(self, inside: str, **changes) -> str:
        said = {
            "id": "_r1", "version": "2.0", "destination": f' Destination="{ACS}"', "request": ' InResponseTo="_q1"',
            "issuer": f"<saml:Issuer>{ISSUER}</saml:Issuer>", "extra": "",
            "status": SUCCESS,
            "namespaces": "",
        } | changes  # fmt: skip
        return (
            f'<samlp:Response xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}"{said["namespaces"]} ID="{said["id"]}" '
            f'Version="{said["version"]}" IssueInstant="{at()}"{said["destination"]}{said["request"]}>'
            f"{said['issuer']}{said['extra']}{said['status']}{inside}</samlp:Response>"
        )

    def response(
        self, *, sign: str = "assertion", envelope: dict | None = None, how: dict | None = None, **said
    ) -> bytes:
        """A response as bytes; *sign* names what is signed: response, assertion, both, nothing."""
        root = etree.fromstring(self.envelope(self.assertion(**said), **(envelope or {})))
        if sign in {"assertion", "both"}:
            self.sign(root.find(f"{{{SAML}}}Assertion"), **(how or {}))
        if sign in {"response", "both"}:
            self.sign(root, **(how or {}))
        return etree.tostring(root)

    def signed(self, xml: str, **how) -> bytes:
        """Sign the root of *xml*."""
        root = etree.fromstring(xml)
        self.sign(root, **how)
        return etree.tostring(root)

    def sign(
        self, element, *, algorithm="rsa-sha256", digest="sha256", prefixes="", uri=None, transforms=None, c14n=EXC,
        key_info=True, position=1, key=None, tamper_info=None, method_inside="",
    ) -> None:  # fmt: skip
        """Put an enveloped signature into *element*."""
        listed = f'<ec:InclusiveNamespaces xmlns:ec="{EXC}" PrefixList="{prefixes}"/>' if prefixes else ""
        if transforms is None:
            transforms = f'<ds:Transform Algorithm="{DS}enveloped-signature"/>'
            transforms += f'<ds:Transform Algorithm="{EXC}">{listed}</ds:Transform>'
        hashed = hashes.Hash(HASHES[digest])
        hashed.update(
            etree.tostring(
                element, method="c14n", exclusive=True, with_tail=False, with_comments=False,
                inclusive_ns_prefixes=prefixes.split() or None,
            )
        )  # fmt: skip
        reference = f"#{element.get('ID')}" if uri is None else uri
        value = base64.b64encode(hashed.finalize()).decode()
        named = SIGNATURES.get(algorithm, algorithm)
        info = (
            f'<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{c14n}"/>'
            f'<ds:SignatureMethod Algorithm="{named}">{method_inside}</ds:SignatureMethod>'
            f'<ds:Reference URI="{reference}"><ds:Transforms>{transforms}</ds:Transforms>'
            f'<ds:DigestMethod Algorithm="{DIGESTS[digest]}"/><ds:DigestValue>{value}</ds:DigestValue></ds:Reference>'
            "</ds:SignedInfo>"
        )
        info = tamper_info(info) if tamper_info else info
        certified = base64.encodebytes(self.cert).decode()
        shown = (
            f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certified}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
            if key_info is True
            else key_info or ""
        )
        signature = etree.fromstring(f'<ds:Signature xmlns:ds="{DS}">{info}<ds:SignatureValue/>{shown}</ds:Signature>')
        element.insert(position, signature)
        signed = etree.tostring(signature[0], method="c14n", exclusive=True, with_tail=False, with_comments=False)
        signature[1].text = base64.b64encode(raw_signature(key or self.key, algorithm, signed)).decode()


def raw_signature(key, algorithm: str, data: bytes) -> bytes:
    kind, _, name = algorithm.partition("-")
    digest = HASHES.get(name, hashes.SHA256())
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(digest)))
        width = (key.key_size + 7) // 8
        return r.to_bytes(width, "big") + s.to_bytes(width, "big")
    if kind == "pss":
        return key.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    return key.sign(data, padding.PKCS1v15(), digest)


def encrypt(
    inside: bytes, key, *, wrapper="saml:EncryptedAssertion", cipher="aes256-gcm", transport="rsa-oaep-mgf1p",
    digest="sha1", mask=None, label=None, sibling=False, kind="Element", spoil=None,
) -> str:  # fmt: skip
    """Encrypt *inside* to the public half of *key*, as XML Encryption has it."""
    bits = int(cipher[3:6]) if cipher.startswith("aes") else 192
    secret = os.urandom(bits // 8)
    if cipher.endswith("-gcm"):
        nonce = os.urandom(12)
        sealed = nonce + AESGCM(secret).encrypt(nonce, inside, None)
        name = XENC11 + cipher
    else:
        block, algorithm = (8, TripleDES) if cipher == "tripledes-cbc" else (16, algorithms.AES)
        fill = block - len(inside) % block
        nonce = os.urandom(block)
        sealing = Cipher(algorithm(secret), modes.CBC(nonce)).encryptor()
        padded = inside + os.urandom(fill - 1) + bytes([fill])
        sealed = nonce + sealing.update(padded) + sealing.finalize()
        name = XENC + cipher
    if spoil:
        sealed = spoil(sealed)
    namespace = XENC11 if transport == "rsa-oaep" else XENC
    public = key.public_key()
    if transport == "rsa-1_5":
        wrapped, parts = public.encrypt(secret, padding.PKCS1v15()), ""
    else:
        shown = f'<xenc11:MGF xmlns:xenc11="{XENC11}" Algorithm="{XENC11}mgf1{mask}"/>' if mask else ""
        fill = padding.OAEP(padding.MGF1(HASHES[mask or "sha1"]), HASHES[digest], label)
        wrapped = public.encrypt(secret, fill)
        params = f"<xenc:OAEPparams>{base64.b64encode(label).decode()}</xenc:OAEPparams>" if label else ""
        parts = f'{params}<ds:DigestMethod Algorithm="{DIGESTS[digest]}"/>{shown}'
    sent = (
        f'<xenc:EncryptedKey xmlns:xenc="{XENC}" xmlns:ds="{DS}">'
        f'<xenc:EncryptionMethod Algorithm="{namespace}{transport}">{parts}'
        f"</xenc:EncryptionMethod><xenc:CipherData><xenc:CipherValue>{base64.encodebytes(wrapped).decode()}"
        "</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey>"
    )
    info = '<ds:RetrievalMethod URI="#_k"/>' if sibling else sent
    return (
        f'<{wrapper} xmlns:saml="{SAML}"><xenc:EncryptedData xmlns:xenc="{XENC}" Type="{XENC}{kind}">'
        f'<xenc:EncryptionMethod Algorithm="{name}"/><ds:KeyInfo xmlns:ds="{DS}">{info}</ds:KeyInfo>'
        f"<xenc:CipherData><xenc:CipherValue>{base64.encodebytes(sealed).decode()}</xenc:CipherValue></xenc:CipherData>"
        f"</xenc:EncryptedData>{sent if sibling else ''}</{wrapper}>"
    )
