"""Say in plain words everything that keeps a response from being taken, not only the first thing.

Pure. `diagnose` looks at what a response claims and verifies it at the end: nothing is called good that is not.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from actas.saml.algorithms import DIGESTS, OLD_DIGESTS, OLD_SIGNATURES, SIGNATURES
from actas.saml.assertion import ANY, Require
from actas.saml.certificates import PublicKey
from actas.saml.decryption import OLD_CIPHERS, DecryptionKey
from actas.saml.errors import SamlError, listed, shown
from actas.saml.looking import Seen, look
from actas.saml.names import SUCCESS
from actas.saml.trust import Trust
from actas.saml.verifying import verify

Severity = Literal["error", "warning"]
_SKEW = timedelta(minutes=10)
"""A document from the future by less than this means clocks that differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong."""

    code: str
    sentence: str
    severity: Severity = "error"
    hint: str
    """What to do, at whichever provider; a caller who knows which can say it better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a response should be like; what is None is not known and not looked at."""

    trust: Trust | None
    audience: str | None = None
    recipients: Collection[str] = ()
    """Any of our doors."""
    attributes: Collection[str] = ()
    """Those that the rules rest on."""
    now: datetime
    leeway: timedelta = timedelta(seconds=60)
    allow_sha1: bool = False
    decryption_keys: Sequence[DecryptionKey] = ()
    old_ciphers: Collection[str] = ()
    require: Require | None = None


def diagnose(response: bytes, wanted: Wanted) -> tuple[Finding, ...]:
    """Find everything wrong with *response*; nothing found means that it would be taken."""
    try:
        seen = look(response, decryption_keys=wanted.decryption_keys, old_ciphers=wanted.old_ciphers)
    except SamlError as unreadable:
        return (_of(unreadable),)
    found = [one for check in CHECKS for one in check(seen, wanted)]
    refusal = _refusal(response, seen, wanted)
    if refusal is not None and not any(
        one.severity == "error" and one.code in _TOLD.get(refusal.code, ()) for one in found
    ):
        found.insert(0, _of(refusal))
    return tuple(found)


def _of(error: SamlError) -> Finding:
    return Finding(code=error.code.removeprefix("saml."), sentence=error.message, hint=error.hint)


def _refusal(response: bytes, seen: Seen, wanted: Wanted) -> SamlError | None:
    """Verify it as a door would; where it is for one of ours, at that one."""
    if wanted.trust is None:
        return None
    recipient = next((one for one in seen.recipients if one in wanted.recipients), None)
    try:
        verify(
            response,
            wanted.trust,
            audience=wanted.audience,
            recipient=recipient or next(iter(wanted.recipients), None),
            now=wanted.now,
            in_response_to=ANY,
            leeway=wanted.leeway,
            allow_sha1=wanted.allow_sha1,
            decryption_keys=wanted.decryption_keys,
            require=wanted.require,
            old_ciphers=wanted.old_ciphers,
        )
    except SamlError as refusal:
        return refusal
    return None


def _is_signed(seen: Seen, wanted: Wanted) -> Iterator[Finding]:
    if not seen.signatures and not (seen.is_encrypted and not seen.is_opened):
        hint = "Switch on signing at the identity provider, for the assertion, the response or both."
        yield Finding(code="unsigned", sentence="neither the response nor its assertion is signed", hint=hint)
    for one in seen.signatures:
        if wanted.trust is None or not one.certificates:
            continue
        known = {_number(key) for key in wanted.trust.keys}
        if not any(_number(certificate.key) in known for certificate in one.certificates):
            yield Finding(
                code="certificate-not-in-metadata",
                sentence=f"the {one.over} was signed with a key that is not in the metadata",
                hint="Fetch the identity provider's metadata again; it has changed its certificate, or is another one.",
            )


def _algorithms_are_allowed(seen: Seen, wanted: Wanted) -> Iterator[Finding]:
    for one in seen.signatures:
        is_old = one.algorithm not in SIGNATURES or one.digest not in DIGESTS
        if one.algorithm not in OLD_SIGNATURES or one.digest not in OLD_DIGESTS:
            sentence = (
                f"the {one.over} is signed by {shown(one.algorithm)} with {shown(one.digest)}, which is never taken"
            )
            yield Finding(code="algorithm", sentence=sentence, hint="Have the provider sign with RSA-SHA256 or ECDSA.")
        elif is_old:
            yield Finding(
                code="sha1",
                sentence=f"the {one.over} is signed with SHA-1",
                severity="warning" if wanted.allow_sha1 else "error",
                hint="Have the identity provider sign with SHA-256; allow_sha1 takes it until then.",
            )


def _comes_from_the_issuer(seen: Seen, wanted: Wanted) -> Iterator[Finding]:
    others = [one for one in seen.issuers if wanted.trust is not None and one != wanted.trust.entity_id]
    if others and wanted.trust is not None:
        sentence = f"the issuer is {listed(others)}, and {shown(wanted.trust.entity_id)} is trusted"
        hint = "Give the metadata of this very provider; entity ids must agree to the letter."
        yield Finding(code="issuer", sentence=sentence, hint=hint)


def _is_a_success(seen: Seen, _wanted: Wanted) -> Iterator[Finding]:
    if seen.status and seen.status[0] != SUCCESS:
        told = ", ".join(shown(one.rpartition(":")[2]) for one in seen.status)
        hint = "Look into the identity provider's log; its second status code says what it disliked."
        yield Finding(code="status", sentence=f"the identity provider refused: {told}", hint=hint)


def _has_one_assertion(seen: Seen, _wanted: Wanted) -> Iterator[Finding]:
    if seen.assertions != 1 and (not seen.status or seen.status[0] == SUCCESS):
        sentence = f"there are {seen.assertions} assertions where exactly one is read"
        yield Finding(code="assertions", sentence=sentence, hint="Have the provider send one; several are an attack.")


def _can_be_opened(seen: Seen, wanted: Wanted) -> Iterator[Finding]:
    if not seen.is_encrypted:
        return
    if seen.is_opened:
        if old := list(_old(seen)):
            sentence = f"the assertion is encrypted by {listed(old)}, which tells strangers a little of what is inside"
            hint = "Have the provider encrypt with RSA-OAEP and AES-GCM, and remove old_ciphers."
            yield Finding(code="old-ciphers", sentence=sentence, severity="warning", hint=hint)
        return
    if not wanted.decryption_keys:
        sentence, hint = (
            "the assertion is encrypted, and there is no key to open it",
            "Name our private key under `decryption`, or have the provider encrypt to the certificate in our metadata.",
        )
    elif old := [name for name in _old(seen) if name not in wanted.old_ciphers]:
        sentence = f"the assertion is encrypted by {listed(old)}, which is opened only where it is switched on"
        hint = "Have the provider encrypt with RSA-OAEP and AES-GCM; old_ciphers takes it until then."
    else:
        sentence, hint = (
            f"the assertion cannot be opened; it is encrypted by {listed(seen.ciphers)}",
            "Give the provider our current certificate, and have it use RSA-OAEP with AES.",
        )
    yield Finding(code="encrypted", sentence=sentence, hint=hint)


def _old(seen: Seen) -> Iterator[str]:
    return (name for name in OLD_CIPHERS if any(one.endswith(f"#{name}") for one in seen.ciphers))


def _is_meant_for_us(seen: Seen, wanted: Wanted) -> Iterator[Finding]:
    if seen.is_encrypted and not seen.is_opened:
        return
    if wanted.audience is not None and wanted.audience not in seen.audiences:
        sentence = f"the audience is {listed(seen.audiences)}, and {shown(wanted.audience)} is ours"
        yield Finding(code="audience", sentence=sentence, hint="Set the audience at the provider to our entity id.")
    if wanted.recipients and not set(seen.recipients) & set(wanted.recipients):
        sentence = f"the recipient is {listed(seen.recipients)}; our doors are {listed(wanted.recipients)}"
        hint = "Set the assertion consumer service at the provider to our address, to the letter."
        yield Finding(code="recipient", sentence=sentence, hint=hint)
    elif wanted.recipients and seen.destination is not None and seen.destination not in wanted.recipients:
        sentence = f"the destination is {shown(seen.destination)}; our doors are {listed(wanted.recipients)}"
        hint = "Set the assertion consumer service at the provider to our address, to the letter."
        yield Finding(code="destination", sentence=sentence, hint=hint)


def _holds_now(seen: Seen, wanted: Wanted) -> Iterator[Finding]:
    begins, ends, now = seen.not_before or seen.issued_at, seen.not_on_or_after, wanted.now
    if begins is not None and begins > now + wanted.leeway:
        seconds = int((begins - now).total_seconds())
        is_skew = begins - now <= _SKEW
        told = "the clocks differ" if is_skew else "it is from the future, or this host's clock is far behind"
        hint = "Set both clocks by NTP, or allow more `leeway`, at most 5m."
        yield Finding(code="clock", sentence=f"it is valid in {seconds} s only: {told}", hint=hint)
    if ends is not None and ends <= now - wanted.leeway:
        seconds = int((now - ends).total_seconds())
        hint = "Sign in again and look at the fresh response; to look at an old one as of its time, give --at."
        yield Finding(code="expired", sentence=f"it ended {seconds} s ago, at {ends:%Y-%m-%dT%H:%M:%SZ}", hint=hint)


def _says_who_signed_in(seen: Seen, _wanted: Wanted) -> Iterator[Finding]:
    if (seen.is_encrypted and not seen.is_opened) or seen.assertions != 1:
        return
    if not seen.has_name:
        hint = "Have the provider send a NameID, persistent if it can."
        yield Finding(code="no-name", sentence="the assertion names nobody", severity="warning", hint=hint)
    elif seen.name_id_format is not None and seen.name_id_format.endswith(":transient"):
        hint = "Have the provider send a persistent NameID, or name an attribute under `subject`."
        sentence = "the NameID is transient: it is another at each sign-in"
        yield Finding(code="transient-name", sentence=sentence, severity="warning", hint=hint)
    if not seen.has_sign_in:
        hint = "Have the provider send an AuthnStatement."
        yield Finding(code="no-sign-in", sentence="the assertion does not say that anybody signed in", hint=hint)


def _has_the_attributes(seen: Seen, wanted: Wanted) -> Iterator[Finding]:
    if seen.is_encrypted and not seen.is_opened:
        return
    for name in wanted.attributes:
        if name not in seen.attributes:
            sentence = f"the attribute {shown(name)} is not there; there are {listed(seen.attributes)}"
            hint = "Map it at the identity provider, or name the attribute that holds it in the provider's settings."
            yield Finding(code="missing-attribute", sentence=sentence, severity="warning", hint=hint)


CHECKS: tuple[Callable[[Seen, Wanted], Iterator[Finding]], ...] = (
    _is_a_success,
    _has_one_assertion,
    _is_signed,
    _algorithms_are_allowed,
    _comes_from_the_issuer,
    _can_be_opened,
    _is_meant_for_us,
    _holds_now,
    _says_who_signed_in,
    _has_the_attributes,
)


_TOLD: dict[str, frozenset[str]] = {
    "saml.not-signed": frozenset({"unsigned", "encrypted"}),
    "saml.bad-signature": frozenset({"certificate-not-in-metadata"}),
    "saml.algorithm-refused": frozenset({"algorithm", "sha1", "encrypted"}),
    "saml.wrong-issuer": frozenset({"issuer"}),
    "saml.status-not-success": frozenset({"status"}),
    "saml.not-one-assertion": frozenset({"assertions", "status"}),
    "saml.no-decryption-key": frozenset({"encrypted"}),
    "saml.decryption-failed": frozenset({"encrypted"}),
    "saml.wrong-audience": frozenset({"audience"}),
    "saml.wrong-recipient": frozenset({"recipient"}),
    "saml.wrong-destination": frozenset({"recipient", "destination"}),
    "saml.not-yet-valid": frozenset({"clock"}),
    "saml.assertion-expired": frozenset({"expired"}),
    "saml.unexpected-structure": frozenset({"no-sign-in"}),
}
"""By the code of a refusal, the findings that tell it already."""


def _number(key: PublicKey) -> object:
    return key.public_numbers()
