"""Parse hostile XML once, hardened, and canonicalise parts of the tree.

What could make two readers see two documents is refused before the parser sees it: document types, entities,
processing instructions, other encodings. The tree is then measured: nodes, depth, attributes, namespaces, IDs.
What only a rare document needs is looked for in Python; what every document needs runs in libxml2.
"""

import base64
import binascii
import re
from dataclasses import dataclass

from lxml import etree

from actas.saml.errors import DocumentTooLarge, ForbiddenConstruct, MalformedDocument

Element = etree._Element  # noqa: SLF001 - lxml has no public name for it
MOST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a document is read."""

    size: int = MOST_BYTES
    nodes: int = 10_000
    depth: int = 64
    attributes: int = 64
    namespaces: int = 128
    namespace_bytes: int = 8192
    """Of all different namespaces together: canonicalisation repeats them at each element that uses them."""
    comments_beside: bool = False
    """Whether comments may stand before and behind the root, as in hand-kept metadata."""


RESPONSE = Limits()
METADATA = Limits(size=4 * 1024 * 1024, nodes=200_000, comments_beside=True)

_DECLARATION = re.compile(
    rb"<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*([\"'])1\.0\1"
    rb"(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*([\"'])(?i:utf-8|us-ascii|ascii)\2)?"
    rb"(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*([\"'])(?:yes|no)\3)?[ \t\r\n]*\?>"
)
_MARKUP = re.compile(rb"<[!?]")
_NAMESPACE = re.compile(rb"xmlns[^\"']*+(?:\"[^\"]*+\"|'[^']*+')?")
"""Each place that says xmlns, up to the end of the next quoted text: every declaration, and perhaps some text.

What one match takes no other looks at again, so that it costs no more than a few times the length of the document.
"""
_PLAIN_NAMESPACES = re.compile(rb"(?:xmlns(?::[^\s=]+)?=\"[A-Za-z][A-Za-z0-9+.\-]*:[!#-;=-~]{1,250}\" ?)*")
"""Declarations of absolute URIs; none of them has space or markup in it that could hide another."""
_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.\-]*:[!-~]{1,250}")
_QUALIFIED = re.compile(rb":[iI][dD]")

_ids = etree.XPath("//@ID|//@Id", smart_strings=False)
_usual_ids = etree.XPath("//@ID", smart_strings=False)
_lower_ids = etree.XPath("boolean(//@id|//@iD)")
_qualified_ids = etree.XPath("boolean(//@*[namespace-uri() and translate(local-name(), 'ID', 'id') = 'id'])")
_nodes = etree.XPath("count(//node())")


def _too_deep(limit: int) -> etree.XPath:
    return etree.XPath("boolean(/*" + "/*" * limit + ")")


_too_deep_64 = _too_deep(RESPONSE.depth)
_too_many_attributes_64 = etree.XPath(f"boolean(//@*[{RESPONSE.attributes + 1}])")
_unusual_attributes_64 = etree.XPath(f"boolean(//*/@*[{RESPONSE.attributes + 1}] or //*/@id or //*/@iD or //*/@Id)")
"""One question for what few documents have; only where the answer is yes it is asked which."""


def _parser() -> etree.XMLParser:
    """Make a parser; one a document, for lxml's parsers hold a lock and an error log."""
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=False,
        remove_pis=False,
        strip_cdata=True,
        collect_ids=False,
    )


def parse(raw: bytes, limits: Limits = RESPONSE) -> Element:
    """Parse a document from outside, or refuse it."""
    if not isinstance(raw, bytes):
        raise MalformedDocument(part="document", why="is not bytes")
    root = _parsed(_gate(raw, limits))
    _measure(root, raw.count(b"<"), limits)
    _look_at_namespaces(root, raw, limits)
    if _unusual_attributes_64(root):
        _look_at_attributes(root)
    else:
        _look_at_ids(root, _usual_ids)
    if _QUALIFIED.search(raw) and _qualified_ids(root):  # without such bytes there is no such attribute
        raise ForbiddenConstruct(construct="an ID attribute in a namespace")
    return root


def parse_canonical(canonical: bytes) -> Element:
    """Parse what we canonicalised ourselves from a tree that was measured before."""
    return _parsed(canonical)


def _parsed(body: bytes) -> Element:
    try:
        root: Element = etree.fromstring(body, _parser())
    except (etree.LxmlError, ValueError) as wrong:
        raise MalformedDocument(part="document", why="is not well-formed XML") from wrong
    return root


