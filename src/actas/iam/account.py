"""An account as ``aws iam get-account-authorization-details`` tells it: who can do what.

Policies that many principals share are read once; a principal's own are read when it is asked about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import unquote

from actas.iam.comparison import Change, compare
from actas.iam.compiled import CompiledDecision, compile  # noqa: A004 - api.md's word
from actas.iam.document import Unreadable, decode
from actas.iam.errors import AccountUnreadable, UnknownPrincipal
from actas.iam.kinds import Kind
from actas.iam.matching import action_patterns
from actas.iam.policy import Policy
from actas.iam.request import PolicySet, Request
from actas.iam.statement import Statement

_LISTS: Final = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
_INLINE: Final = ("UserPolicyList", "RolePolicyList", "GroupPolicyList")
_LARGEST: Final = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Somebody who can do what was asked."""

    principal: str
    decision: CompiledDecision


class Account:
    """The principals of an account and their policies; made by `read`."""

    def __init__(self, people: dict[str, dict[str, Any]], groups: dict[str, Any], managed: dict[str, Any]) -> None:
        """Take users and roles by ARN, groups by name and managed policies by ARN."""
        self._people, self._groups, self._managed = people, groups, managed
        self._read: dict[tuple[str, Kind], Policy] = {}

    @classmethod
    def read(cls, details: str | bytes | Mapping[str, object] | Iterable[Mapping[str, object]]) -> Account:
        """Read the command's answer, or its pages; raise AccountUnreadable if it is none."""
        pages = [_page(details)] if isinstance(details, (str, bytes, Mapping)) else [_page(page) for page in details]
        people: dict[str, dict[str, Any]] = {}
        groups: dict[str, Any] = {}
        managed: dict[str, Any] = {}
        for page in pages:
            people |= _by(page, "UserDetailList", "Arn") | _by(page, "RoleDetailList", "Arn")
            groups |= _by(page, "GroupDetailList", "GroupName")
            managed |= _by(page, "Policies", "Arn")
        return cls(people, groups, managed)

    @property
    def principals(self) -> tuple[str, ...]:
        """The ARNs of all users and roles."""
        return tuple(self._people)

    def policies_of(self, principal: str, *, scps: tuple[tuple[Policy, ...], ...] | None = None) -> PolicySet:
        """Collect a user's or role's policies, those of its groups and its boundary among them."""
        person = self._person(principal)
        identity = [*self._own(person)]
        for name in _names(person.get("GroupList")):
            identity += self._own(_object(self._groups.get(name, {}), f"group {name}"))
        boundary = person.get("PermissionsBoundary")
        arn = boundary.get("PermissionsBoundaryArn") if isinstance(boundary, dict) else None
        bounds = (self._attached(arn, Kind.BOUNDARY),) if isinstance(arn, str) else None
        return PolicySet(identity=tuple(identity), boundary=bounds, scps=scps)

    def trust_of(self, role: str) -> Policy:
        """Read a role's trust policy."""
        document = self._person(role).get("AssumeRolePolicyDocument")
        return _policy(document, Kind.TRUST, "trust policy")

    def who_can(
        self,
        action: str,
        resource: str = "*",
        *,
        context: Mapping[str, object] | None = None,
        scps: tuple[tuple[Policy, ...], ...] | None = None,
        resource_policies: tuple[Policy, ...] | None = None,
    ) -> Iterator[Holder]:
        """Give each principal that is allowed, one after the other, with the statements that allow it."""
        about = _About(action)
        for principal in self._people:
            own = self.policies_of(principal, scps=scps)
            policies = PolicySet(
                identity=about.of(own.identity or ()),
                boundary=None if own.boundary is None else about.of(own.boundary),
                scps=scps,
                resource=resource_policies,
            )
            asked = Request(
                principal=principal,
                action=action,
                resource=resource,
                context={**self._tags(principal), **(context or {})},
            )
            decision = compile(policies)(asked)
            if decision.allowed:
                yield Holder(principal=principal, decision=decision)

    def what_can(self, principal: str, *, scps: tuple[tuple[Policy, ...], ...] | None = None) -> tuple[Change, ...]:
        """Say what a principal's own policies allow: actions and resources, each with a witness request."""
        return compare(PolicySet(), self.policies_of(principal, scps=scps)).gained

    def _person(self, principal: str) -> dict[str, Any]:
        person = self._people.get(principal)
        if person is None:
            raise UnknownPrincipal(known=len(self._people))
        return person

    def _own(self, holder: dict[str, Any]) -> Iterator[Policy]:
        for name in _INLINE:
            for inline in _objects(holder.get(name), name):
                yield _policy(inline.get("PolicyDocument"), Kind.IDENTITY, str(inline.get("PolicyName", "")))
        for attached in _objects(holder.get("AttachedManagedPolicies"), "AttachedManagedPolicies"):
            yield self._attached(str(attached.get("PolicyArn")), Kind.IDENTITY)

    def _attached(self, arn: str, kind: Kind) -> Policy:
        if (arn, kind) not in self._read:
            details = _object(self._managed.get(arn), f"managed policy {arn}")
            versions = _objects(details.get("PolicyVersionList"), "PolicyVersionList")
            document = next((one.get("Document") for one in versions if one.get("IsDefaultVersion")), None)
            self._read[arn, kind] = _policy(document, kind, str(details.get("PolicyName", arn)))
        return self._read[arn, kind]

    def _tags(self, principal: str) -> dict[str, object]:
        tags = _objects(self._person(principal).get("Tags"), "Tags")
        return {f"aws:PrincipalTag/{tag.get('Key')}": str(tag.get("Value", "")) for tag in tags}


