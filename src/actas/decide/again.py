"""Decide by a session instead of a token: what granted it must still stand (design.md, 8.3). Pure.

A session may be used for a function while one of its rules is still there, unchanged, and names the function with its
every condition true now; while no ``may_not`` over it is true or unknown; while the role's trust policy still lets
the caller take it; and as far as the session's own policies go.
"""

from datetime import datetime
from functools import lru_cache
from typing import Final

from actas import iam
from actas.decide import context, facts, keys, reasons
from actas.decide.compiled import Compiled
from actas.decide.residue import EPOCH, EVERYTHING, NOW
from actas.decide.rules import Rules
from actas.decide.targets import Target
from actas.decide.trust import mentioned, vouch
from actas.iam.values import Context
from actas.model.call import Address
from actas.model.decision import Allow, Decision, Deny, Grant, Question, Reason, Role
from actas.model.facts import Fact, Known
from actas.model.held import Held
from actas.model.rule_ref import RuleRef

BY_SESSION: Final = frozenset({"admin:denials.decode"})
"""Admin actions that a session may be shown for: what AWS's own clients can ask."""
_LATEST: Final = ":$LATEST"


def again(rules: Rules, question: Question, held: Held) -> Decision:
    """Answer a *question* that a session was shown for."""
    target = rules.by_call.get((question.function, question.route))
    if target is None or (target.is_admin and target.name not in BY_SESSION):  # administrators show who they are
        return _no(rules, Reason(code="no-such-function", because="the rules know no such function or route"))
    if target.arn not in held.functions:  # said first: its own prohibitions test facts that this session does not hold
        return _no(rules, Reason(code="outside-fence", because=f"the session's rules do not reach {target.name}"))
    moment = moment_of(rules, held.facts, at=question.at, address=question.address)
    because, standing = stands(rules, held.rules, target, moment)
    if because:
        return _no(rules, *because)
    role = offered(standing, held)
    if role is None or question.requested_role not in (None, role.name):
        return _no(rules, reasons.not_offered(question.requested_role or held.role, [(one, role) for one in standing]))
    if not trusts_still(rules, role, held, moment, at=question.at):
        return _no(rules, *reasons.not_trusted([role]))
    for action in (target.action, *question.also):
        if (outside := _outside(target, role, held, moment, action=action, at=question.at)) is not None:
            return _no(rules, outside)
    grant = Grant(
        identity=question.identity,
        function=question.function,
        function_arn=target.runs,
        qualifier=question.qualifier,
        role=role,
        rules=held.rules,
        facts=held.facts,
        fence=held.functions,
        expires_at=held.expires_at,
        generation=rules.generation,
        took=held.took,
        took_as=held.took_as,
        parent=held,
    )
    told = [Reason(code="session-stands", because=f"rule {one.ref.id} still allows it as {role.name}", rule=one.ref.id)
            for one in standing]  # fmt: skip
    return Allow(grant=grant, reasons=tuple(told))


def moment_of(rules: Rules, kept: facts.Facts, *, at: datetime, address: Fact[Address]) -> Context:
    """Make condition keys of *kept* facts, this moment and this place."""
    moment = facts.opened(kept, at.timestamp())
    moment[keys.ADDRESS] = str(address.value) if isinstance(address, Known) else iam.UNKNOWN
    for zone in rules.zones:
        moment.update(context.moment(at, zone))
    return moment


def stands(
    rules: Rules, refs: tuple[RuleRef, ...], target: Target, moment: Context
) -> tuple[tuple[Reason, ...], tuple[Compiled, ...]]:
    """Say why a session by the rules *refs* no longer stands for *target*; where it does, which of them still do."""
    allowed, standing = rules.weigh(target, moment)
    if not allowed:
        forbidding = reasons.forbidden([rule for rule in standing if rule.forbids], moment)
        return forbidding or (reasons.silence(target),), ()
    left = tuple(rule for rule in standing if rule.ref in refs)
    if not left:
        return (Reason(code="rule-gone", because="the rule that granted this session was changed or removed"),), ()
    return (), left


def offered(standing: tuple[Compiled, ...], held: Held) -> Role | None:
    """Find the session's role among those that rules offer."""
    found = (role for rule in standing for role in rule.roles if role is not None)
    return next((role for role in found if (role.name, role.arn) == (held.role, held.role_arn)), None)


