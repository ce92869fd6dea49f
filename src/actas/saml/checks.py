"""Check what a response and its assertion say against what the caller expects.

Two tuples list all checks. `ENVELOPE` looks at the response around the assertion, `STATEMENT` at the assertion as it
was read from its signed bytes. Each check raises what is wrong, or returns.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from lxml import etree

from actas.saml.assertion import Any, Require
from actas.saml.content_errors import (
    AssertionExpired,
    HolderOfKeyRefused,
    NotConfirmed,
    NotYetValid,
    WrongAuthnContext,
)
from actas.saml.errors import (
    SamlError,
    StatusNotSuccess,
    UnexpectedStructure,
    WrongAudience,
    WrongDestination,
    WrongIssuer,
    WrongRecipient,
    WrongRequest,
    WrongVersion,
)
from actas.saml.names import BEARER, ENTITY, HOLDER_OF_KEY, SUCCESS, local, saml, samlp
from actas.saml.parsing import Element
from actas.saml.reading import Confirmation, Statement, sorted_by_tag, status_of
from actas.saml.signature import SIGNATURE

_ISSUER, _STATUS = saml("Issuer"), samlp("Status")
_CHILDREN: frozenset[object] = frozenset(
    {
        saml("Issuer"),
        SIGNATURE,
        samlp("Extensions"),
        samlp("Status"),
        saml("Assertion"),
        saml("EncryptedAssertion"),
        etree.Comment,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the caller expects."""

    entity_id: str
    audience: str | None
    recipient: str | None
    in_response_to: str | Any | None
    now: datetime
    leeway: timedelta
    require: Require


class Envelope(NamedTuple):
    """The response around the assertion, as it was signed if it was, else as it came."""

    element: Element
    is_signed: bool
    parts: Mapping[object, Sequence[Element]]
    """Its children by their tags."""

    @classmethod
    def of(cls, element: Element, *, is_signed: bool) -> "Envelope":
        """Look at the children once, for all checks."""
        return cls(element=element, is_signed=is_signed, parts=sorted_by_tag(element))


def check_envelope(envelope: Envelope, expected: Expected) -> None:
    """Raise the first thing wrong with the response."""
    for check in ENVELOPE:
        check(envelope, expected)


def check_statement(statement: Statement, expected: Expected) -> Confirmation:
    """Raise the first thing wrong with the assertion; give the confirmation that lets it be used."""
    for check in STATEMENT:
        check(statement, expected)
    return confirm(statement, expected)


def _response_is_saml_2(envelope: Envelope, _expected: Expected) -> None:
    version = envelope.element.get("Version")
    if version != "2.0":
        raise WrongVersion(found=version)


def _response_has_what_the_schema_has(envelope: Envelope, _expected: Expected) -> None:
    strange = envelope.parts.keys() - _CHILDREN
    if strange:
        raise UnexpectedStructure(where="Response", why=f"has a child {min(map(local, strange))}")


def _response_was_sent_here(envelope: Envelope, expected: Expected) -> None:
    found = envelope.element.get("Destination")
    if expected.recipient is None or (found is None and not envelope.is_signed):
        return  # SAML bindings 3.5.5.2: a signed message says where it goes
    if found != expected.recipient:
        raise WrongDestination(found=found, wanted=expected.recipient)


def _response_comes_from_the_issuer(envelope: Envelope, expected: Expected) -> None:
    issuers = envelope.parts.get(_ISSUER, ())
    if len(issuers) > 1:
        raise UnexpectedStructure(where="Response", why="has more than one Issuer")
    for issuer in issuers:
        found = "".join(str(part) for part in issuer.itertext(etree.Element)) if len(issuer) else issuer.text or ""
        found = found.strip()
        if found != expected.entity_id or issuer.get("Format", ENTITY) != ENTITY:
            raise WrongIssuer(found=found, wanted=expected.entity_id)


def _response_is_a_success(envelope: Envelope, _expected: Expected) -> None:
    codes = status_of(envelope.element, envelope.parts.get(_STATUS, ()))
    if codes[0] != SUCCESS:
        raise StatusNotSuccess(codes=codes)


def _response_answers_the_open_request(envelope: Envelope, expected: Expected) -> None:
    found, wanted = envelope.element.get("InResponseTo"), expected.in_response_to
    if isinstance(wanted, Any) or (found is None and not envelope.is_signed):
        return
    if found != wanted:
        raise WrongRequest(found=found, wanted=wanted)


def _assertion_is_saml_2(statement: Statement, _expected: Expected) -> None:
    if statement.version != "2.0":
        raise WrongVersion(found=statement.version)


