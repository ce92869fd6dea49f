"""Read facts about the caller from an assertion that was verified.

Pure. A fact is known, absent, overflowed or unknown (design.md, 1). An attribute that is there but cannot be read in
one way leaves its fact unknown: guessing would be in somebody's favour.
"""

from datetime import datetime

from actas import saml
from actas.identify.saml_errors import NoStableName
from actas.identify.saml_preset import NAME_ID, ONE_FACTOR, PERSISTENT
from actas.identify.saml_profile import Names, SamlProfile
from actas.model.facts import Fact, Known, Missing
from actas.model.identity import Kind

UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
_LONGEST = 1024


def subject(assertion: saml.Assertion, profile: SamlProfile) -> str:
    """Give the name of the person that never changes hands, or say that there is none."""
    if profile.subject != NAME_ID:
        return _printable(_only(assertion, profile.subject), profile.subject)
    found, form = assertion.name_id, assertion.name_id_format or UNSPECIFIED  # SAML core 8.3.1
    if found is None:
        raise NoStableName(why="it has no NameID")
    if form not in profile.name_id:
        listed = ", ".join(sorted(one.rpartition(":")[2] for one in profile.name_id))
        shown = form.rpartition(":")[2] if form.isascii() and form.isprintable() and len(form) < 200 else "another"
        raise NoStableName(why=f"its NameID has the format {shown}; taken are {listed}")
    if form == UNSPECIFIED and "@" in found and not profile.vouched:
        raise NoStableName(why="its NameID is unspecified and looks like an e-mail address, which can change hands")
    if form == PERSISTENT and assertion.name_qualifier not in (None, assertion.issuer):  # SAML core 8.3.7
        raise NoStableName(why="its NameID is one of another provider, handed on; two people may go by it")
    return _printable(found, "NameID")


def _only(assertion: saml.Assertion, attribute: str) -> str:
    try:
        values = assertion.attribute(attribute)
    except saml.AmbiguousAttribute:
        raise NoStableName(why=f"several attributes go by the name {attribute}") from None
    if len(values) != 1:
        raise NoStableName(why=f"it has {len(values)} values of {attribute}, which names people, where one is read")
    return values[0]


def _printable(found: str, what: str) -> str:
    if not found or not found.isprintable() or found != found.strip() or len(found) > _LONGEST:
        raise NoStableName(why=f"its {what} is empty, padded, too long or not printable")
    return found


def address(assertion: saml.Assertion, profile: SamlProfile, kind: Fact[Kind]) -> str | None:
    """Read the address by which events may name a person; empty where not one can be read, for it may be anybody's."""
    if profile.address is None or kind == Known(Kind.SERVICE):
        return None
    if profile.address == NAME_ID:
        return assertion.name_id or ""
    try:
        values = assertion.attribute(profile.address)
    except saml.AmbiguousAttribute:
        return ""
    return values[0] if len(values) == 1 else ""


def names(assertion: saml.Assertion, where: Names, *, overage: tuple[str, ...] = ()) -> Fact[frozenset[str]]:
    """Read a set of names, such as groups or roles, from every attribute that holds some."""
    if any(_is_there(assertion, mark) for mark in overage):
        return Missing.OVERFLOWED
    there = [name for name in where.attributes if _is_there(assertion, name)]
    if not there:
        return Known(frozenset(), by_absence=True) if where.absent == "empty" else Missing.ABSENT
    try:
        found = frozenset(value for name in there for value in assertion.attribute(name))
    except saml.AmbiguousAttribute:
        return Missing.UNKNOWN
    if not all(value and value.isprintable() for value in found):
        return Missing.UNKNOWN
    if where.full is not None and len(found) >= where.full:
        return Missing.OVERFLOWED
    return Known(found)


def _is_there(assertion: saml.Assertion, name: str) -> bool:
    return name in assertion.attributes or name in assertion.friendly_names


def tenant(assertion: saml.Assertion, where: Names) -> Fact[str]:
    """Read the provider's tenant."""
    found = names(assertion, where)
    if not isinstance(found, Known) or not found.value:
        return found if isinstance(found, Missing) else Missing.ABSENT
    return Known(next(iter(found.value))) if len(found.value) == 1 else Missing.UNKNOWN


def mfa(assertion: saml.Assertion, profile: SamlProfile) -> Fact[bool]:
    """Say whether a second factor was used, as far as the authentication context and listed methods tell."""
    context = assertion.authn_context
    methods = names(assertion, Names(attributes=profile.preset.methods))
    if context in profile.contexts or (isinstance(methods, Known) and not profile.contexts.isdisjoint(methods.value)):
        return Known(True)
    if methods is Missing.UNKNOWN:
        return Missing.UNKNOWN
    if isinstance(methods, Known) or context in ONE_FACTOR:
        return Known(False)
    says_nothing = context is None or context.endswith((":unspecified", "/unspecified"))
    return Known(False) if profile.contexts_said and not says_nothing else Missing.ABSENT


def authenticated_at(assertion: saml.Assertion, profile: SamlProfile, *, now: datetime) -> Fact[datetime]:
    """Read when the person signed in; a time in the future is nothing to rely on."""
    return Known(assertion.authn_instant) if assertion.authn_instant <= now + profile.leeway else Missing.UNKNOWN


def kind(assertion: saml.Assertion, profile: SamlProfile) -> Fact[Kind]:
    """Tell programs from people by the settings; without them an assertion tells of a person's sign-in."""
    if profile.service is None:
        return Known(Kind.HUMAN)
    try:
        marked = all(value in assertion.attribute(name) for name, value in profile.service)
    except saml.AmbiguousAttribute:
        return Missing.UNKNOWN
    return Known(Kind.SERVICE if marked else Kind.HUMAN)
