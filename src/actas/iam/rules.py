"""The rules of a policy's content, kind by kind, in AWS's order and wording."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from actas.iam import arns, resource_format
from actas.iam.finding import Path
from actas.iam.kinds import PRINCIPALED, Kind
from actas.iam.notes import LEGACY, Notes, Phase
from actas.iam.operators import OPERATORS, Operator, spelled
from actas.iam.statement import Content, Statement
from actas.iam.values import policy_date
from actas.iam.wildcards import tokens_of

QUOTAS: Final = {
    Kind.IDENTITY: 6144,
    Kind.BOUNDARY: 6144,
    Kind.SESSION: 2048,
    Kind.TRUST: 2048,
    Kind.SCP: 10240,
    Kind.RCP: 5120,
    Kind.ENDPOINT: 20480,
    Kind.RESOURCE: 20480,
}
"""Characters without white space that AWS takes; some services take more for their resource policies."""

_SID: Final = re.compile(r"[0-9A-Za-z]*", re.ASCII)
_VENDOR: Final = re.compile(r"[A-Za-z0-9\-.]+", re.ASCII)
_WITHOUT_RESOURCE: Final = ("ecr:", "ecr-public:")
"""Services whose resource policies have no Resource element."""
_TRUST_ACTION: Final = "AssumeRole policy may only specify STS AssumeRole actions."


def check(policy: Content, notes: Notes, *, stored: bool) -> None:
    """Note what AWS would refuse in a policy whose structure is right."""
    for path, statement in _placed(policy):
        _values(statement, path, notes)
        _sid(statement, path, notes)
        _actions(statement, path, notes)
        _resources(statement, policy.kind, path, notes)
        _principal(statement, policy.kind, path, notes)
        if policy.kind is Kind.TRUST:
            _trust(statement, path, notes)
        if policy.kind is Kind.RCP:
            _rcp(statement, path, notes)
    _unique_sids(policy, notes, stored=stored)


def _placed(policy: Content) -> Iterator[tuple[Path, Statement]]:
    for statement in policy.statements:
        yield ("Statement", statement.index), statement


def _values(statement: Statement, path: Path, notes: Notes) -> None:
    seen: dict[tuple[str, str], str] = {}
    for condition in statement.conditions:
        at = (*path, "Condition", condition.operator, condition.key)
        other = seen.setdefault((condition.operator, condition.key.lower()), condition.key)
        if other != condition.key:
            message = f"{condition.key} and {other} are the same condition key."
            notes.warn(Phase.PLACE, at, "duplicate-condition-key", message, "Join their values under one spelling.")
        parsed = spelled(condition.operator)
        if parsed is None:
            continue
        for index, value in enumerate(condition.values):
            if parsed.operator.family == "date" and not policy_date(value):
                fix = "Write the date as 2026-03-14T23:00:00Z, or as seconds since 1970."
                notes.error(Phase.LEGACY, (*at, index), "invalid-date", LEGACY, fix)
            elif not _is_of_type(parsed.operator, value, with_variables=statement.variables):
                message = f"{value} is nothing that {parsed.operator.name} can compare; it matches nothing."
                fix = f"Write {_FORMS[parsed.operator.family]}."
                notes.warn(Phase.PLACE, (*at, index), "value-not-of-type", message, fix)


_FORMS: Final = {
    "number": "an integer or a decimal",
    "date": "a date that exists",
    "bool": "true or false",
    "null": "true or false",
    "ip": "an address or a CIDR block",
    "arn": "an ARN of six parts",
    "binary": "base64",
}


def _is_of_type(operator: Operator, value: str, *, with_variables: bool) -> bool:
    if operator.family in ("string", "like") or (with_variables and "${" in value):
        return True
    if operator.family == "arn":
        return arns.pattern(tokens_of(value)) is not None
    return operator.wanted(value) is not None


def _sid(statement: Statement, path: Path, notes: Notes) -> None:
    if statement.sid and not _SID.fullmatch(statement.sid):
        message = "Statement IDs (SID) must be alpha-numeric."
        notes.warn(Phase.SID, (*path, "Sid"), "sid-characters", message, "Use the letters A to Z and digits only.")


def _unique_sids(policy: Content, notes: Notes, *, stored: bool) -> None:
    seen: set[str] = set()
    for path, statement in _placed(policy):
        if statement.sid is None:
            continue
        if statement.sid in seen:
            message = "Statement IDs (SID) in a single policy must be unique."
            say = notes.warn if stored else notes.error
            say(Phase.SID, (*path, "Sid"), "duplicate-sid", message, "Give each statement a Sid of its own, or none.")
        seen.add(statement.sid)


def _actions(statement: Statement, path: Path, notes: Notes) -> None:
    name = "NotAction" if statement.not_action else "Action"
    if not statement.actions:
        message = "Policy statement must contain actions."
        notes.error(Phase.ACTION, (*path, name), "missing-action", message, "Name at least one action.")
    for index, action in enumerate(statement.actions):
        wrong = _action(action)
        if wrong:
            code, message, fix = wrong
            notes.error(Phase.PREFIX, (*path, name, index), code, message, fix)


def _action(action: str) -> tuple[str, str, str] | None:
    if action == "*":
        return None
    vendor, colon, rest = action.partition(":")
    if not colon:
        message = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
        return "action-without-service", message, "Write service:Action, or * for every action."
    if ":" in rest:
        return "action-colons", "Actions/Condition can contain only one colon.", "Write service:Action."
    if vendor != "*" and not _VENDOR.fullmatch(vendor):
        return "invalid-service", f"Vendor {vendor} is not valid", "Write the service's prefix, without wildcards."
    return None


def _resources(statement: Statement, kind: Kind, path: Path, notes: Notes) -> None:
    name = "NotResource" if statement.not_resource else "Resource"
    if kind is Kind.TRUST:
        if statement.resources is not None:
            message = f"Has prohibited field {name}"
            notes.error(Phase.KIND, (*path, name), "prohibited-resource", message, f"Remove {name}.")
        return
    if not statement.resources:
        if kind is Kind.RESOURCE and statement.resources is None and _needs_no_resource(statement):
            return
        message = "Policy statement must contain resources."
        notes.error(Phase.PLACE, (*path, name), "missing-resource", message, 'Name the resources, or write "*".')
        return
    # AWS looks at the largest first and reports the last that is wrong.
    for index, resource in sorted(enumerate(statement.resources), key=lambda item: item[1]):
        wrong = resource_format.wrong_with(resource, variables=statement.variables)
        if wrong:
            phase, code, message, fix = wrong
            notes.error(phase, (*path, name, index), code, message, fix)


def _needs_no_resource(statement: Statement) -> bool:
    return all(action.lower().startswith(_WITHOUT_RESOURCE) for action in statement.actions)


def _principal(statement: Statement, kind: Kind, path: Path, notes: Notes) -> None:
    name = "NotPrincipal" if statement.not_principal else "Principal"
    if kind not in PRINCIPALED:
        if statement.principals is not None:
            message = "Policy document should not specify a principal."
            notes.error(Phase.KIND, (*path, name), "prohibited-principal", message, f"Remove {name}.")
        return
    if statement.principals is None:
        message = "Missing required field Principal"
        notes.error(Phase.KIND, path, "missing-principal", message, "Name who the statement is about.")
        return
    if statement.not_principal and kind in (Kind.TRUST, Kind.RCP):
        message = "Has prohibited field NotPrincipal"
        notes.error(Phase.KIND, (*path, name), "prohibited-principal", message, "Use Principal with a condition.")
    for index, wanted in enumerate(statement.principals.aws):
        if not _is_principal(wanted):
            message = f'Invalid principal in policy: "AWS":"{wanted}"'
            fix = "Write an ARN, an account id or *; a principal has no wildcard inside."
            notes.error(Phase.KIND, (*path, name, "AWS", index), "invalid-principal", message, fix)
    for kind_of, names in (("Service", statement.principals.service), ("Federated", statement.principals.federated)):
        for index, wanted in enumerate(names):
            if not wanted or ("*" in wanted and (wanted, kind_of) != ("*", "Federated")) or " " in wanted:
                message = f'Invalid principal in policy: "{kind_of.upper()}":"{wanted}"'
                fix = "Write the principal's full name."
                notes.error(Phase.KIND, (*path, name, kind_of, index), "invalid-principal", message, fix)


_UNIQUE_ID: Final = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,124}", re.ASCII)
_CLOUDFRONT: Final = "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity "
_PRINCIPAL_ARN: Final = re.compile(
    r"arn:[a-z-]+:(?:iam|sts)::[0-9]{12}:(?:root|(?:user|role|assumed-role|federated-user"
    r"|saml-provider|oidc-provider)/[^*? ]+)",
    re.ASCII,
)


def _is_principal(wanted: str) -> bool:
    return (
        wanted == "*"
        or arns.is_account(wanted)
        or _PRINCIPAL_ARN.fullmatch(wanted) is not None
        or _UNIQUE_ID.fullmatch(wanted) is not None
        or (wanted.startswith(_CLOUDFRONT) and "*" not in wanted)
    )


def _trust(statement: Statement, path: Path, notes: Notes) -> None:
    name = "NotAction" if statement.not_action else "Action"
    federated = statement.principals.federated if statement.principals else ()
    for index, action in enumerate(statement.actions):
        if federated and not statement.not_principal and action.lower() == "sts:assumerole":
            message = "A federated identity takes a role by another action than sts:AssumeRole."
            fix = "Name sts:AssumeRoleWithWebIdentity, or sts:AssumeRoleWithSAML."
            notes.warn(Phase.KIND, (*path, name, index), "action-principal-mismatch", message, fix)
        if action != "*" and not action.lower().startswith("sts:"):
            fix = "Name actions of STS that take a role, such as sts:AssumeRole or sts:AssumeRoleWithWebIdentity."
            notes.error(Phase.KIND, (*path, name, index), "trust-action", _TRUST_ACTION, fix)


def _rcp(statement: Statement, path: Path, notes: Notes) -> None:
    if statement.effect == "Allow" and statement.actions == ("*",) and statement.resources == ("*",):
        return  # what RCPFullAWSAccess says
    if statement.effect == "Allow":
        message = "A resource control policy can only deny; RCPFullAWSAccess allows."
        notes.error(Phase.KIND, (*path, "Effect"), "rcp-allow", message, "Write Deny.")
    if statement.principals is not None and not statement.principals.everyone:
        message = 'The Principal of a resource control policy is "*".'
        fix = 'Write "*" and name the principals in a condition.'
        notes.error(Phase.KIND, (*path, "Principal"), "rcp-principal", message, fix)


def nearest_operator(operator: str) -> str:
    """Suggest the operator that was probably meant."""
    from difflib import get_close_matches

    prefix, colon, rest = operator.rpartition(":")
    suffix = "IfExists" if rest.endswith("IfExists") else ""
    near = get_close_matches(rest.removesuffix("IfExists"), OPERATORS, n=1, cutoff=0.6)
    if near and prefix in ("", "ForAllValues", "ForAnyValue"):
        return f"Write {prefix}{colon}{near[0]}{suffix}."
    return "Use one of IAM's condition operators."
