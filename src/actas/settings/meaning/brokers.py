"""Check what each role's broker needs and what has no effect on it, and refuse what a bypassable one cannot keep."""

import json
import re
from typing import Final
from unicodedata import category

from actas.settings.meaning.addresses import is_loopback, url
from actas.settings.meaning.offers import offers
from actas.settings.meaning.targets import named, targets
from actas.settings.meaning.view import View
from actas.settings.positions import Path
from actas.settings.schema import AwsBase, RoleSettings, Rule, many
from actas.settings.secrecy import quoted

ROLE_ARN: Final = re.compile(r"arn:aws(?:-cn|-us-gov)?:iam::[0-9]{12}:role/(?:[!-~]{1,511}/)?[A-Za-z0-9+=,.@_-]{1,64}")
_SAML_ARN: Final = re.compile(r"arn:aws(?:-cn|-us-gov)?:iam::[0-9]{12}:saml-provider/[A-Za-z0-9._-]{1,128}")
_OPTIONS: Final[dict[str, frozenset[str]]] = {
    "local": frozenset(),
    "aws-web-identity": frozenset({"sts", "tags", "caller_token", "cut"}),
    "aws-assume-role": frozenset({"sts", "tags", "base", "external_id", "cut"}),
    "aws-saml": frozenset({"sts", "saml_provider", "cut"}),
    "azure-workload": frozenset({"azure"}),
    "google-wif": frozenset({"google"}),
}
_NEEDS: Final = {
    "aws-assume-role": "base", "aws-saml": "saml_provider", "azure-workload": "azure", "google-wif": "google",
}  # fmt: skip
_ALL: Final = ("sts", "tags", "caller_token", "saml_provider", "base", "external_id", "azure", "google", "cut")
_EXTERNAL_ID: Final = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,1224}")
_AUDIENCE: Final = re.compile(
    r"//iam\.googleapis\.com/projects/[0-9]{1,20}/locations/global/workloadIdentityPools/[a-z0-9-]{4,32}"
    r"/providers/[a-z0-9-]{4,32}"
)
_ACCOUNT: Final = re.compile(r"[a-z0-9-]{1,63}@[a-z0-9.-]{1,63}\.gserviceaccount\.com")
_TENANT: Final = re.compile(r"[A-Za-z0-9.-]{1,253}")
_MOST_TAGS: Final = 47
"""STS takes 50, and three are ours."""
_OURS: Final = ("provider", "kind", "actor")
_MOST_POLICY: Final = 2048 - 300
"""Characters of a policy in its shortest form; what fences a work session takes three hundred and more beside it."""
_TRUST_US: Final = ("aws-web-identity", "azure-workload", "google-wif")
_SEEN_BY_AWS: Final = frozenset({"provider", "subjects", "clients"})
"""What of a caller a trust policy in AWS can look at: issuer, ``sub`` and ``aud`` (or ``azp``)."""


def check(view: View) -> None:
    """Check every role's broker."""
    for name, role in view.settings.roles.items():
        path: Path = ("roles", name)
        if view.sketch.is_spoiled((*path, "broker")):
            continue
        _keys(view, path, role)
        _tags(view, path, role)
        _values(view, path, role)
        _policy(view, path, role)
        if role.base is not None:
            base(view, (*path, "base"), role.base)
        if role.cut is not None:
            base(view, (*path, "cut", "by"), role.cut.by)
    _bypassable(view)
    _issuer(view)
    if (cloudwatch := view.settings.audit.cloudwatch) is not None:
        path = ("audit", "cloudwatch")
        base(view, (*path, "base"), cloudwatch.base)
        for key in ("endpoint", "sts"):
            if (text := getattr(cloudwatch, key)) is not None:
                _address(view, (*path, key), text)


def _keys(view: View, path: Path, role: RoleSettings) -> None:
    for key in _ALL:
        if key not in _OPTIONS[role.broker] and view.says(*path, key):
            message = f"{key} has no effect on the broker {role.broker}"
            view.warn("settings.no-effect", (*path, key), message, f"Remove {key}.", at="key")
    if role.broker == "aws-saml" and not any(one.passed_on for one in view.settings.providers.values()):
        message = "aws-saml passes an assertion on, and no provider has passed_on"
        hint = "Add passed_on: https://signin.aws.amazon.com/saml to the SAML provider."
        view.report("settings.role-incomplete", (*path, "broker"), message, hint)
    needed = _NEEDS.get(role.broker)
    if needed and getattr(role, needed) is None:
        message = f"the broker {role.broker} needs {needed}"
        view.report("settings.role-incomplete", (*path, "broker"), message, f"Add {needed}.")


