"""Verify the one form of signature that SAML has: enveloped, over its parent, exclusively canonicalised.

Gives the bytes that were digested, parsed again. Nothing of the tree that arrived is read after that, so what was
wrapped around, beside or into the signed element is never seen.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import NamedTuple

from lxml import etree

from actas.saml.algorithms import DIGESTS, OLD_DIGESTS, OLD_SIGNATURES, SIGNATURES, holds
from actas.saml.certificates import PublicKey
from actas.saml.errors import AlgorithmRefused, BadDigest, BadSignature, SignatureRefused, UnexpectedStructure
from actas.saml.names import DS, ENVELOPED, EXCLUSIVE, ds, local
from actas.saml.parsing import Element, base64_of, canonical, parse_canonical, unbase64

SIGNATURE = ds("Signature")
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,255}")
_PREFIX = re.compile(r"[A-Za-z_][\w.\-]{0,63}|#default")
_MOST_PREFIXES = 16
_PREFIX_LIST = f"{{{EXCLUSIVE}}}InclusiveNamespaces"
_SHAPES = (
    [ds("SignedInfo"), ds("SignatureValue"), ds("KeyInfo")],
    [ds("SignedInfo"), ds("SignatureValue")],
)
_SIGNED_INFO = [ds("CanonicalizationMethod"), ds("SignatureMethod"), ds("Reference")]
_REFERENCE = [ds("Transforms"), ds("DigestMethod"), ds("DigestValue")]
_TRANSFORMS = [ds("Transform"), ds("Transform")]


def _plain_info() -> "re.Pattern[bytes]":
    """Describe SignedInfo in its usual canonical form, to the byte; one in another form is parsed."""

    def one(name: str, inside: str, attributes: str = "") -> str:
        return rf"<(?(1)\1:){name}{attributes}>{inside}</(?(1)\1:){name}>\s*"

    value = r"[^\"&<>]*"
    listed = rf'<(?P<ec>ec:)?InclusiveNamespaces xmlns(?(ec):ec)="{re.escape(EXCLUSIVE)}"'
    listed += rf' PrefixList="(?P<prefixes>{value})">'
    listed = rf"\s*(?:{listed}</(?(ec)ec:)InclusiveNamespaces>\s*)?"
    transforms = one("Transform", r"\s*", rf' Algorithm="{re.escape(ENVELOPED)}"')
    transforms += one("Transform", listed, rf' Algorithm="{re.escape(EXCLUSIVE)}"')
    reference = one("Transforms", r"\s*" + transforms)
    reference += one("DigestMethod", r"\s*", rf' Algorithm="(?P<digest>{value})"')
    reference += one("DigestValue", r"(?P<value>[A-Za-z0-9+/=\s]+)")
    info = one("CanonicalizationMethod", r"\s*", rf' Algorithm="{re.escape(EXCLUSIVE)}"')
    info += one("SignatureMethod", r"\s*", rf' Algorithm="(?P<signature>{value})"')
    info += one("Reference", r"\s*" + reference, rf' URI="(?P<uri>{value})"')
    root = rf'<(?:([A-Za-z_][\w.\-]*):)?SignedInfo xmlns(?(1):\1)="{re.escape(DS)}">\s*{info}</(?(1)\1:)SignedInfo>'
    return re.compile(root.encode())


_PLAIN_INFO = _plain_info()


class Signed(NamedTuple):
    """An element whose signature holds: its canonical bytes, and the tree that was parsed from them."""

    element: Element
    xml: bytes


class _Info(NamedTuple):
    """What the signature's own signed part says. A tuple, for it is made for every response."""

    canonicalisation: str | None
    signature: str | None
    uri: str | None
    digest: str | None
    value: bytes
    prefixes: list[str] | None


def has_signature(element: Element) -> bool:
    """Tell whether *element* carries a signature of its own; one further down does not count."""
    return element.find(SIGNATURE) is not None


def verify_enveloped(element: Element, keys: Sequence[PublicKey], *, allow_sha1: bool) -> Signed:
    """Verify the signature of *element*, which is taken out of the tree."""
    what = local(element.tag)
    signature, identifier = _only_signature(element)
    info = _genuine_info(signature, keys, what=what, allow_sha1=allow_sha1)
    digest = _covering(info, identifier, allow_sha1=allow_sha1)
    _detach(signature)
    xml = canonical(element, info.prefixes)
    if not hmac.compare_digest(hashlib.new(digest, xml).digest(), info.value):
        raise BadDigest(what=what)
    return read_again(xml, element.tag, identifier)


def read_again(xml: bytes, tag: object, identifier: str | None) -> Signed:
    """Parse canonical bytes; they are the element they were made of, or nothing."""
    again = parse_canonical(xml)
    if again.tag != tag or again.get("ID") != identifier:
        raise UnexpectedStructure(where=local(tag), why="is another element once it is canonical")
    return Signed(element=again, xml=xml)


