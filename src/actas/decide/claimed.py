"""Roles that a caller's SAML assertion claims, where a rule says that they count. Pure.

The assertion narrows what the rule offers: a role that it does not claim is not had, and a role that the rule does not
offer is not had whatever the assertion claims.
"""

from collections.abc import Iterator

from actas.decide.compiled import Compiled
from actas.model.decision import Question, Reason, Role
from actas.model.facts import Known
from actas.model.identity import Identity
from actas.settings.meaning.offers import account_of
from actas.settings.schema import many


def open_to(rule: Compiled, identity: Identity) -> Iterator[Role | None]:
    """Give the roles of *rule* that this caller may ask for, in the rule's order."""
    if rule.rule.roles_from is None:
        yield from rule.roles
        return
    arns = _claimed(identity)
    yield from (role for role in rule.roles if role is not None and role.arn in arns)


def _claimed(identity: Identity) -> frozenset[str]:
    """List the ARNs of the roles that the assertion claims; nothing where it says nothing, or cannot be read."""
    if not isinstance(identity.aws, Known):
        return frozenset()
    return frozenset(one.role_arn for one in identity.aws.value.roles)


def why_not(rules: tuple[Compiled, ...], question: Question) -> tuple[Reason, ...]:
    """Say why rules that take roles from the assertion offer none, or not the one asked for."""
    arns, asked = _claimed(question.identity), question.requested_role
    found = []
    for rule in rules:
        if rule.rule.roles_from is None:
            continue
        named = [role for role in rule.roles if role is not None and (asked is None or role.name == asked)]
        accounts = many(rule.rule.accounts)
        if arns and not any(account_of(arn) in accounts for arn in arns):
            because = (
                f"rule {rule.ref.id} takes roles of {', '.join(accounts)} from the assertion, "
                f"and all that it claims ({len(arns)}) are of other accounts"
            )
            found.append(Reason(code="role-elsewhere", because=because, rule=rule.ref.id))
        elif named and not any(role.arn in arns for role in named):
            what = asked or "any that fits"
            because = f"rule {rule.ref.id} gives the roles that the assertion claims, and it does not claim {what}"
            found.append(Reason(code="role-not-claimed", because=because, rule=rule.ref.id))
    return tuple(found)


def helps(rule: Compiled) -> str:
    """Say what the assertion would have to claim."""
    arns = [role.arn for role in rule.roles if role is not None]
    listed = " or ".join(arns[:4]) if arns else "a role of the accounts and patterns that it lists"
    return f"rule {rule.ref.id} allows it once the assertion claims {listed}"
