"""Decide who may take a role when no function is named: what a caller of STS asks. Pure.

Somebody may take a role while at least one rule that offers it to them lets them run at least one function as it,
now. The grant is by all rules that do, and its fence is every function that those rules name; so whoever has the
session can do with it what they could have done by calling function after function, each use being asked anew.

A session taken with another session rests on that one's rules alone, and reaches no further.
"""

from dataclasses import dataclass

from actas.decide import again, claimed, context, facts, reasons
from actas.decide.compiled import Compiled
from actas.decide.rules import Rules
from actas.decide.targets import Target
from actas.decide.wished import Trusted, by_evidence, by_itself, by_session
from actas.iam.values import Context
from actas.model.decision import Allow, Decision, Deny, Grant, Question, Reason, Role
from actas.model.facts import Missing
from actas.model.held import Held
from actas.model.wish import Wish


def take(rules: Rules, question: Question, wish: Wish, held: Held | None) -> Decision:
    """Answer a *wish*; of several roles by one ARN, the first that may be taken is."""
    named = [role for role in rules.roles.values() if role.arn == wish.role_arn]
    found: Decision = _no(rules, Reason(code="role-not-offered", because="the settings have no role by this ARN"))
    for role in reversed(named):
        one = _directly(rules, question, wish, role) if held is None else _chained(rules, question, wish, role, held)
        if isinstance(found, Deny) or isinstance(one, Allow):
            found = one
    return found


def _directly(rules: Rules, question: Question, wish: Wish, role: Role) -> Decision:
    if question.identity.aws in (Missing.UNKNOWN, Missing.OVERFLOWED):
        because = "what the caller's provider says of tags and names for AWS cannot be read"
        return _no(rules, Reason(code="claims-unreadable", because=because))
    known = rules.known(question.identity)
    moment = context.whole(known, question, rules.zones)
    standing, against = _standing(rules, role, moment)
    standing = tuple(rule for rule in standing if role in claimed.open_to(rule, question.identity))
    if not standing:
        return _no(rules, *(against or claimed.why_not(_offering(rules, role), question) or (_not_offered(role),)))
    trusted = by_evidence(rules.trusts.get(role.name), question, moment, wish)
    if trusted is None:
        return _no(rules, *reasons.not_trusted([role]))
    reach = rules.reaches.of(None, standing)
    kept = facts.kept(question.identity, known, reach.tested)
    basis = _Basis(role=role, standing=standing, trusted=trusted, facts=kept, fence=reach.fence)
    return _yes(rules, question, wish, basis)


def _chained(rules: Rules, question: Question, wish: Wish, role: Role, held: Held) -> Decision:
    moment = again.moment_of(rules, held.facts, at=question.at, address=question.address)
    own = rules.roles.get(held.role)
    standing, against = _standing(rules, role, moment)
    # Which roles an assertion claimed is not known any more, but for the one that was taken then.
    standing = tuple(
        rule
        for rule in standing
        if rule.ref in held.rules and (rule.rule.roles_from is None or role.arn == held.role_arn)
    )
    if own is None or own.arn != held.role_arn:
        return _no(rules, Reason(code="rule-gone", because="the session's own role was changed or removed"))
    if not standing:
        return _no(rules, *(against or (_not_offered(role),)))
    if not again.trusts_still(rules, own, held, moment, at=question.at):
        return _no(rules, *reasons.not_trusted([own]))
    known = again.session_context(held, moment, at=question.at)
    for layer in again.layers(held, own):
        for action in by_itself(wish, held):
            if not again.permits(layer, action, role.arn, known):
                because = f"the session's policies do not allow {action}"
                return _no(rules, Reason(code="session-policy", because=because))
    trusted = by_session(rules.trusts.get(role.name), question, known, wish, held)
    if trusted is None:
        return _no(rules, *reasons.not_trusted([role]))
    named = {one.arn for rule in standing for one in rule.over}
    fence = tuple(arn for arn in held.functions if arn in named)
    basis = _Basis(role=role, standing=standing, trusted=trusted, facts=held.facts, fence=fence, parent=held)
    return _yes(rules, question, wish, basis)


def _standing(rules: Rules, role: Role, moment: Context) -> tuple[tuple[Compiled, ...], tuple[Reason, ...]]:
    """Find the rules by which something may be run as *role* now; where there is none, say why."""
    found: dict[str, Compiled] = {}
    against: dict[Reason, None] = {}
    for target in rules.asked_for(role):
        allowed, matched = rules.weigh(target, moment)
        if allowed:
            found.update({rule.ref.id: rule for rule in matched if role in rule.roles})
        else:
            against.update(dict.fromkeys(reasons.forbidden([rule for rule in matched if rule.forbids], moment)))
    return tuple(rule for rule in rules.rules if rule.ref.id in found), tuple(against)


def _offering(rules: Rules, role: Role) -> tuple[Compiled, ...]:
    return tuple(rule for rule in rules.rules if role in rule.roles)


def targets_of(rules: Rules, role: Role) -> tuple[Target, ...]:
    """Give what is to be asked about *role*; where the same rules speak of several targets, the first of them."""
    offering = _offering(rules, role)
    found: dict[tuple[int, ...], Target] = {}
    for target in dict.fromkeys(target for rule in offering for target in rule.over):
        found.setdefault(tuple(place for place, rule in enumerate(rules.rules) if target in rule.over), target)
    return tuple(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Basis:
    """What a grant rests on."""

    role: Role
    standing: tuple[Compiled, ...]
    trusted: Trusted
    facts: facts.Facts
    fence: tuple[str, ...]
    parent: Held | None = None


def _yes(rules: Rules, question: Question, wish: Wish, basis: _Basis) -> Allow:
    role, parent = basis.role, basis.parent
    grant = Grant(
        identity=question.identity,
        function=wish.action,
        function_arn=role.arn,
        qualifier=question.qualifier,
        role=role,
        rules=tuple(rule.ref for rule in basis.standing),
        facts=tuple(dict((*basis.facts, *basis.trusted.facts)).items()),
        fence=basis.fence,
        expires_at=question.identity.expires_at if parent is None else parent.expires_at,
        generation=rules.generation,
        took=basis.trusted.actions,
        took_as=basis.trusted.principals,
        parent=parent,
    )
    told = [
        Reason(code="rule-allows", because=f"rule {rule.ref.id} offers {role.name}", rule=rule.ref.id)
        for rule in basis.standing
    ]
    return Allow(grant=grant, reasons=tuple(told))


def _not_offered(role: Role) -> Reason:
    return Reason(code="role-not-offered", because=f"no rule offers this caller {role.name}")


def _no(rules: Rules, *because: Reason) -> Deny:
    return Deny(reasons=because, generation=rules.generation)