def _gate(raw: bytes, limits: Limits) -> bytes:
    """Refuse bytes that no parser should see; give the rest without its declaration."""
    if len(raw) > limits.size:
        raise DocumentTooLarge(what="bytes", limit=limits.size)
    body = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        body.decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise MalformedDocument(part="document", why="is not UTF-8") from None
    declared = _DECLARATION.match(body)
    if declared:
        body = body[declared.end() :]
    if b"\0" in body:
        raise ForbiddenConstruct(construct="a NUL byte")
    if not _MARKUP.search(body):  # as in nearly every document; one search is half the price of two
        return body
    if b"<?" in body:
        raise ForbiddenConstruct(construct="a processing instruction or an encoding that is not UTF-8")
    if body.count(b"<!") != body.count(b"<!--") + body.count(b"<![CDATA["):
        raise ForbiddenConstruct(construct="a document type or entity declaration")
    return body


def _measure(root: Element, marks: int, limits: Limits) -> None:
    """Count nodes and levels, unless there are too few *marks* (``<``) for too many of either."""
    if root.getroottree().docinfo.internalDTD is not None:  # the gate let none through; this is the second lock
        raise ForbiddenConstruct(construct="a document type")
    if not limits.comments_beside and (root.getprevious() is not None or root.getnext() is not None):
        raise ForbiddenConstruct(construct="a comment beside its root")
    # A mark begins at most one node, and one text stands behind it.
    if 2 * marks + 1 > limits.nodes and float(_nodes(root)) > limits.nodes:  # type: ignore[arg-type,unused-ignore]
        raise DocumentTooLarge(what="nodes", limit=limits.nodes)
    # A level takes two marks, but the innermost, which may be an empty element.
    if marks >= 2 * limits.depth and _too_deep_64(root):
        raise DocumentTooLarge(what="levels", limit=limits.depth)


def _look_at_namespaces(root: Element, raw: bytes, limits: Limits) -> None:
    """Refuse relative namespaces, on which canonicalisation fails, and long ones, which it would repeat."""
    said: set[bytes] = set(_NAMESPACE.findall(raw))
    if len(said) <= limits.namespaces and _PLAIN_NAMESPACES.fullmatch(b" ".join(said)):
        size = sum(map(len, said))
    else:  # declarations in another form, or text that looks like one
        found = {one for _, one in etree.iterwalk(root, events=("start-ns",))}
        if len(found) > limits.namespaces:
            raise DocumentTooLarge(what="different namespaces", limit=limits.namespaces)
        if not all(_ABSOLUTE.fullmatch(uri.encode()) for _, uri in found if uri):
            raise ForbiddenConstruct(construct="a namespace that is not an absolute URI of at most 250 characters")
        size = sum(len(prefix or "") + len(uri) for prefix, uri in found)
    if size > limits.namespace_bytes:
        raise DocumentTooLarge(what="bytes of namespaces", limit=limits.namespace_bytes)


def _look_at_attributes(root: Element) -> None:
    """Find out which of the unusual attributes are there."""
    if _too_many_attributes_64(root):  # libxml2 sorts an element's attributes by insertion
        raise DocumentTooLarge(what="attributes in one element", limit=RESPONSE.attributes)
    if _lower_ids(root):
        raise ForbiddenConstruct(construct="an ID attribute in another spelling")
    _look_at_ids(root, _ids)


def _look_at_ids(root: Element, find: etree.XPath) -> None:
    """Let an ID be called ID or Id, in no namespace, and be there once."""
    ids: list[str] = find(root)  # type: ignore[assignment,unused-ignore]
    if len(set(ids)) != len(ids):
        raise ForbiddenConstruct(construct="the same ID twice")


def canonical(element: Element, prefixes: list[str] | None = None) -> bytes:
    """Canonicalise *element*, exclusively and without comments; a void result is a failure."""
    try:
        out: bytes = etree.tostring(
            element,
            method="c14n",
            exclusive=True,
            with_comments=False,
            inclusive_ns_prefixes=prefixes,
            with_tail=False,
        )
    except (etree.LxmlError, ValueError) as wrong:
        raise MalformedDocument(part="document", why="has no canonical form") from wrong
    if not out:
        raise MalformedDocument(part="document", why="has an empty canonical form")
    return out


def base64_of(element: Element) -> bytes:
    """Read the base64 that *element* holds, and nothing but that."""
    if len(element):
        raise MalformedDocument(part="base64", why="has markup in it")
    return unbase64(element.text or "")


def unbase64(text: str | bytes) -> bytes:
    """Read base64 strictly; white space may stand anywhere, as XML Schema says.

    Bits that nobody reads must be zero (RFC 4648 section 3.5): one value has one form.
    """
    try:
        ascii_text = text if isinstance(text, bytes) else text.encode("ascii")
        plain = ascii_text.translate(None, b" \t\r\n")
        out = base64.b64decode(plain, validate=True)
    except (ValueError, binascii.Error):
        raise MalformedDocument(part="base64", why="is not base64") from None
    if (rest := len(out) % 3) and base64.b64encode(out[-rest:]) != plain[-4:]:
        raise MalformedDocument(part="base64", why="has bits behind its end")
    if not out:
        raise MalformedDocument(part="base64", why="is empty")
    return out