def _assertion_comes_from_the_issuer(statement: Statement, expected: Expected) -> None:
    # SAML profiles 4.1.4.2: a name of another format is somebody else's, whatever its text.
    if statement.issuer != expected.entity_id or (statement.issuer_format or ENTITY) != ENTITY:
        raise WrongIssuer(found=statement.issuer, wanted=expected.entity_id)


def _conditions_hold_now(statement: Statement, expected: Expected) -> None:
    begins, ends = statement.conditions.not_before, statement.conditions.not_on_or_after
    if begins is not None and begins > expected.now + expected.leeway:
        raise NotYetValid(valid_from=begins, now=expected.now)
    if ends is not None and ends <= expected.now - expected.leeway:
        raise AssertionExpired(what="assertion", ended_at=ends, now=expected.now)


def _assertion_is_meant_for_us(statement: Statement, expected: Expected) -> None:
    """Find us in each restriction, of which there must be one (SAML profiles 4.1.4.2, core 2.5.1.4)."""
    if expected.audience is None:
        return
    restrictions = statement.conditions.restrictions
    for found in restrictions or ((),):
        if expected.audience not in found:
            raise WrongAudience(found=found, wanted=expected.audience)


def _subject_signed_in(statement: Statement, expected: Expected) -> None:
    if not statement.authentications:
        raise UnexpectedStructure(where="Assertion", why="has no AuthnStatement")
    for authentication in statement.authentications:
        ends = authentication.session_not_on_or_after
        if ends is not None and ends <= expected.now - expected.leeway:
            raise AssertionExpired(what="session at the identity provider", ended_at=ends, now=expected.now)


def _subject_signed_in_as_asked(statement: Statement, expected: Expected) -> None:
    wanted = expected.require.authn_contexts
    if wanted and statement.authentications[0].context not in wanted:
        raise WrongAuthnContext(found=statement.authentications[0].context, wanted=wanted)


def confirm(statement: Statement, expected: Expected) -> Confirmation:
    """Find a confirmation by bearer that lets the assertion be used here and now; one is enough."""
    bearers = [one for one in statement.confirmations if one.method == BEARER]
    if not bearers:
        if any(one.method == HOLDER_OF_KEY for one in statement.confirmations):
            raise HolderOfKeyRefused
        raise NotConfirmed(why="there is no confirmation by bearer")
    refusals: list[SamlError] = []
    for one in bearers:
        try:
            for check in CONFIRMATION:
                check(one, expected)
        except SamlError as refused:
            refusals.append(refused)
        else:
            return one
    raise refusals[0]


def _confirmation_is_complete(one: Confirmation, expected: Expected) -> None:
    """See that it has what SAML profiles 4.1.4.2 asks of a bearer, and not what it forbids."""
    if not one.has_data:
        raise NotConfirmed(why="it has no SubjectConfirmationData")
    if one.not_before is not None:
        raise NotConfirmed(why="it has a NotBefore, which a bearer must not have")
    if one.not_on_or_after is None:
        raise NotConfirmed(why="it has no NotOnOrAfter")
    if one.recipient is None and expected.recipient is not None:
        raise NotConfirmed(why="it has no Recipient")


def _confirmation_is_for_here(one: Confirmation, expected: Expected) -> None:
    if expected.recipient is not None and one.recipient != expected.recipient:
        raise WrongRecipient(found=one.recipient, wanted=expected.recipient)


def _confirmation_holds_now(one: Confirmation, expected: Expected) -> None:
    assert one.not_on_or_after is not None
    if one.not_on_or_after <= expected.now - expected.leeway:
        raise AssertionExpired(what="subject confirmation", ended_at=one.not_on_or_after, now=expected.now)


def _confirmation_answers_the_open_request(one: Confirmation, expected: Expected) -> None:
    wanted = expected.in_response_to
    if not isinstance(wanted, Any) and one.in_response_to != wanted:
        raise WrongRequest(found=one.in_response_to, wanted=wanted)


ENVELOPE: tuple[Callable[[Envelope, Expected], None], ...] = (
    _response_is_saml_2,
    _response_has_what_the_schema_has,
    _response_is_a_success,
    _response_was_sent_here,
    _response_comes_from_the_issuer,
    _response_answers_the_open_request,
)
STATEMENT: tuple[Callable[[Statement, Expected], None], ...] = (
    _assertion_is_saml_2,
    _assertion_comes_from_the_issuer,
    _conditions_hold_now,
    _assertion_is_meant_for_us,
    _subject_signed_in,
    _subject_signed_in_as_asked,
)
CONFIRMATION: tuple[Callable[[Confirmation, Expected], None], ...] = (
    _confirmation_is_complete,
    _confirmation_is_for_here,
    _confirmation_holds_now,
    _confirmation_answers_the_open_request,
)