def _only_signature(element: Element) -> tuple[Element, str]:
    found = element.findall(SIGNATURE)
    if len(found) != 1:
        raise SignatureRefused(why=f"{local(element.tag)} has {len(found)} signatures")
    identifier = element.get("ID")
    if identifier is None or not _ID.fullmatch(identifier):
        raise SignatureRefused(why="the signed element has no ID that can be referred to")
    if [child.tag for child in found[0]] not in _SHAPES:
        raise SignatureRefused(why="it is not SignedInfo, SignatureValue and perhaps KeyInfo")
    return found[0], identifier


def _genuine_info(signature: Element, keys: Sequence[PublicKey], *, what: str, allow_sha1: bool) -> _Info:
    """Verify SignedInfo and give it as it was signed. KeyInfo is never read: keys are pinned."""
    info = signature[0]
    if next(info.iter(etree.Comment), None) is not None:  # canonicalisation would drop it (CVE-2025-29775)
        raise SignatureRefused(why="SignedInfo has a comment in it")
    method = _children(info, _SIGNED_INFO)[0]
    signed = canonical(info, _prefixes(method) if len(method) else None)
    value = base64_of(signature[1])
    again = _read_info(signed)
    if again.canonicalisation != EXCLUSIVE:
        raise AlgorithmRefused(use="canonicalisation", found=again.canonicalisation)
    allowed = (OLD_SIGNATURES if allow_sha1 else SIGNATURES).get(again.signature or "")
    if allowed is None:
        raise AlgorithmRefused(use="signature", found=again.signature)
    if not any(holds(key, *allowed, value, signed) for key in keys):
        raise BadSignature(what=what, tried=len(keys))
    return again


def _read_info(signed: bytes) -> _Info:
    """Read SignedInfo from the bytes that are signed: by its usual form, else by parsing them again."""
    found = _PLAIN_INFO.fullmatch(signed)
    if found is None:
        return _parse_info(parse_canonical(signed))
    prefixes = found["prefixes"]
    return _Info(
        canonicalisation=EXCLUSIVE,
        signature=found["signature"].decode(),
        uri=found["uri"].decode(),
        digest=found["digest"].decode(),
        value=unbase64(found["value"]),
        prefixes=None if prefixes is None else _split_prefixes(prefixes.decode()),
    )


def _parse_info(info: Element) -> _Info:
    canonicalisation, algorithm, reference = _children(info, _SIGNED_INFO)
    transforms, method, value = _children(reference, _REFERENCE)
    if not set(reference.keys()) <= {"URI", "Id", "Type"}:
        raise SignatureRefused(why="it refers to something else than the element it stands in")
    first, second = _children(transforms, _TRANSFORMS)
    if first.get("Algorithm") != ENVELOPED or len(first) or second.get("Algorithm") != EXCLUSIVE:
        raise SignatureRefused(why="its transforms are not enveloped-signature and exclusive canonicalisation")
    return _Info(
        canonicalisation=canonicalisation.get("Algorithm"),
        signature=None if len(algorithm) else algorithm.get("Algorithm"),
        uri=reference.get("URI"),
        digest=None if len(method) else method.get("Algorithm"),
        value=base64_of(value),
        prefixes=_prefixes(second),
    )


def _covering(info: _Info, identifier: str, *, allow_sha1: bool) -> str:
    """See that it covers the element it stands in; give the name of its digest."""
    if info.uri != f"#{identifier}":
        raise SignatureRefused(why="it refers to something else than the element it stands in")
    digest = (OLD_DIGESTS if allow_sha1 else DIGESTS).get(info.digest or "")
    if digest is None:
        raise AlgorithmRefused(use="digest", found=info.digest)
    return digest


def _children(element: Element, wanted: list[str]) -> list[Element]:
    found = list(element)
    if [child.tag for child in found] != wanted:
        raise SignatureRefused(why=f"{local(element.tag)} does not have the children that it must have")
    return found


def _prefixes(method: Element) -> list[str] | None:
    """Read the prefixes that exclusive canonicalisation treats inclusively."""
    found = list(method)
    if not found:
        return None
    if len(found) != 1 or found[0].tag != _PREFIX_LIST or len(found[0]) or found[0].keys() != ["PrefixList"]:
        raise SignatureRefused(why="the canonicalisation has parameters that are unknown")
    return _split_prefixes(found[0].get("PrefixList", ""))


def _split_prefixes(listed: str) -> list[str] | None:
    prefixes = listed.split()
    if len(prefixes) > _MOST_PREFIXES or not all(_PREFIX.fullmatch(prefix) for prefix in prefixes):
        raise SignatureRefused(why="the canonicalisation has a list of prefixes that is no such list")
    return prefixes or None


def _detach(signature: Element) -> None:
    """Take the signature out and leave the text behind it, as the enveloped-signature transform does."""
    parent, before, tail = signature.getparent(), signature.getprevious(), signature.tail
    assert parent is not None
    if tail:
        if before is not None:
            before.tail = (before.tail or "") + tail
        else:
            parent.text = (parent.text or "") + tail
    parent.remove(signature)
