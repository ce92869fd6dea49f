"""What a security engineer would say about a policy that AWS takes.

Each check looks at one statement and says one thing; redundancy.py looks at several together.
"""

from __future__ import annotations

from typing import Final

from actas.iam import keys as global_keys
from actas.iam import redundancy
from actas.iam.addresses import Network, network_of
from actas.iam.conditions import Condition
from actas.iam.finding import Path
from actas.iam.kinds import Kind
from actas.iam.notes import Notes, Phase
from actas.iam.operators import Spelled, spelled
from actas.iam.overlap import covers, overlap
from actas.iam.statement import Content, Statement

ESCALATIONS: Final = (
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreatePolicyVersion",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteUserPermissionsBoundary",
    "iam:PutGroupPolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:PutUserPermissionsBoundary",
    "iam:PutUserPolicy",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateLoginProfile",
)
"""Each of these on every resource lets its holder become anybody in the account."""

_NARROWING: Final = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourceip",
        "aws:userid",
        "aws:vpceaccount",
        "aws:vpceorgid",
        "kms:calleraccount",
        "kms:viaservice",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
    }
)
"""Condition keys that make everyone somebody."""


def check(policy: Content, notes: Notes) -> None:
    """Give all advice about a policy."""
    for statement in policy.statements:
        path: Path = ("Statement", statement.index)
        for advise in _CHECKS:
            advise(statement, policy.kind, path, notes)
    redundancy.statements(policy, notes)


def _allow_by_exclusion(statement: Statement, _kind: Kind, path: Path, notes: Notes) -> None:
    if statement.effect != "Allow":
        return
    if statement.not_principal:
        message = (
            "Allow with NotPrincipal is for everyone but the principals listed, people outside the account included."
        )
        fix = "Name the principals, or deny with ArnNotEquals on aws:PrincipalArn."
        notes.warn(Phase.ADVICE, (*path, "NotPrincipal"), "allow-with-not-principal", message, fix)
    if statement.not_action:
        message = "Allow with NotAction allows every other action, those of services to come included."
        notes.warn(Phase.ADVICE, (*path, "NotAction"), "allow-with-not-action", message, "Name the actions.")
    if statement.not_resource:
        message = "Allow with NotResource allows every other resource, those to come included."
        notes.warn(Phase.ADVICE, (*path, "NotResource"), "allow-with-not-resource", message, "Name the resources.")


def _deny_by_exclusion(statement: Statement, _kind: Kind, path: Path, notes: Notes) -> None:
    if statement.effect == "Deny" and statement.not_principal:
        message = "Deny with NotPrincipal spares a role's session only if account, role and session are all listed."
        fix = "Deny with ArnNotEquals on aws:PrincipalArn."
        notes.warn(Phase.ADVICE, (*path, "NotPrincipal"), "deny-with-not-principal", message, fix)


def _conditions(statement: Statement, _kind: Kind, path: Path, notes: Notes) -> None:
    guarded = {
        condition.key.lower()
        for condition in statement.conditions
        if condition.operator == "Null" and "false" in {value.lower() for value in condition.values}
    }
    for condition in statement.conditions:
        operator = spelled(condition.operator)
        at = (*path, "Condition", condition.operator, condition.key)
        key = condition.key.lower()
        if operator is None:
            continue
        if not condition.values:
            message = f"{condition.operator} on {condition.key} lists no value, so nothing matches it."
            notes.warn(Phase.ADVICE, at, "condition-without-values", message, "List the values, or remove it.")
        if statement.effect == "Allow" and operator.quantifier == "ForAllValues" and key not in guarded:
            message = f"ForAllValues is true where a request has no {condition.key}, so the statement allows then."
            fix = f'Add "Null": {{"{condition.key}": "false"}}.'
            notes.warn(Phase.ADVICE, at, "allow-for-all-values", message, fix)
        elif statement.effect == "Allow" and key not in guarded and _true_when_absent(operator, key):
            message = f"{condition.operator} is true where a request has no {condition.key}; the statement allows then."
            fix = f'Add "Null": {{"{condition.key}": "false"}}.'
            notes.warn(Phase.ADVICE, at, "allow-when-absent", message, fix)
        wild = [value for value in condition.values if "*" in value or "?" in value]
        if operator.operator.family == "string" and wild and not any("${" in value for value in wild):
            message = f"{operator.operator.name} compares {wild[0]} letter by letter; it has no wildcards."
            notes.warn(Phase.ADVICE, at, "wildcard-without-like", message, "Use StringLike or StringNotLike.")


def _private(statement: Statement, _kind: Kind, path: Path, notes: Notes) -> None:
    for condition in statement.conditions:
        if condition.key.lower() != "aws:sourceip":
            continue
        for value in condition.values:
            network = network_of(value)
            if network is not None and any(_inside(network, private) for private in _PRIVATE):
                at = (*path, "Condition", condition.operator, condition.key)
                message = f"{value} is private; AWS sees public addresses in aws:SourceIp."
                fix = "Use aws:VpcSourceIp with aws:SourceVpc, or the public address."
                notes.warn(Phase.ADVICE, at, "private-source-ip", message, fix)


def _inside(network: Network, wide: Network) -> bool:
    return (
        network.bits == wide.bits
        and network.shift <= wide.shift
        and network.prefix >> (wide.shift - network.shift) == wide.prefix
    )


