"""Make an identity of an assertion that was verified.

Pure: the assertion, the provider's profile and the time go in; an identity comes out, or an `IdentifyError` says why
not. Whether the assertion was used before is no matter of this file.
"""

from datetime import datetime
from hashlib import sha256

from actas import saml
from actas.identify import saml_facts as facts
from actas.identify.saml_aws import aws_attributes
from actas.identify.saml_errors import AwsAttributeRefused
from actas.identify.saml_kept import EVIDENCE
from actas.identify.saml_profile import SamlProfile
from actas.model.aws_attributes import AwsAttributes
from actas.model.facts import Fact, Known, Missing
from actas.model.identity import Identity


def believe(assertion: saml.Assertion, profile: SamlProfile, *, now: datetime) -> Identity:
    """Turn a verified *assertion* into an identity."""
    kind = facts.kind(assertion, profile)
    return Identity(
        provider=profile.name,
        issuer=assertion.issuer,
        subject=facts.subject(assertion, profile),
        subject_format=assertion.name_id_format or facts.UNSPECIFIED,
        kind=kind,
        expires_at=min(assertion.not_on_or_after, assertion.session_not_on_or_after or assertion.not_on_or_after),
        # What was revoked up to the moment at which it was written does not count.
        # Nor may a clock that is ahead outrun a revocation.
        issued_at=min(assertion.issued_at or assertion.authn_instant, now + profile.leeway),
        evidence=EVIDENCE,
        evidence_id=evidence_id(assertion),
        tenant=facts.tenant(assertion, profile.tenant),
        groups=facts.names(assertion, profile.groups, overage=profile.preset.overage),
        roles=facts.names(assertion, profile.roles),
        mfa=facts.mfa(assertion, profile),
        authenticated_at=facts.authenticated_at(assertion, profile, now=now),
        provider_session=assertion.session_index or None,
        address=facts.address(assertion, profile, kind),
        aws=aws(assertion),
    )


def evidence_id(assertion: saml.Assertion) -> str:
    """Name the assertion in the trail, and where used ones are kept: a hash of its issuer and its id."""
    return sha256(f"{assertion.issuer}\n{assertion.id}".encode()).hexdigest()[:32]


def aws(assertion: saml.Assertion) -> Fact[AwsAttributes]:
    """Read what the provider says for AWS; unknown where AWS would refuse it."""
    try:
        found = aws_attributes(assertion.attributes)
    except AwsAttributeRefused:
        return Missing.UNKNOWN
    return Missing.ABSENT if found is None else Known(found)