def _tags(view: View, path: Path, role: RoleSettings) -> None:
    if len(role.tags) > _MOST_TAGS:
        message = f"there are {len(role.tags)} tags, and {_MOST_TAGS} fit"
        view.report("settings.bad-tag", (*path, "tags"), message, "Leave some out.", at="key")
    seen = set(_OURS)
    for key, value in role.tags.items():
        where = (*path, "tags", key)
        if key.lower() in seen:
            message = f"the tag {quoted(key)} is there already; STS does not tell upper from lower case"
            view.report("settings.bad-tag", where, message, "Give it another name.", at="key")
        seen.add(key.lower())
        if key.lower().startswith("aws:") or value.lower().startswith("aws:"):
            message = f"the tag {quoted(key)} or its value begins with aws:, which AWS keeps to itself"
            view.report("settings.bad-tag", where, message, "Give it another name or value.")
        if not (0 < len(key) <= 128 and len(value) <= 256 and _taggable(key) and _taggable(value)):
            message = f"the tag {quoted(key)} is not as STS takes it"
            hint = "Use at most 128 and 256 letters, digits, spaces and _.:/=+-@."
            view.report("settings.bad-tag", where, message, hint)


def _taggable(text: str) -> bool:
    return all(one in "_.:/=+-@" or category(one)[0] in "LZN" for one in text)


def _values(view: View, path: Path, role: RoleSettings) -> None:
    if role.saml_provider is not None and not _SAML_ARN.fullmatch(role.saml_provider):
        example = "arn:aws:iam::111122223333:saml-provider/ping"
        message = f"{quoted(role.saml_provider)} is no ARN of a SAML provider"
        view.report("settings.bad-arn", (*path, "saml_provider"), message, f"Write it like {example}.", wanted=example)
    if isinstance(role.external_id, str) and not _EXTERNAL_ID.fullmatch(role.external_id):
        hint = "Write 2 to 1224 letters, digits and _+=,.@:/-."
        view.report("settings.wrong-value", (*path, "external_id"), "external_id is not as STS takes it", hint)
    if (azure := role.azure) is not None:
        _fits(view, (*path, "azure", "tenant"), _TENANT, azure.tenant, "the tenant's id or domain")
        _fits(view, (*path, "azure", "client"), _TENANT, azure.client, "the application's client id")
        _address(view, (*path, "azure", "authority"), azure.authority)
    if (google := role.google) is not None:
        _fits(view, (*path, "google", "audience"), _AUDIENCE, google.audience, "the full name of a pool's provider")
        where = (*path, "google", "service_account")
        _fits(view, where, _ACCOUNT, google.service_account, "NAME@PROJECT.iam.gserviceaccount.com")
        _address(view, (*path, "google", "sts"), google.sts)
        _address(view, (*path, "google", "iam"), google.iam)


def _fits(view: View, path: Path, form: re.Pattern[str], text: str, wanted: str) -> None:
    if not form.fullmatch(text):
        view.report("settings.wrong-value", path, f"{quoted(text)} is not {wanted}", f"Write {wanted}.")


def _policy(view: View, path: Path, role: RoleSettings) -> None:
    """Say beforehand where a session policy cannot fit into what STS takes; ours come beside it."""
    file = view.file(role.policy) if role.policy and role.broker.startswith("aws-") else None
    try:
        found = json.loads((file and file.content) or b"{}")
    except (ValueError, RecursionError):
        return  # the check of policies says so
    size = len(json.dumps(found, separators=(",", ":")))
    if size > _MOST_POLICY:
        message = f"the policy has {size} characters; of the 2048 that STS takes, the fence needs some hundreds"
        hint = "Put what is common to all callers into the role in AWS, and leave the rest here."
        view.report("settings.policy-too-long", (*path, "policy"), message, hint)


