"""Say in plain words what is wrong with metadata, and what will be. Pure."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import rsa

from actas.saml.algorithms import DIGESTS, SIGNATURES
from actas.saml.certificates import LEAST_RSA_BITS, Certificate
from actas.saml.content_errors import BadCertificate
from actas.saml.diagnosing import Finding
from actas.saml.errors import SamlError, shown
from actas.saml.metadata import Entity, Metadata
from actas.saml.names import POST, REDIRECT, ds
from actas.saml.parsing import METADATA, parse

SOON = timedelta(days=30)


def diagnose_metadata(xml: bytes, *, now: datetime, entity_id: str | None = None) -> tuple[Finding, ...]:
    """Find everything wrong with the metadata of an identity provider."""
    try:
        metadata = Metadata.parse(xml, now=now)
        entity = metadata.idp(entity_id)
    except SamlError as wrong:
        return (Finding(code=wrong.code.removeprefix("saml."), sentence=wrong.message, hint=wrong.hint),)
    found = [one for check in CHECKS for one in check(entity, now)]
    return (*found, *_signature(xml))


def _keys(entity: Entity, now: datetime) -> Iterator[Finding]:
    good: list[Certificate] = []
    for der in entity.signing_certificates:
        try:
            good.append(Certificate.read(der))
        except BadCertificate as wrong:
            yield Finding(code="bad-certificate", sentence=wrong.message, severity="warning", hint=wrong.hint)
    strong = [one for one in good if not isinstance(one.key, rsa.RSAPublicKey) or one.key.key_size >= LEAST_RSA_BITS]
    if not good:
        hint = "Ask the identity provider for metadata with its signing certificate."
        yield Finding(code="no-signing-key", sentence="there is no usable signing certificate", hint=hint)
    elif not strong:
        sentence = f"every signing key is shorter than {LEAST_RSA_BITS} bits"
        hint = "Have the provider make a new key; allow_sha1 takes the old one until then."
        yield Finding(code="weak-key", sentence=sentence, hint=hint)
    ends = [one.not_after for one in good if one.not_after is not None]
    if len(ends) == len(good) and ends and max(ends) < now + SOON:
        told = "has ended" if max(ends) <= now else f"ends on {max(ends):%Y-%m-%d}"
        yield Finding(
            code="certificate-ends",
            sentence=f"the last signing certificate {told}, and no other is published beside it",
            severity="warning",
            hint="Have the provider publish its next certificate; the old one is still believed while it is listed.",
        )


def _validity(entity: Entity, now: datetime) -> Iterator[Finding]:
    if entity.validity is not None and entity.validity < now + timedelta(days=1):
        sentence = f"the metadata is valid until {entity.validity:%Y-%m-%dT%H:%M:%SZ} only"
        hint = "Give its address rather than a file, so that it is fetched again."
        yield Finding(code="metadata-ends", sentence=sentence, severity="warning", hint=hint)


def _endpoints(entity: Entity, _now: datetime) -> Iterator[Finding]:
    sso = [one for one in entity.endpoints if one.role == "idp" and one.service == "SingleSignOnService"]
    if not any(one.binding in {POST, REDIRECT} for one in sso):
        sentence = "there is no SingleSignOnService for the bindings POST or Redirect"
        hint = "Switch one of them on at the identity provider; others are not spoken."
        yield Finding(code="no-sign-in-address", sentence=sentence, hint=hint)
    for one in entity.endpoints:
        if one.location.lower().startswith("http:"):
            sentence = f"the {one.service} is at an http address: {shown(one.location)}"
            hint = "Use https, but where the provider is on a network that nobody else hears."
            yield Finding(code="in-clear", sentence=sentence, severity="warning", hint=hint)
    services = {one.service for one in entity.endpoints if one.role == "idp"}
    if "SingleLogoutService" not in services:
        sentence, hint = (
            "there is no SingleLogoutService, so signing out ends our sign-in alone",
            "Switch single logout on at the identity provider, if it has it.",
        )
        yield Finding(code="no-logout-address", sentence=sentence, severity="warning", hint=hint)


def _signature(xml: bytes) -> Iterator[Finding]:
    root = parse(xml, METADATA)
    signature = root.find(ds("Signature"))
    if signature is None:
        return
    algorithm, digest = (
        next(signature.iter(ds("SignatureMethod")), None),
        next(signature.iter(ds("DigestMethod")), None),
    )
    names = [None if one is None else one.get("Algorithm") for one in (algorithm, digest)]
    if names[0] not in SIGNATURES or names[1] not in DIGESTS:
        sentence = f"the metadata is signed by {shown(names[0])} with {shown(names[1])}"
        hint = "Its signature is looked at where metadata_certificate is set; have it signed with SHA-256."
        yield Finding(code="sha1", sentence=sentence, severity="warning", hint=hint)


CHECKS: tuple[Callable[[Entity, datetime], Iterator[Finding]], ...] = (_keys, _validity, _endpoints)
