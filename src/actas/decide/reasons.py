"""Why a decision is what it is: every reason code of this room, in one place. Pure."""

from collections.abc import Sequence

from actas import iam
from actas.decide.compiled import Compiled
from actas.decide.statements import Conditions, hours_parts, when_parts, who_parts
from actas.decide.targets import Target
from actas.iam.values import Context
from actas.model.decision import Reason, Role

CODES: dict[str, str] = {
    "rule-allows": "A rule's every condition is true.",
    "rule-forbids": "A `may_not` rule's every condition is true.",
    "rule-forbids-unknown": "A `may_not` rule has no condition that is known to be false, and one that is unknown.",
    "no-rule-allows": "No `may` rule names the function with all its conditions true.",
    "role-not-offered": "The rules allow the call, but not as the role that it asked for.",
    "role-not-trusted": "The rules allow the call, but the role's trust policy does not let this caller take it.",
    "role-not-claimed": "A rule gives the roles that the caller's SAML assertion claims, and it claims none that fits.",
    "role-elsewhere": "The assertion claims roles, all of them in other AWS accounts than the rule takes.",
    "no-such-function": "The settings list no such function or route.",
    "rule-gone": "The rule that granted a session was changed or removed since.",
    "claims-unreadable": "What the provider says of the caller for AWS (tags, source identity) is not of AWS's form.",
    "session-stands": "One of the rules that granted the session still allows what it is used for.",
    "outside-fence": "The session was granted by rules that do not name the function.",
    "session-policy": "A policy of the session denies the call, or does not allow it.",
    "observed": "The rules say no, and the rule set is only being observed.",
    "condition-false": "One condition of the rule is false.",
    "condition-unknown": "One condition of the rule is neither true nor false: a fact about the caller is missing.",
    "condition-true": "The condition is true.",
    "other-function": "The rule speaks of other functions.",
}


def allowed(
    rule: Compiled, role: Role | None, offered: Sequence[tuple[Compiled, Role | None]], *, asked: bool
) -> Reason:
    """Say that *rule* allows the call, and how the role was chosen."""
    if role is None:
        because = f"rule {rule.ref.id} allows it, with no role"
    elif asked:
        because = f"rule {rule.ref.id} allows it as {role.name}, which the call asked for"
    elif len({other.name for _, other in offered if other is not None}) > 1:
        because = f"rule {rule.ref.id} allows it as {role.name}, the first role that the rules offer"
    else:
        because = f"rule {rule.ref.id} allows it as {role.name}"
    return Reason(code="rule-allows", because=because, rule=rule.ref.id)


def silence(target: Target) -> Reason:
    """Say that nothing allows the call."""
    return Reason(code="no-rule-allows", because=f"no rule allows this caller {target.name}")


def not_offered(asked: str, offered: Sequence[tuple[Compiled, Role | None]]) -> Reason:
    """Say that the role asked for is not among those offered."""
    names = sorted({role.name for _, role in offered if role is not None})
    there = f"the rules offer {', '.join(names)}" if names else "the rules offer no role"
    return Reason(code="role-not-offered", because=f"the call asks for {asked}; {there}")


def not_trusted(roles: Sequence[Role]) -> tuple[Reason, ...]:
    """Say which roles' trust policies do not let the caller take them."""
    names = dict.fromkeys(role.name for role in roles)
    because = "the rules allow it as {0}, and the trust policy of {0} does not let this caller take it"
    return tuple(Reason(code="role-not-trusted", because=because.format(name)) for name in names)


def observed() -> Reason:
    """Say that a no was let pass."""
    return Reason(code="observed", because="the rules say no, and are only being observed")


def forbidden(rules: Sequence[Compiled], moment: Context) -> tuple[Reason, ...]:
    """Say which rules forbid the call, and what is unknown where that is why."""
    return tuple(_forbids(rule, moment) for rule in rules)


def _forbids(rule: Compiled, moment: Context) -> Reason:
    unknown = [name for name, truth in weigh(rule, moment) if truth is None]
    if not unknown:
        return Reason(code="rule-forbids", because=f"rule {rule.ref.id} forbids it", rule=rule.ref.id)
    missing = " and ".join(unknown)
    because = (
        f"rule {rule.ref.id} forbids it unless it is known not to apply, and the caller's {missing} cannot be told"
    )
    return Reason(code="rule-forbids-unknown", because=because, rule=rule.ref.id)


def weigh(rule: Compiled, moment: Context) -> list[tuple[str, bool | None]]:
    """Say of each key of *rule* whether it is true, false or unknown (None) at this moment."""
    parts: list[tuple[str, list[Conditions]]] = [(name, [one]) for name, one in who_parts(rule.rule.who)]
    if rule.rule.when is not None:
        parts += [(name, [one]) for name, one in when_parts(rule.rule.when)] + hours_parts(rule.rule.when)
    return [(name, truth(alternatives, moment)) for name, alternatives in parts]


def truth(alternatives: list[Conditions], moment: Context) -> bool | None:
    """Ask IAM twice: an Allow matches only what is true, a Deny all that is not false."""
    if _matches("Allow", alternatives, moment):
        return True
    return None if _matches("Deny", alternatives, moment) else False


def _matches(effect: str, alternatives: list[Conditions], moment: Context) -> bool:
    stated = [
        {"Effect": effect, "Action": "actas:Weigh", "Resource": "*", "Condition": conditions}
        for conditions in alternatives
    ]
    policy = iam.Policy.parse({"Version": "2012-10-17", "Statement": stated})
    request = iam.Request(principal=_NOBODY, action="actas:Weigh", resource="*", context=moment)
    wanted = "Allowed" if effect == "Allow" else "ExplicitlyDenied"
    return iam.evaluate(request, iam.PolicySet(identity=(policy,))).effect == wanted


_NOBODY = "arn:aws:sts::000000000000:assumed-role/caller/caller"
