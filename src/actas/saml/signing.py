"""Sign what we send: an enveloped signature in XML, or a signature over a query."""

import base64

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree

from actas.saml.certificates import CURVES
from actas.saml.errors import AskedWrongly
from actas.saml.names import DS, DS_MORE, ENVELOPED, EXCLUSIVE, XENC, ds
from actas.saml.parsing import Element, canonical

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
SigningKey = bytes | str | PrivateKey
_LEAST_BITS = 2048
_DIGEST = hashes.SHA256()


def load_signing_key(key: SigningKey) -> PrivateKey:
    """Load a private key that signatures may be made with."""
    if isinstance(key, (bytes, str)):
        try:
            loaded: object = load_pem_private_key(key.encode() if isinstance(key, str) else key, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise AskedWrongly(argument="key", why="is no PEM private key") from None
    else:
        loaded = key
    if isinstance(loaded, rsa.RSAPrivateKey) and loaded.key_size >= _LEAST_BITS:
        return loaded
    if isinstance(loaded, ec.EllipticCurvePrivateKey) and loaded.curve.name in CURVES:
        return loaded
    raise AskedWrongly(argument="key", why="is neither RSA of 2048 bits nor on P-256, P-384 or P-521")


def algorithm_of(key: PrivateKey) -> str:
    """Name the algorithm that we sign with."""
    return f"{DS_MORE}rsa-sha256" if isinstance(key, rsa.RSAPrivateKey) else f"{DS_MORE}ecdsa-sha256"


def sign_bytes(key: PrivateKey, data: bytes) -> bytes:
    """Sign *data*; a curve's r and s stand side by side, as XML Signature has them (RFC 9231 section 2.3.6)."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), _DIGEST)
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(_DIGEST)))
    width = (key.key_size + 7) // 8
    return r.to_bytes(width, "big") + s.to_bytes(width, "big")


def sign_element(element: Element, key: PrivateKey, *, position: int) -> None:
    """Put an enveloped signature over *element* at *position* among its children, where the schema wants it."""
    digest = hashes.Hash(_DIGEST)
    digest.update(canonical(element))
    signature = etree.Element(ds("Signature"), nsmap={"ds": DS})
    info = etree.SubElement(signature, ds("SignedInfo"))
    etree.SubElement(info, ds("CanonicalizationMethod"), Algorithm=EXCLUSIVE)
    etree.SubElement(info, ds("SignatureMethod"), Algorithm=algorithm_of(key))
    reference = etree.SubElement(info, ds("Reference"), URI=f"#{element.get('ID')}")
    transforms = etree.SubElement(reference, ds("Transforms"))
    for name in (ENVELOPED, EXCLUSIVE):
        etree.SubElement(transforms, ds("Transform"), Algorithm=name)
    etree.SubElement(reference, ds("DigestMethod"), Algorithm=f"{XENC}sha256")
    etree.SubElement(reference, ds("DigestValue")).text = base64.b64encode(digest.finalize()).decode()
    element.insert(position, signature)
    value = base64.b64encode(sign_bytes(key, canonical(info))).decode()
    etree.SubElement(signature, ds("SignatureValue")).text = value
