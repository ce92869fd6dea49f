"""Each step from a SAML response to an identity, as data; for ``actas who``.

A step names attributes and counts, never their values. Nothing is used up: the assertion can still be shown once.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from actas import saml
from actas.identify import saml_facts
from actas.identify.errors import IdentifyError
from actas.identify.explain import Explanation, Step, code_of, refusal
from actas.identify.saml_aws import PREFIX, aws_attributes
from actas.identify.saml_errors import AwsAttributeRefused, SamlRefused
from actas.identify.saml_preset import NAME_ID
from actas.identify.saml_profile import Names, SamlProfile
from actas.identify.saml_verifier import Believed, SamlProviders
from actas.identify.verifier import Identify
from actas.model.facts import Fact, Known, Missing

_OTHERS = "saml.wrong-issuer"


async def explain_response(providers: SamlProviders, xml: bytes, *, now: datetime) -> Explanation:
    """Tell each step from *xml*, a response or an assertion, to an identity, up to the first that fails."""
    wrong: IdentifyError | None = None
    for name in providers.names:
        try:
            believed = await providers.read(name, xml, now=now)
        except SamlRefused as refused:
            wrong = refused
            if refused.found != _OTHERS:
                break
        except IdentifyError as other:
            wrong = other
            break
        else:
            return Explanation(steps=tuple(_steps(believed, now)), identity=believed.identity)
    assert wrong is not None  # where there is no provider, asking for one has said so
    return Explanation(steps=(refusal("signature", wrong),), identity=None)


def explain_own(identify: Identify, token: str, *, now: datetime) -> Explanation:
    """Tell what a token of our own stands for; the assertion it was made of is gone."""
    assert identify.own is not None
    try:
        identity, profile = identify.own.read(token, now=now)
        identify.stands(identity, profile, now=now)
    except IdentifyError as wrong:
        return Explanation(steps=(refusal("signature", wrong),), identity=None)
    made = identify.saml.profile(identity.provider)
    provider = f"it is our own token for somebody of the SAML provider {made.name} (preset {made.preset.name})"
    steps = (
        Step(name="provider", code="ok", sentence=provider),
        Step(name="signature", code="ok", sentence="the signature holds under our own key, and the times are good"),
        *(_fact(name, getattr(identity, name)) for name in ("groups", "roles", "tenant", "mfa", "aws")),
        Step(name="revocation", code="ok", sentence="nothing was revoked since the assertion was issued"),
    )
    return Explanation(steps=steps, identity=identity)


def _fact(name: str, fact: Fact[Any]) -> Step:
    said = "the assertion said it" if isinstance(fact, Known) else "the assertion did not say it in a way that counts"
    return Step(name=name, code=code_of(fact), sentence=said)


def _steps(believed: Believed, now: datetime) -> Iterable[Step]:
    assertion, profile, identity = believed.assertion, believed.profile, believed.identity
    yield Step(name="provider", code="ok", sentence=_provider(assertion, profile))
    yield Step(name="signature", code="ok", sentence=_signature(assertion, profile))
    yield _recipient(assertion, profile)
    named = "the NameID" if profile.subject == NAME_ID else profile.subject
    yield Step(name="subject", code="known", sentence=f"the caller is named by {named}")
    yield _several("groups", identity.groups, profile.groups)
    yield _several("roles", identity.roles, profile.roles)
    yield _several("tenant", identity.tenant, profile.tenant)
    context = (assertion.authn_context or "none").rpartition(":")[2]
    yield Step(name="mfa", code=code_of(identity.mfa), sentence=f"the authentication context is {context}")
    signed_in = saml_facts.authenticated_at(assertion, profile, now=now)
    sentence = "the person signed in when the assertion says" if isinstance(signed_in, Known) else "it is in the future"
    yield Step(name="authenticated-at", code=code_of(signed_in), sentence=sentence)
    yield _aws(assertion)
    yield _unused(assertion, profile)
    yield Step(name="once", code="ok", sentence="an assertion counts once; this look did not use it up")


def _provider(assertion: saml.Assertion, profile: SamlProfile) -> str:
    return f"the issuer is {assertion.issuer}, which is the provider {profile.name} (preset {profile.preset.name})"


def _signature(assertion: saml.Assertion, profile: SamlProfile) -> str:
    what = {"both": "response and assertion are", "response": "the response is", "assertion": "the assertion is"}
    return (
        f"{what[assertion.signed]} signed by a key of the metadata, the times are good, and the audience is "
        f"{profile.audience}"
    )


def _recipient(assertion: saml.Assertion, profile: SamlProfile) -> Step:
    doors = {profile.doors.acs: "browsers", profile.doors.token: "machines"}
    if assertion.recipient in doors:
        whose = doors[assertion.recipient]
        return Step(name="recipient", code="ok", sentence=f"it is for the door of {whose}, {assertion.recipient}")
    sentence = f"it is for none of this provider's doors, so it would be refused; wanted is {' or '.join(doors)}"
    return Step(name="recipient", code="saml.wrong-recipient", sentence=sentence)


def _several(name: str, fact: Fact[Any], where: Names) -> Step:
    places = " and ".join(where.attributes)
    if not places:
        return Step(name=name, code=code_of(fact), sentence=f"this provider has no attribute for the {name}")
    match fact:
        case Known(by_absence=True):
            sentence = f"{places} is not there, which the settings take for none"
        case Known(value=value):
            count = len(value) if isinstance(value, frozenset) else 1
            sentence = f"{count} values in {places}"
        case Missing.ABSENT:
            sentence = f"{places} is not there, and nobody says what that means"
        case Missing.OVERFLOWED:
            sentence = f"there are more {name} than the assertion lists"
        case Missing.UNKNOWN:
            sentence = f"{places} cannot be read in one way"
    return Step(name=name, code=code_of(fact), sentence=sentence)


def _aws(assertion: saml.Assertion) -> Step:
    try:
        found = aws_attributes(assertion.attributes)
    except AwsAttributeRefused as wrong:
        return refusal("aws", wrong)
    if found is None:
        return Step(name="aws", code="absent", sentence="it says nothing for AWS")
    missing = "" if found.session_name else ", and no RoleSessionName, which AWS wants"
    sentence = f"it claims {len(found.roles)} roles for AWS and {len(found.tags)} session tags{missing}"
    return Step(name="aws", code="known", sentence=sentence)


def _unused(assertion: saml.Assertion, profile: SamlProfile) -> Step:
    """Name the attributes that nothing here reads: one of them may be what was meant."""
    service = tuple(name for name, _ in profile.service or ())
    read = {
        *profile.groups.attributes, *profile.roles.attributes, *profile.tenant.attributes, *profile.preset.methods,
        *profile.preset.overage, profile.subject, *service,
    }  # fmt: skip
    friendly = {name for shared, names in assertion.friendly_names.items() if shared in read for name in names}
    left = [name for name in assertion.attributes if name not in read | friendly and not name.startswith(PREFIX)]
    sentence = f"attributes that nothing reads: {', '.join(left[:12])}" if left else "every attribute is read"
    return Step(name="unused", code="ok", sentence=sentence)