def trusts_still(rules: Rules, role: Role, held: Held, moment: Context, *, at: datetime) -> bool:
    """Ask the role's trust policy again, where it has one."""
    trust = rules.trusts.get(role.name)
    if trust is None:
        return True
    known = Context(moment)
    known[NOW], known[EPOCH] = at, int(at.timestamp())
    return trust.again.allows(held.took, held.took_as, known)


def _outside(target: Target, role: Role, held: Held, moment: Context, *, action: str, at: datetime) -> Reason | None:
    """Say which policy keeps a session from doing *action* to *target*; None where each lets it."""
    known = session_context(held, moment, at=at)
    if held.policy is None or _effect((held.policy,), action, target.arn, known) == "ExplicitlyDenied":
        return Reason(code="session-policy", because=f"the session's policy denies {action} on {target.name}")
    for layer in layers(held, role)[1:]:
        if not permits(layer, action, target.arn, known):
            because = f"no session policy that was passed, or no policy of {role.name}, allows {target.name}"
            return Reason(code="session-policy", because=because)
    return None


def layers(held: Held, role: Role) -> tuple[tuple[str, ...], ...]:
    """List what each must allow what a session of *role* does: its own policy, the role's, those that were passed."""
    own = () if role.policy is None else ((role.policy,),)
    return ((held.policy or "",), *own, *held.narrowed)


def permits(layer: tuple[str, ...], action: str, arn: str, known: Context) -> bool:
    """Tell whether one of these policies allows *action*, and none denies it.

    A function's ARN is tried with its qualifier and, where that is ``$LATEST``, also without: AWS decides on the ARN
    without one where a call names none, and policies are written for that.
    """
    spelt = (arn, arn.removesuffix(_LATEST)) if arn.endswith(_LATEST) else (arn,)
    effects = {_effect(layer, action, one, known) for one in spelt}
    return "Allowed" in effects and "ExplicitlyDenied" not in effects


def session_context(held: Held, moment: Context, *, at: datetime) -> Context:
    """Give the condition keys that policies of a session are decided with."""
    account = held.role_arn.split(":")[4]
    known = Context({key: value for key, value in moment.items() if not key.startswith("actas:trust/")})
    known[NOW], known[EPOCH] = at, int(at.timestamp())
    known["aws:tokenissuetime"] = held.issued_at
    known["aws:multifactorauthpresent"] = iam.UNKNOWN if held.mfa is None else held.mfa
    known["aws:principalarn"], known["aws:principalaccount"] = held.role_arn, account
    known["aws:principaltype"] = "AssumedRole"
    if held.source_identity is not None:
        known["aws:sourceidentity"] = held.source_identity
    known.update({f"aws:principaltag/{name}".lower(): value for name, value in held.tags})
    vouch(known, "aws:principaltag/", held)
    return known


def _effect(layer: tuple[str, ...], action: str, arn: str, known: Context) -> str:
    account = arn.split(":")[4] or "000000000000"
    compiled, looked_at = _compiled(layer, account if action.startswith("sts:") else "")
    blind = {key for key in looked_at - known.keys() if not key.startswith(_ABSENT) and key not in _KNOWN_ABSENT}
    whole = Context({**dict.fromkeys(blind, iam.UNKNOWN), **known}) if blind else known
    # Asked as somebody of the account that the ARN names, so that these policies decide alone.
    principal = f"arn:aws:sts::{account}:assumed-role/caller/caller"
    return compiled(iam.Request(principal=principal, action=action, resource=arn, context=whole)).effect


_ABSENT: Final = ("aws:principaltag/",)
_KNOWN_ABSENT: Final = frozenset({"aws:sourceidentity", keys.GROUPS, keys.ROLES, keys.SCOPES})


@lru_cache(maxsize=1024)  # the same few for every caller; half a millisecond each
def _compiled(layer: tuple[str, ...], trusting: str) -> tuple[iam.Compiled, frozenset[str]]:
    """Compile *layer*; for taking a role with a trust policy that leaves all to the account *trusting*."""
    policies = tuple(iam.Policy.parse(text, kind=iam.Kind.SESSION, stored=True) for text in layer)
    trust = {"Effect": "Allow", "Action": "sts:*", "Principal": {"AWS": f"arn:aws:iam::{trusting}:root"}}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    resource = (iam.Policy.parse(document, kind=iam.Kind.TRUST),) if trusting else None
    found = iam.PolicySet(identity=(EVERYTHING,), session=policies, resource=resource)
    return iam.compile(found), mentioned(policies)


def _no(rules: Rules, *because: Reason) -> Deny:
    return Deny(reasons=because, generation=rules.generation)
