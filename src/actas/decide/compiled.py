"""A rule with what the settings of the moment make of it: its targets, its roles, its digest. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import msgspec

from actas.decide.targets import Target, named
from actas.model.decision import Role
from actas.model.rule_ref import RuleRef
from actas.settings.meaning.offers import offers
from actas.settings.schema import RoleSettings, Rule, Settings, many


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """One rule, ready to be weighed."""

    rule: Rule
    ref: RuleRef
    over: tuple[Target, ...]
    roles: tuple[Role | None, ...]
    """What it offers, the first being what a call gets that names none; (None,) without ``as``.

    With ``roles_from`` the caller's assertion has to claim the role too; where nothing fits, nothing is offered.
    """

    @property
    def forbids(self) -> bool:
        """Whether it is a ``may_not``."""
        return self.rule.may_not is not None


def compiled(
    rule: Rule, among: tuple[Target, ...], roles: Mapping[str, Role], settings: Mapping[str, RoleSettings]
) -> Compiled:
    """Find what *rule* names among the targets and the roles there are."""
    patterns = many(rule.may_not if rule.may_not is not None else rule.may)
    over = tuple(dict.fromkeys(target for pattern in patterns for target in named(pattern, among)))
    offered: tuple[Role | None, ...] = tuple(roles[name] for name in offers(rule, settings))
    if not offered and rule.roles_from is None:
        offered = (None,)
    said = [msgspec.to_builtins(rule, str_keys=True, enc_hook=repr), [target.arn for target in over]]
    said.append(
        [[role.name, role.arn, role.session.total_seconds(), role.policy, role.trust] for role in offered if role]
    )
    return Compiled(rule=rule, ref=RuleRef(id=rule.id, digest=digest(said)), over=over, roles=offered)


def role_of(name: str, settings: RoleSettings, policy: str | None, trust: str | None) -> Role:
    """Describe a role as decisions hand it on."""
    return Role(name=name, arn=settings.arn, session=settings.session.time, policy=policy, trust=trust)


def digest(said: object) -> str:
    """Name *said* by what it says: 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:16]


def zones(settings: Settings) -> tuple[ZoneInfo, ...]:
    """List the time zones that these rules look at."""
    looked_at = {
        rule.when.zone or "UTC"
        for rule in settings.rules
        if rule.when and (rule.when.days or rule.when.hours or rule.when.from_ or rule.when.until)
    }
    return tuple(ZoneInfo(name) for name in sorted(looked_at))
