"""Verify a response in the one safe order; what is read was canonicalised, digested and signed, and nothing else is.

1. Bytes and tree are measured before anything is believed (`parsing`).
2. A signature on the response holds; the response is read from what it covers (`signature`).
3. The response is for us, from the issuer, a success (`checks.ENVELOPE`).
4. There is exactly one assertion, in its place; if it is encrypted, it is opened (`decryption`).
5. Its own signature holds; it is read from what is signed (`reading`).
6. It is for us, now, and its bearer may use it (`checks.STATEMENT`).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from actas.saml.algorithms import usable
from actas.saml.assertion import Any, Assertion, Require, SignedPart
from actas.saml.certificates import PublicKey
from actas.saml.checks import Envelope, Expected, check_envelope, check_statement
from actas.saml.decryption import DecryptionKey, Opener, decrypt, is_authenticated, opener
from actas.saml.errors import (
    AskedWrongly,
    DecryptionFailed,
    MisplacedAssertion,
    NotOneAssertion,
    NotSigned,
    RequirementUnmet,
    SamlError,
    UnexpectedStructure,
)
from actas.saml.names import BEARER, local, saml, samlp
from actas.saml.parsing import Element, canonical, parse
from actas.saml.reading import Attribute, Confirmation, Statement, read_statement, sorted_by_tag
from actas.saml.signature import Signed, has_signature, read_again, verify_enveloped
from actas.saml.trust import Trust

_RESPONSE, _ADVICE = samlp("Response"), saml("Advice")
_ASSERTION, _ENCRYPTED = saml("Assertion"), saml("EncryptedAssertion")
_ANYTIME = timedelta(seconds=60)


class _Means(NamedTuple):
    """What a signature is verified and a cipher opened with."""

    keys: tuple[PublicKey, ...]
    allow_sha1: bool
    opener: Opener


class _Found(NamedTuple):
    """The assertion as it may be read."""

    trusted: Signed
    signed: SignedPart
    is_encrypted: bool = False


def verify(
    response: bytes,
    trust: Trust,
    *,
    audience: str | None,
    recipient: str | None,
    now: datetime,
    in_response_to: str | Any | None = None,
    leeway: timedelta = _ANYTIME,
    allow_sha1: bool = False,
    decryption_keys: Sequence[DecryptionKey] = (),
    require: Require | None = None,
    old_ciphers: Collection[str] = (),
) -> Assertion:
    """Verify a response, or a bare assertion, and give what it says; a `SamlError` says why not."""
    _ask_rightly(now, leeway)
    expected = Expected(
        entity_id=trust.entity_id,
        audience=audience,
        recipient=recipient,
        in_response_to=in_response_to,
        now=now,
        leeway=leeway,
        require=require or Require(),
    )
    means = _Means(
        keys=usable(trust.keys, allow_sha1=allow_sha1),
        allow_sha1=allow_sha1,
        opener=opener(decryption_keys, gcm_only=expected.require.gcm_only, old_ciphers=old_ciphers),
    )
    found = _find(parse(response), expected, means)
    _meets(found, expected.require)
    statement = read_statement(found.trusted.element, means.opener)
    return _assertion(statement, check_statement(statement, expected), found)


def _ask_rightly(now: datetime, leeway: timedelta) -> None:
    if getattr(now, "tzinfo", None) is None:
        raise AskedWrongly(argument="now", why="is not a time with a zone")
    if not timedelta(0) <= leeway <= timedelta(hours=1):
        raise AskedWrongly(argument="leeway", why="is negative or more than an hour")


def _find(root: Element, expected: Expected, means: _Means) -> _Found:
    """Find the one assertion and make sure that it is signed."""
    _nothing_is_misplaced(root)
    if root.tag == _ASSERTION:
        if not has_signature(root):
            raise NotSigned(what="assertion")
        return _Found(trusted=_verified(root, means), signed="assertion")
    if root.tag != _RESPONSE:
        raise UnexpectedStructure(where=local(root.tag), why="is neither a Response nor an Assertion")
    response = _verified(root, means).element if has_signature(root) else None
    envelope = root if response is None else response
    sorted_envelope = Envelope.of(envelope, is_signed=response is not None)
    check_envelope(sorted_envelope, expected)
    found = _only_assertion(sorted_envelope.parts)
    if found.tag == _ENCRYPTED:
        return _open(found, means, is_covered=response is not None)
    if response is None:
        return _plain(found, None, means)
    return _plain(_only_assertion(sorted_by_tag(root)), found, means)


def _verified(element: Element, means: _Means) -> Signed:
    return verify_enveloped(element, means.keys, allow_sha1=means.allow_sha1)


def _nothing_is_misplaced(root: Element) -> None:
    """Refuse assertions and responses that hide: they may stand below the response and inside Advice only."""
    for element in root.iter(_ASSERTION, _ENCRYPTED, _RESPONSE):
        parent = element.getparent()
        if parent is None or element is root or (parent is root and root.tag == _RESPONSE and element.tag != _RESPONSE):
            continue
        if parent.tag != _ADVICE or element.tag == _RESPONSE:
            raise MisplacedAssertion(element=local(element.tag), inside=local(parent.tag))


def _only_assertion(parts: Mapping[object, Sequence[Element]]) -> Element:
    found = [*parts.get(_ASSERTION, ()), *parts.get(_ENCRYPTED, ())]
    if len(found) != 1:
        raise NotOneAssertion(found=len(found))
    return found[0]


def _plain(arrived: Element, covered: Element | None, means: _Means) -> _Found:
    """Take an assertion that is signed itself, or that a signed response holds.

    Its own signature is verified where it arrived: a prefix list may name namespaces of the elements around it.
    """
    if has_signature(arrived):
        return _Found(trusted=_verified(arrived, means), signed="assertion" if covered is None else "both")
    if covered is None:
        raise NotSigned(what="assertion")
    return _Found(trusted=_as_covered(covered), signed="response")


def _as_covered(element: Element) -> Signed:
    return read_again(canonical(element), element.tag, element.get("ID"))


def _open(encrypted: Element, means: _Means, *, is_covered: bool) -> _Found:
    """Open an encrypted assertion; encrypted is not signed, so what is inside is verified like any other."""
    inner = decrypt(encrypted, _ASSERTION, means.opener)
    try:
        _nothing_is_misplaced(inner)
        if has_signature(inner):
            trusted = _verified(inner, means)
            return _Found(trusted=trusted, signed="both" if is_covered else "assertion", is_encrypted=True)
        if not is_covered:
            raise NotSigned(what="assertion")
        return _Found(trusted=_as_covered(inner), signed="response", is_encrypted=True)
    except SamlError:
        if is_covered or is_authenticated(encrypted):
            raise
        # AES-CBC that nobody vouches for: a stranger who changes it must not learn how far it was readable.
        raise DecryptionFailed from None


def _meets(found: _Found, require: Require) -> None:
    if require.signed_assertion and found.signed == "response":
        raise RequirementUnmet(requirement="signed_assertion")
    if require.signed_response and found.signed == "assertion":
        raise RequirementUnmet(requirement="signed_response")
    if require.encrypted_assertion and not found.is_encrypted:
        raise RequirementUnmet(requirement="encrypted_assertion")


def _assertion(statement: Statement, confirmation: Confirmation, found: _Found) -> Assertion:
    conditions, authentication = statement.conditions, statement.authentications[0]
    ends = [at for at in (conditions.not_on_or_after, confirmation.not_on_or_after) if at is not None]
    # One assertion may be confirmed for several doors, each with an end of its own.
    bearers = [one.not_on_or_after for one in statement.confirmations if one.method == BEARER and one.not_on_or_after]
    sessions = [one.session_not_on_or_after for one in statement.authentications]
    return Assertion(
        id=statement.identifier,
        issuer=statement.issuer,
        name_id=statement.name_id,
        name_id_format=statement.name_id_format,
        name_qualifier=statement.name_qualifier or None,
        sp_name_qualifier=statement.sp_name_qualifier or None,
        session_index=authentication.session_index,
        authn_context=authentication.context,
        authn_instant=authentication.instant,
        not_before=conditions.not_before,
        not_on_or_after=min(ends),
        usable_until=min(conditions.not_on_or_after or max(bearers), max(bearers)),
        session_not_on_or_after=min((at for at in sessions if at is not None), default=None),
        in_response_to=confirmation.in_response_to,
        audiences=tuple(dict.fromkeys(one for restriction in conditions.restrictions for one in restriction)),
        recipient=confirmation.recipient,
        one_time_use=conditions.one_time_use,
        proxy_restriction=conditions.proxy,
        signed=found.signed,
        attributes=_values(statement.attributes),
        friendly_names=_friendly(statement.attributes),
        issued_at=statement.issued_at,
        xml=found.trusted.xml,
    )


def _values(attributes: Sequence[Attribute]) -> MappingProxyType[str, tuple[str, ...]]:
    """Gather values by name: Keycloak sends an attribute for each role, all of one name."""
    values: dict[str, list[str]] = {}
    for name, _, found in attributes:
        if name in values:
            values[name] += found
        else:
            values[name] = found
    return MappingProxyType({name: tuple(found) for name, found in values.items()})


def _friendly(attributes: Sequence[Attribute]) -> MappingProxyType[str, tuple[str, ...]]:
    names: dict[str, dict[str, None]] = {}
    for name, friendly, _ in attributes:
        if friendly:
            names.setdefault(friendly, {})[name] = None
    return MappingProxyType({friendly: tuple(found) for friendly, found in names.items()})
