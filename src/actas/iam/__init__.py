"""IAM policies read, decided, validated, explained and compared, as AWS would.

Takes policies and requests; gives decisions and findings. Never opens a socket or asks the clock. Each name is
loaded when it is first used, so importing the package costs nothing that is not needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actas.iam.account import Account as Account
    from actas.iam.account import Holder as Holder
    from actas.iam.catalogue import Catalogue as Catalogue
    from actas.iam.comparison import Change as Change
    from actas.iam.comparison import Comparison as Comparison
    from actas.iam.comparison import compare as compare
    from actas.iam.compiled import Compiled as Compiled
    from actas.iam.compiled import CompiledDecision as CompiledDecision
    from actas.iam.compiled import compile as compile  # noqa: A004 - api.md's word
    from actas.iam.decision import Decision as Decision
    from actas.iam.errors import AccountUnreadable as AccountUnreadable
    from actas.iam.errors import CatalogueUnreadable as CatalogueUnreadable
    from actas.iam.errors import IamError as IamError
    from actas.iam.errors import InvalidPolicySet as InvalidPolicySet
    from actas.iam.errors import InvalidRequest as InvalidRequest
    from actas.iam.errors import MalformedPolicy as MalformedPolicy
    from actas.iam.errors import UnknownPrincipal as UnknownPrincipal
    from actas.iam.evaluation import evaluate as evaluate
    from actas.iam.expansion import expand_actions as expand_actions
    from actas.iam.finding import Finding as Finding
    from actas.iam.kinds import ANONYMOUS as ANONYMOUS
    from actas.iam.kinds import UNKNOWN as UNKNOWN
    from actas.iam.kinds import Kind as Kind
    from actas.iam.policy import Policy as Policy
    from actas.iam.request import PolicySet as PolicySet
    from actas.iam.request import Request as Request
    from actas.iam.said import Layer as Layer
    from actas.iam.said import Miss as Miss
    from actas.iam.said import StatementRef as StatementRef
    from actas.iam.statement import Statement as Statement
    from actas.iam.universe import Universe as Universe
    from actas.iam.validation import validate as validate
    from actas.iam.values import Context as Context
    from actas.iam.values import fold as fold

_HOMES = {
    "ANONYMOUS": "kinds",
    "UNKNOWN": "kinds",
    "Account": "account",
    "AccountUnreadable": "errors",
    "Catalogue": "catalogue",
    "CatalogueUnreadable": "errors",
    "Change": "comparison",
    "Comparison": "comparison",
    "Compiled": "compiled",
    "CompiledDecision": "compiled",
    "Context": "values",
    "Decision": "decision",
    "Finding": "finding",
    "Holder": "account",
    "IamError": "errors",
    "InvalidPolicySet": "errors",
    "InvalidRequest": "errors",
    "Kind": "kinds",
    "Layer": "said",
    "MalformedPolicy": "errors",
    "Miss": "said",
    "Policy": "policy",
    "PolicySet": "request",
    "Request": "request",
    "Statement": "statement",
    "StatementRef": "said",
    "UnknownPrincipal": "errors",
    "Universe": "universe",
    "compare": "comparison",
    "compile": "compiled",
    "evaluate": "evaluation",
    "expand_actions": "expansion",
    "fold": "values",
    "validate": "validation",
}

__all__ = [  # noqa: PLE0604 - the table above is the list
    *_HOMES
]


def __getattr__(name: str) -> object:
    """Load the module that holds *name*, the first time."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(_HOMES)