_PRIVATE: Final = tuple(
    network
    for network in map(network_of, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7"))
    if network is not None
)


def _true_when_absent(operator: Spelled, key: str) -> bool:
    return (operator.operator.negated or operator.if_exists) and key in global_keys.MAY_BE_ABSENT


def _whole_account(statement: Statement, kind: Kind, path: Path, notes: Notes) -> None:
    if statement.effect != "Allow" or kind in (Kind.SCP, Kind.BOUNDARY, Kind.SESSION, Kind.ENDPOINT, Kind.RCP):
        return
    if statement.conditions or statement.not_action or not _everything(statement):
        return
    if any(covers(action.lower(), "*:*") or action == "*" for action in statement.actions):
        message = "The statement allows every action on every resource."
        notes.warn(Phase.ADVICE, path, "allow-everything", message, "Name the actions that are needed.")
        return
    found = [name for name in ESCALATIONS if _names(statement, name.lower())]
    if found:
        message = f"On every resource, {', '.join(found[:3])} lets its holder become anybody in the account."
        fix = "Name the resources, or bound them with iam:PermissionsBoundary."
        notes.warn(Phase.ADVICE, (*path, "Action"), "privilege-escalation", message, fix)


def _pass_role(statement: Statement, _kind: Kind, path: Path, notes: Notes) -> None:
    named = _names(statement, "iam:passrole") is not statement.not_action
    if statement.effect != "Allow" or not named:
        return
    resources = statement.resources or ()
    wide = [r for r in resources if r == "*" or (r.startswith("arn:") and r.endswith((":role/*", ":iam::*", ":*")))]
    narrowed = any(c.key.lower() in ("iam:passedtoservice", "iam:associatedresourcearn") for c in statement.conditions)
    if bool(wide) is not statement.not_resource and not narrowed:
        message = "iam:PassRole on every role hands each role of the account to any service."
        fix = "Name the roles, and the service in a condition on iam:PassedToService."
        at = (*path, "NotResource" if statement.not_resource else "Resource")
        notes.warn(Phase.ADVICE, at, "pass-role-on-star", message, fix)


def _public(statement: Statement, kind: Kind, path: Path, notes: Notes) -> None:
    principals = statement.principals
    if statement.effect != "Allow" or kind not in (Kind.RESOURCE, Kind.TRUST) or principals is None:
        return
    if not principals.everyone or statement.not_principal:
        return
    if not any(_narrows(condition) for condition in statement.conditions):
        message = "The statement is for everyone, people outside the account included."
        fix = "Name the principals, or narrow them with aws:PrincipalOrgID, aws:SourceArn or aws:SourceAccount."
        notes.warn(Phase.ADVICE, (*path, "Principal"), "public-principal", message, fix)


def _narrows(condition: Condition) -> bool:
    """Tell whether a condition makes everyone somebody: on a key that can, by values that leave somebody out."""
    parsed, key = spelled(condition.operator), condition.key.lower()
    if parsed is None or parsed.operator.negated or parsed.if_exists or parsed.quantifier == "ForAllValues":
        return False
    if key not in _NARROWING and not key.startswith(("aws:principaltag/", "lambda:functionurlauthtype")):
        return False
    return not any(_is_anybody(value) for value in condition.values)


def _is_anybody(value: str) -> bool:
    """Tell whether a value leaves (nearly) nobody out; which networks are too wide is S3's rule for public access."""
    network = network_of(value)
    if network is not None:
        return network.bits - network.shift < (8 if network.bits == _V4 else 32)
    return all(part.strip("*?") in ("", "arn", "aws") for part in value.split(":"))


_V4: Final = 32


def _federation(statement: Statement, kind: Kind, path: Path, notes: Notes) -> None:
    """Find a trust in an identity provider that does not say whose identities are meant."""
    if kind is not Kind.TRUST or statement.effect != "Allow" or statement.principals is None:
        return
    tested = {condition.key.lower().rpartition(":")[2] for condition in statement.conditions}
    for provider in statement.principals.federated:
        at = (*path, "Principal", "Federated")
        if ":oidc-provider/" in provider and not tested & {"aud", "sub"}:
            message = "Every identity of the provider can take the role: neither aud nor sub is tested."
            fix = "Test the provider's aud and sub keys with StringEquals."
            notes.warn(Phase.ADVICE, at, "federation-without-subject", message, fix)
        elif "token.actions.githubusercontent.com" in provider and not tested & _GITHUB:
            message = "Every repository on GitHub can take the role: sub is not tested."
            fix = "Test token.actions.githubusercontent.com:sub for your repository."
            notes.warn(Phase.ADVICE, at, "federation-without-subject", message, fix)
        elif provider == "cognito-identity.amazonaws.com" and "aud" not in tested:
            message = "Every Cognito identity pool can take the role: aud is not tested."
            fix = "Test cognito-identity.amazonaws.com:aud for your pool."
            notes.warn(Phase.ADVICE, at, "federation-without-subject", message, fix)


_GITHUB: Final = frozenset({"sub", "repository", "repository_id", "repository_owner", "repository_owner_id"})


def _variables(statement: Statement, _kind: Kind, path: Path, notes: Notes) -> None:
    if statement.variables:
        return
    texts = [*(statement.resources or ()), *(value for c in statement.conditions for value in c.values)]
    if any("${" in text for text in texts):
        message = "Variables are text in version 2008-10-17: ${…} is compared letter by letter."
        notes.warn(Phase.ADVICE, path, "variable-without-version", message, 'Write "Version": "2012-10-17".')


_CHECKS: Final = (
    _allow_by_exclusion,
    _deny_by_exclusion,
    _conditions,
    _whole_account,
    _private,
    _pass_role,
    _public,
    _federation,
    _variables,
    redundancy.lists,
)


def _everything(statement: Statement) -> bool:
    return statement.resources is not None and "*" in statement.resources and not statement.not_resource


def _names(statement: Statement, action: str) -> bool:
    return any(overlap(pattern.lower(), action) for pattern in statement.actions)
