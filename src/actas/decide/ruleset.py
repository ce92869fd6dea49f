"""Rules compiled, and decided by `actas.iam`. Pure.

Every rule is one or two IAM statements named by the rule's place in the file. IAM decides; which role the caller
gets is decided by the order of the rules, or by the call where it names one that they offer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from actas import iam
from actas.decide import again, claimed, context, facts, keys, reasons, taking
from actas.decide.compiled import Compiled, compiled, digest, role_of, zones
from actas.decide.reach import Reaches
from actas.decide.residue import EPOCH, NOW
from actas.decide.statements import statements
from actas.decide.targets import Target, targets
from actas.decide.trust import Trust
from actas.decide.trust import zones as zones_of_trust
from actas.iam.values import Context
from actas.model.call import Address
from actas.model.decision import Allow, Decision, Deny, Grant, Question, Reason, Role
from actas.model.facts import Fact
from actas.model.held import Held
from actas.model.identity import Identity
from actas.model.wish import Wish
from actas.settings.schema import Settings

REMEMBERED = 20_000
"""Identities whose keys are kept; all are forgotten when there are more."""
_NOTHING: dict[str, object] = {"Effect": "Deny", "Action": "actas:Nothing", "Resource": "*"}


ANSWERS = 64
"""Answers that are kept for one identity; all are forgotten when there are more."""
ANSWERS_IN_ALL = 100_000
"""Answers that are kept for everybody: each minute brings new ones where rules look at the clock."""
_Key = tuple[str, str, str | None, int | None, Fact[Address] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rests:
    """What else than the caller and the role asked for the answers about a target rest on."""

    clock: bool
    """The weekday, the minute or the date, in some zone: nothing that changes within a minute."""
    place: bool
    age: bool
    """How many seconds ago the caller signed in: such answers are worked out anew each time."""


@dataclass(slots=True)
class _Remembered:
    identity: Identity
    known: Context
    answers: dict[_Key, Decision] = field(default_factory=dict)


class RuleSet:
    """The rules of one moment, ready to decide."""

    def __init__(
        self, settings: Settings, policies: Mapping[str, str] | None = None, trusts: Mapping[str, str] | None = None
    ) -> None:
        """Compile the rules of *settings*.

        *policies* and *trusts* give the texts of each role's ``policy`` and ``trust`` file by the role's name.
        """
        texts, trusted = policies or {}, trusts or {}
        self.settings = settings
        self.targets = targets(settings)
        self.by_call = {(target.function, target.route): target for target in self.targets}
        self.roles = roles = {
            name: role_of(name, role, texts.get(name), trusted.get(name)) for name, role in settings.roles.items()
        }
        self.rules = tuple(compiled(rule, self.targets, roles, settings.roles) for rule in settings.rules)
        self.reaches = Reaches(self.rules)
        self.generation = digest([[rule.ref.digest for rule in self.rules], settings.mode])
        self.trusts = {name: Trust(roles[name], settings) for name, role in settings.roles.items() if role.trust}
        self.zones = tuple({*zones(settings), *zones_of_trust(self.trusts.values())})
        self._observes = settings.mode == "observe"
        self._evaluate = iam.compile(iam.PolicySet(identity=(self.policy(),)))
        self._remembered: dict[int, _Remembered] = {}
        self._asked_for: dict[str, tuple[Target, ...]] = {}
        self._answers = 0
        """At least as many as there are."""
        self._rests = {target.name: _rests(target, self.rules, self.trusts) for target in self.targets}

    def policy(self) -> iam.Policy:
        """Give the whole rule set as one IAM policy."""
        written = [
            one
            for place, rule in enumerate(self.rules)
            if rule.over
            for one in statements(rule.rule, rule.over, f"r{place}")
        ]
        document = {"Version": "2012-10-17", "Statement": written or [_NOTHING]}
        return iam.Policy.parse(document, name="rules")

    def decide(self, question: Question) -> Decision:
        """Answer *question*: deny wins, nothing said is a no."""
        target = self.by_call.get((question.function, question.route))
        if target is None:
            return self._no(Reason(code="no-such-function", because="the rules know no such function or route"))
        remembered = self._remember(question.identity)
        rests = self._rests[target.name]
        if rests.age:
            return self._worked_out(question, target, remembered.known)
        key = (
            target.name,
            question.qualifier,
            question.requested_role,
            int(question.at.timestamp()) // 60 if rests.clock else None,
            question.address if rests.place else None,
        )
        answer = remembered.answers.get(key)
        if answer is None:
            answer = self._worked_out(question, target, remembered.known)
            self._keep(remembered, key, answer)
        return answer

    def _keep(self, remembered: _Remembered, key: _Key, answer: Decision) -> None:
        if len(remembered.answers) >= ANSWERS:
            remembered.answers.clear()
        if self._answers >= ANSWERS_IN_ALL:
            self._remembered.clear()
            self._answers = 0
        remembered.answers[key] = answer
        self._answers += 1

    def _worked_out(self, question: Question, target: Target, known: Context) -> Decision:
        moment = context.whole(known, question, self.zones)
        allowed, rules = self.weigh(target, moment)
        if allowed:
            return self._yes(question, target, rules, moment)
        forbidding = [rule for rule in rules if rule.forbids]
        return self._refuse(
            question, target, reasons.forbidden(forbidding, moment) if forbidding else (reasons.silence(target),)
        )

    def weigh(self, target: Target, moment: Context) -> tuple[bool, tuple[Compiled, ...]]:
        """Ask IAM; give whether it allows, and the rules that decided."""
        verdict = self._evaluate(
            iam.Request(principal=target.principal, action=target.action, resource=target.arn, context=moment)
        )
        return verdict.allowed, tuple(
            [self.rules[place] for place in sorted({_place(ref.sid) for ref in verdict.matched})]
        )

    def _refuse(self, question: Question, target: Target, because: tuple[Reason, ...]) -> Decision:
        """Say no, or write down that it would have been one."""
        if not self._observes or target.is_admin:  # nothing else keeps watch over what administrators do
            return self._no(*because)
        grant = self._granted(question, target, (), None)
        return Allow(grant=grant, reasons=(reasons.observed(),), observed=because)

    def trusted(self, role: Role | None, question: Question, moment: Context) -> bool:
        """Tell whether the caller may take *role*: where it has a trust policy, that has to allow it too."""
        trust = None if role is None else self.trusts.get(role.name)
        return trust is None or trust.allows(question, moment)

    def _yes(self, question: Question, target: Target, rules: tuple[Compiled, ...], moment: Context) -> Decision:
        """Choose the role: the one asked for if a rule offers it, else the first that the first rule offers."""
        asked = question.requested_role
        offered = [(rule, role) for rule in rules for role in claimed.open_to(rule, question.identity)]
        wanted = [role for _, role in offered if asked is None or (role is not None and role.name == asked)]
        if not wanted:
            return self._no(*(claimed.why_not(rules, question) or (reasons.not_offered(asked or "", offered),)))
        found = [role for role in wanted if self.trusted(role, question, moment)]
        if not found:
            return self._refuse(question, target, reasons.not_trusted([role for role in wanted if role is not None]))
        role = found[0]
        granting = tuple(rule for rule in rules if any(one is rule and other == role for one, other in offered))
        because = tuple(reasons.allowed(rule, role, offered, asked=asked is not None) for rule in granting)
        grant = self._granted(question, target, granting, role)
        return Allow(grant=grant if role is None else self._trusting(grant, question, moment), reasons=because)

    def _trusting(self, grant: Grant, question: Question, moment: Context) -> Grant:
        """Keep with *grant* what its role's trust policy rests on."""
        trust = self.trusts.get(grant.role.name) if grant.role else None
        if trust is None:
            return grant
        actions, principals = trust.asked(question.identity)
        facts = tuple(dict((*grant.facts, *trust.kept(question, moment))).items())
        return replace(grant, facts=facts, took=actions, took_as=principals)

    def _granted(self, question: Question, target: Target, granting: tuple[Compiled, ...], role: Role | None) -> Grant:
        reach = self.reaches.of(target, granting)
        return Grant(
            identity=question.identity,
            function=question.function,
            function_arn=target.runs,
            qualifier=question.qualifier,
            role=role,
            rules=reach.rules,
            facts=facts.kept(question.identity, self._remember(question.identity).known, reach.tested),
            fence=reach.fence,
            expires_at=question.identity.expires_at,
            generation=self.generation,
        )

    def again(self, question: Question, held: Held) -> Decision:
        """Answer a *question* that a session was shown for."""
        return again.again(self, question, held)

    def take(self, question: Question, wish: Wish, held: Held | None = None) -> Decision:
        """Say whether somebody may take a role, for no function in particular; *held* is the session they showed."""
        return taking.take(self, question, wish, held)

    def known(self, identity: Identity) -> Context:
        """Give the condition keys that rest on the caller alone."""
        return self._remember(identity).known

    def asked_for(self, role: Role) -> tuple[Target, ...]:
        """Give the targets that taking *role* is decided by."""
        found = self._asked_for.get(role.name)
        if found is None:
            found = self._asked_for[role.name] = taking.targets_of(self, role)
        return found

    def _no(self, *because: Reason) -> Deny:
        return Deny(reasons=because, generation=self.generation)

    def _remember(self, identity: Identity) -> _Remembered:
        found = self._remembered.get(id(identity))
        if found is None or found.identity is not identity:  # an id is used again when its object has gone
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            found = self._remembered[id(identity)] = _Remembered(identity, context.caller(identity))
        return found


def _rests(target: Target, rules: tuple[Compiled, ...], trusts: Mapping[str, Trust]) -> _Rests:
    over = [rule for rule in rules if target in rule.over]
    whens = [rule.rule.when for rule in over if rule.rule.when is not None]
    looked_at: set[str] = set()
    for name in {role.name for rule in over for role in rule.roles if role is not None} & trusts.keys():
        looked_at |= trusts[name].keys
    return _Rests(
        clock=any(when.days or when.hours or when.from_ or when.until for when in whens)
        or any(key.startswith((keys.WEEKDAY, keys.YESTERDAY, keys.MINUTE, keys.DATE)) for key in looked_at),
        place=any(when.networks is not None for when in whens) or keys.ADDRESS in looked_at,
        age=any(when.auth_age is not None for when in whens) or bool(looked_at & {keys.AUTH_AGE, NOW, EPOCH}),
    )


def _place(sid: str | None) -> int:
    """Find a rule by its statement's Sid: ``r12a``."""
    assert sid is not None
    return int(sid[1:-1])
