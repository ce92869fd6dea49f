"""Open what an identity provider encrypted to us: RSA-OAEP around AES, as XML Encryption 1.1 has it.

Once the algorithms are chosen there is one error: whether the key, the padding or the plaintext was wrong is what an
attacker would like to learn. RSA PKCS #1 v1.5 and 3DES cannot be used without telling a little of that, and are refused
unless a caller names them, for the provider that has nothing else.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from actas.saml.algorithms import DIGESTS, HASHES
from actas.saml.errors import (
    AlgorithmRefused,
    AskedWrongly,
    DecryptionFailed,
    NoDecryptionKey,
    RequirementUnmet,
    SamlError,
    UnexpectedStructure,
)
from actas.saml.names import DS, DS_MORE, XENC, XENC11, ds, local, xenc
from actas.saml.parsing import Element, base64_of, canonical, parse, parse_canonical

DecryptionKey = bytes | str | rsa.RSAPrivateKey
MOST_ENCRYPTED_KEYS = 4
OLD_CIPHERS = ("rsa-1_5", "tripledes-cbc")
"""What is opened only where it is switched on by name."""
_OLD_BLOCKS = {f"{XENC}tripledes-cbc": ("3des", 24)}
_OLD_TRANSPORT = f"{XENC}rsa-1_5"
_BLOCKS = {f"{XENC}aes{bits}-cbc": ("cbc", bits // 8) for bits in (128, 192, 256)} | {
    f"{XENC11}aes{bits}-gcm": ("gcm", bits // 8) for bits in (128, 192, 256)
}
_OAEP = (f"{XENC}rsa-oaep-mgf1p", f"{XENC11}rsa-oaep")
_OAEP_DIGESTS = DIGESTS | {f"{DS}sha1": "sha1", f"{DS_MORE}sha224": "sha224"}
_MASKS = {f"{XENC11}mgf1sha{bits}": f"sha{bits}" for bits in (1, 224, 256, 384, 512)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """Our private keys, and how weak a cipher may be."""

    keys: tuple[rsa.RSAPrivateKey, ...]
    gcm_only: bool
    old: frozenset[str] = frozenset()
    """Which of `OLD_CIPHERS` are opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sealed:
    mode: str
    key_size: int
    ciphertext: bytes
    wrapped: tuple[tuple[bytes, padding.AsymmetricPadding], ...]


def load_keys(keys: Sequence[DecryptionKey]) -> tuple[rsa.RSAPrivateKey, ...]:
    """Load private keys; one that cannot decrypt is the caller's mistake."""
    return tuple(_load(key) for key in keys)


def opener(keys: Sequence[DecryptionKey], *, gcm_only: bool = False, old_ciphers: Collection[str] = ()) -> Opener:
    """Make ready to open; a cipher that nobody knows is the caller's mistake."""
    if not set(old_ciphers) <= set(OLD_CIPHERS):
        raise AskedWrongly(argument="old_ciphers", why=f"has something else than {' and '.join(OLD_CIPHERS)}")
    return Opener(keys=load_keys(keys), gcm_only=gcm_only, old=frozenset(old_ciphers))


def _load(key: DecryptionKey) -> rsa.RSAPrivateKey:
    if isinstance(key, rsa.RSAPrivateKey):
        return key
    try:
        loaded = load_pem_private_key(key.encode() if isinstance(key, str) else key, password=None)
    except (ValueError, TypeError, AttributeError, UnsupportedAlgorithm):
        raise AskedWrongly(argument="decryption_keys", why="has something that is no PEM private key") from None
    if not isinstance(loaded, rsa.RSAPrivateKey):
        raise AskedWrongly(argument="decryption_keys", why="has a key that is not RSA")
    return loaded


def is_authenticated(encrypted: Element) -> bool:
    """Tell whether the cipher of *encrypted* detects changes by itself."""
    method = encrypted.find(f"{xenc('EncryptedData')}/{xenc('EncryptionMethod')}")
    return method is not None and _BLOCKS.get(method.get("Algorithm", ""), ("",))[0] == "gcm"


def decrypt(encrypted: Element, wanted: str, opener: Opener) -> Element:
    """Open EncryptedAssertion, EncryptedID or EncryptedAttribute; *wanted* is the element that must be inside."""
    if not opener.keys:
        raise NoDecryptionKey(what=local(encrypted.tag).removeprefix("Encrypted"))
    data, sealed = _read(encrypted, opener)
    for wrapped, fill in sealed.wrapped:
        for key in opener.keys:
            opened = _open(sealed, _unwrap(key, wrapped, fill))
            inner = _parse(opened, data) if opened is not None else None
            if inner is not None and inner.tag == wanted:
                return inner
    raise DecryptionFailed


def decrypt_value(encrypted: Element, wanted: str, opener: Opener) -> Element:
    """Open something whose ciphertext was signed, and give it as it is when canonical: without comments."""
    return parse_canonical(canonical(decrypt(encrypted, wanted, opener)))


