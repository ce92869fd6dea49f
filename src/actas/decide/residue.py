"""What is left of a trust policy to be asked when a session is used: the moment and the place. Pure.

When a session is made, every condition that rests on the caller or on the request alone is weighed, and only whether
it was true is kept: not who the caller is. When the session is used, these answers stand for their conditions, and
those on the moment and the place are weighed anew. So a session token holds no name that a trust policy tests.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from actas import iam
from actas.decide import keys
from actas.decide.facts import SINCE, Facts
from actas.iam.conditions import Condition, Test, compile_condition, keys_of
from actas.iam.values import Context
from actas.model.facts import Known
from actas.model.identity import Identity

EVERYTHING: Final = iam.Policy.parse(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
SESSION: Final = ":assumed-role/"
"""In a principal that is a session: its own policies were asked before, so here they allow everything."""
KEPT: Final = "actas:trust/"
"""A kept answer: ``actas:trust/0`` is that to the first condition, in the order of the policy."""
NOW: Final = "aws:currenttime"
EPOCH: Final = "aws:epochtime"
_ANEW: Final = frozenset({keys.ADDRESS, keys.AUTH_AGE, NOW, EPOCH})
_ANEW_FROM: Final = (keys.WEEKDAY, keys.YESTERDAY, keys.MINUTE, keys.DATE)
_SPELT: Final = {True: "true", False: "false", None: "null"}


class Residue:
    """One role's trust policy, ready to be asked again."""

    def __init__(self, policies: Iterable[iam.Policy], role_arn: str) -> None:
        self._tests: list[tuple[str, Test]] = []
        self._needs_age = False
        left = tuple(self._left(policy) for policy in policies)
        self._compiled = iam.compile(iam.PolicySet(identity=None, resource=left))
        self._by_session = iam.compile(iam.PolicySet(identity=(EVERYTHING,), resource=left))
        self._role_arn = role_arn

    def kept(self, identity: Identity, context: Context) -> Facts:
        """Write down how the conditions on the caller stand, in *context*."""
        found = [(name, _SPELT[test(context)]) for name, test in self._tests]
        if self._needs_age:
            since = identity.authenticated_at
            found.append((SINCE, json.dumps(since.value.timestamp() if isinstance(since, Known) else None)))
        return tuple(found)

    def allows(self, actions: tuple[str, ...], principals: tuple[str, ...], context: Context) -> bool:
        """Tell whether the policy still lets one of *principals* do all of *actions*, and denies none of them."""
        return bool(actions) and all(self._allowed(action, principals, context) for action in actions)

    def _allowed(self, action: str, principals: tuple[str, ...], context: Context) -> bool:
        effects = {
            (self._by_session if SESSION in principal else self._compiled)(
                iam.Request(principal=principal, action=action, resource=self._role_arn, context=context)
            ).effect
            for principal in principals
        }
        return "Allowed" in effects and "ExplicitlyDenied" not in effects

    def _left(self, policy: iam.Policy) -> iam.Policy:
        statements = [
            replace(
                statement,
                conditions=tuple(
                    self._of(condition, with_variables=statement.variables) for condition in statement.conditions
                ),
            )
            for statement in policy.statements
        ]
        return replace(policy, statements=tuple(statements))

    def _of(self, condition: Condition, *, with_variables: bool) -> Condition:
        looked_at = keys_of(condition, with_variables=with_variables)
        anew = {key for key in looked_at if key in _ANEW or key.startswith(_ANEW_FROM)}
        if anew == looked_at:
            self._needs_age |= keys.AUTH_AGE in anew
            return condition
        name = f"{KEPT}{len(self._tests)}"
        # A condition on both at once cannot be taken apart, so it is not known later and never in the caller's favour.
        weighed = compile_condition(condition, with_variables=with_variables) if not anew else _unknown
        self._tests.append((name, weighed))
        return Condition(operator="Bool", key=name, values=("true",))


def _unknown(_context: object) -> None:
    """Stand for a condition that cannot be kept."""