def _address(view: View, path: Path, text: str) -> None:
    """Check an address that tokens are sent to."""
    read = url(text)
    if isinstance(read, str):
        view.report("settings.bad-url", path, f"{path[-1]} {read}", "Give an address.")
    elif read.scheme != "https" and not is_loopback(read.host):
        message = f"{path[-1]} is not https: the token sent there could be read on the way"
        view.report("settings.insecure-url", path, message, "Write https://.")


def base(view: View, path: Path, found: AwsBase) -> None:
    """Check credentials of the gateway's own: that they are said in one way."""
    keys = found.access_key_id is not None or found.secret_access_key is not None
    ways = [found.role is not None, found.profile is not None, found.chain, keys]
    if sum(ways) != 1:
        message = "it says in no way whose credentials it means" if not any(ways) else "it says several ways at once"
        hint = "Give exactly one of role, profile, chain: true, and the keys by reference."
        view.report("settings.base-ambiguous", path, message, hint, at="key")
    if (found.access_key_id is None) != (found.secret_access_key is None):
        message = "an access key is an id and a secret"
        view.report("settings.base-ambiguous", path, message, "Add the other one.", at="key")
    if found.session_token is not None and not keys:
        view.warn("settings.no-effect", (*path, "session_token"), "session_token has no effect alone", "Remove it.")
    if found.role is not None and not ROLE_ARN.fullmatch(found.role):
        example = "arn:aws:iam::111122223333:role/actas-base"
        message = f"{quoted(found.role)} is no ARN of a role"
        view.report("settings.bad-arn", (*path, "role"), message, f"Write it like {example}.", wanted=example)


def _issuer(view: View) -> None:
    """Warn where another cloud must trust our issuer and cannot: IAM wants https and no port in its name."""
    needing = [
        name
        for name, role in view.settings.roles.items()
        if (role.broker in _TRUST_US and not role.caller_token) or (role.base is not None and role.base.role)
    ]
    issuer = view.settings.gateway.control_url
    read = url(issuer)
    if not needing or isinstance(read, str):
        return
    if read.scheme != "https" or is_loopback(read.host) or f":{read.port}" in issuer.removeprefix("https://"):
        message = (
            f"{needing[0]} is taken elsewhere, where {quoted(issuer)} must be trusted as an issuer and cannot be read"
        )
        hint = "Let control_url be https, without a port, at a host that others reach."
        view.warn("settings.issuer-not-public", ("gateway", "control_url"), message, hint)


def _bypassable(view: View) -> None:
    """Mark roles whose callers could go to STS themselves, and refuse rules that only the gateway can keep."""
    loose = {name for name, role in view.settings.roles.items() if role.broker == "aws-saml" or role.caller_token}
    for name in sorted(loose):
        message = (
            f"{name} is bypassable: STS is shown what the caller holds, so the caller could go there past the rules"
        )
        hint = "Use aws-web-identity without caller_token, so that AWS trusts this gateway instead."
        view.warn("settings.bypassable", ("roles", name), message, hint, at="key")
    everything = targets(view.settings, view.around.admin_actions)
    forbidden = {
        one for _, rule in view.rules() for pattern in many(rule.may_not) for one in named(pattern, everything)
    }
    for place, rule in view.rules():
        given = sorted(loose & set(offers(rule, view.settings.roles)))
        over = {one for pattern in many(rule.may) for one in named(pattern, everything)}
        if given and (why := _only_ours(rule, forbidden=bool(over & forbidden))):
            message = f"{rule.id} gives {given[0]}, which is bypassable, and AWS cannot enforce its {why}"
            hint = f"Let {given[0]} come from aws-web-identity without caller_token, or take {why} out of the rule."
            view.report("settings.bypassable-rule", ("rules", place), message, hint)


def _only_ours(rule: Rule, *, forbidden: bool) -> str | None:
    """Name the first thing in a rule that AWS cannot see."""
    if rule.when is not None:
        return "when"
    unseen = [key for key in rule.who.__struct_fields__ if key not in _SEEN_BY_AWS and getattr(rule.who, key)]
    if unseen:
        return f"who.{unseen[0]}"
    return "may_not over the same function" if forbidden else None