def _one(parent: Element, tag: str) -> Element:
    found = parent.findall(tag)
    if len(found) != 1:
        raise UnexpectedStructure(where=local(parent.tag), why=f"has {len(found)} elements {local(tag)}, not one")
    return found[0]


def _cipher_value(parent: Element) -> bytes:
    return base64_of(_one(_one(parent, xenc("CipherData")), xenc("CipherValue")))


def _read(encrypted: Element, opener: Opener) -> tuple[Element, _Sealed]:
    data = _one(encrypted, xenc("EncryptedData"))
    name = _one(data, xenc("EncryptionMethod")).get("Algorithm", "")
    blocks = _BLOCKS | _OLD_BLOCKS if "tripledes-cbc" in opener.old else _BLOCKS
    if name not in blocks:
        raise AlgorithmRefused(use="encryption", found=name)
    mode, key_size = blocks[name]
    if opener.gcm_only and mode != "gcm":
        raise RequirementUnmet(requirement="gcm_only")
    keys = data.findall(f"{ds('KeyInfo')}/{xenc('EncryptedKey')}") + encrypted.findall(xenc("EncryptedKey"))
    if not 1 <= len(keys) <= MOST_ENCRYPTED_KEYS:
        raise UnexpectedStructure(where=local(encrypted.tag), why=f"has {len(keys)} encrypted keys")
    wrapped = tuple((_cipher_value(key), _transport(_one(key, xenc("EncryptionMethod")), opener)) for key in keys)
    return data, _Sealed(mode=mode, key_size=key_size, ciphertext=_cipher_value(data), wrapped=wrapped)


def _transport(method: Element, opener: Opener) -> padding.AsymmetricPadding:
    if method.get("Algorithm") == _OLD_TRANSPORT and "rsa-1_5" in opener.old:
        return padding.PKCS1v15()
    return _oaep(method)


def _oaep(method: Element) -> padding.OAEP:
    """Read how a key was wrapped. SHA-1 in here is no signature's and as good as any (XML Encryption 1.1, 5.5.2)."""
    name = method.get("Algorithm", "")
    if name not in _OAEP:
        raise AlgorithmRefused(use="key transport", found=name)
    digest, mask = method.find(ds("DigestMethod")), method.find(f"{{{XENC11}}}MGF")
    label = method.find(xenc("OAEPparams"))
    digest_name = f"{DS}sha1" if digest is None else digest.get("Algorithm", "")
    mask_name = f"{XENC11}mgf1sha1" if mask is None or name == _OAEP[0] else mask.get("Algorithm", "")
    if digest_name not in _OAEP_DIGESTS:
        raise AlgorithmRefused(use="key transport digest", found=digest_name)
    if mask_name not in _MASKS:
        raise AlgorithmRefused(use="key transport mask", found=mask_name)
    return padding.OAEP(
        padding.MGF1(HASHES[_MASKS[mask_name]]),
        HASHES[_OAEP_DIGESTS[digest_name]],
        base64_of(label) if label is not None else None,
    )


def _unwrap(key: rsa.RSAPrivateKey, wrapped: bytes, fill: padding.AsymmetricPadding) -> bytes | None:
    if len(wrapped) != (key.key_size + 7) // 8:
        return None
    try:
        return key.decrypt(wrapped, fill)
    except ValueError:
        return None


def _open(sealed: _Sealed, key: bytes | None) -> bytes | None:
    text = sealed.ciphertext
    if key is None or len(key) != sealed.key_size:
        return None
    if sealed.mode == "gcm":
        try:
            return AESGCM(key).decrypt(text[:12], text[12:], None) if len(text) > 28 else None
        except InvalidTag:
            return None
    block = 8 if sealed.mode == "3des" else 16
    if len(text) < 2 * block or len(text) % block:
        return None
    algorithm = TripleDES(key) if sealed.mode == "3des" else algorithms.AES(key)
    opened = Cipher(algorithm, modes.CBC(text[:block])).decryptor()
    plain = opened.update(text[block:]) + opened.finalize()
    # XML Encryption 1.1 section 5.2: only the last byte says how long the padding is; the others may be anything.
    return plain[: -plain[-1]] if 1 <= plain[-1] <= block else None


def _parse(plain: bytes, data: Element) -> Element | None:
    """Parse what was inside; it may lean on the namespaces of where it stood."""
    try:
        return parse(plain)
    except SamlError:
        spaces = (
            f"xmlns:{prefix}={quoteattr(uri)}" if prefix else f"xmlns={quoteattr(uri)}"
            for prefix, uri in data.nsmap.items()
            if prefix != "xml"
        )
    try:
        around = parse(f"<around {' '.join(spaces)}>".encode() + plain + b"</around>")
    except SamlError:
        return None
    inner = list(around)
    if len(inner) != 1 or (around.text or "").strip() or (inner[0].tail or "").strip():
        return None
    inner[0].tail = None
    return inner[0]
