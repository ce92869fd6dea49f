"""IAM policies read, decided, validated, explained and compared, as AWS would.

Takes policies and requests; gives decisions and findings. Never opens a socket or asks the clock.
"""

from actas.iam.compiled import Compiled, CompiledDecision, compile  # noqa: A004 - api.md's word
from actas.iam.decision import Decision, Layer, Miss, StatementRef
from actas.iam.errors import IamError, InvalidPolicySet, InvalidRequest, MalformedPolicy
from actas.iam.evaluate import evaluate
from actas.iam.finding import Finding
from actas.iam.kinds import ANONYMOUS, UNKNOWN, Kind
from actas.iam.policy import Policy, Statement
from actas.iam.request import PolicySet, Request
from actas.iam.validation import validate
from actas.iam.values import Context, fold

__all__ = [
    "ANONYMOUS",
    "UNKNOWN",
    "Compiled",
    "CompiledDecision",
    "Context",
    "Decision",
    "Finding",
    "IamError",
    "InvalidPolicySet",
    "InvalidRequest",
    "Kind",
    "Layer",
    "MalformedPolicy",
    "Miss",
    "Policy",
    "PolicySet",
    "Request",
    "Statement",
    "StatementRef",
    "compile",
    "evaluate",
    "fold",
    "validate",
]