class _About:
    """Leaves out of policies what cannot be about one action: most of an account is not."""

    def __init__(self, action: str) -> None:
        self._action = action.lower()
        self._known: dict[int, tuple[Policy, Policy]] = {}  # the policy itself too, so that no other gets its id

    def of(self, policies: tuple[Policy, ...]) -> tuple[Policy, ...]:
        return tuple(self._narrowed(policy) for policy in policies)

    def _narrowed(self, policy: Policy) -> Policy:
        found = self._known.get(id(policy))
        if found is None:
            statements = tuple(one for one in policy.statements if self._is_named(one))
            found = self._known[id(policy)] = policy, replace(policy, statements=statements)
        return found[1]

    def _is_named(self, statement: Statement) -> bool:
        return bool(action_patterns(statement.actions).holds(self._action, {})) is not statement.not_action


def _policy(document: object, kind: Kind, name: str) -> Policy:
    """Read one document; the raw API gives it percent-encoded."""
    if isinstance(document, str):
        return Policy.parse(
            unquote(document) if document.startswith("%7B") else document, kind=kind, name=name, stored=True
        )
    if isinstance(document, Mapping):
        return Policy.parse(document, kind=kind, name=name, stored=True)
    raise AccountUnreadable(where=name, why="has no document")


def _page(details: object) -> dict[str, Any]:
    try:
        value, _ = decode(details, largest=_LARGEST)
    except Unreadable as wrong:
        raise AccountUnreadable(where="the document", why=f"cannot be read: {wrong.why}") from None
    page = _object(value, "the document")
    if not any(name in page for name in _LISTS):
        raise AccountUnreadable(where="the document", why=f"has none of {', '.join(_LISTS)}")
    return page


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise AccountUnreadable(where=where, why="is missing or no object")
    return value


def _objects(value: object, where: str) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise AccountUnreadable(where=where, why="is no list")
    return [_object(item, where) for item in value]


def _names(value: object) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _by(page: dict[str, Any], name: str, key: str) -> dict[str, dict[str, Any]]:
    return {str(one.get(key)): one for one in _objects(page.get(name), name)}
