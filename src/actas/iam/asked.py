"""A request with what its principal tells, ready to be compared."""

from __future__ import annotations

from collections.abc import Mapping

from actas.iam.principals import Caller
from actas.iam.request import Request
from actas.iam.values import Value


class Asked:
    """A request with what its principal tells, ready to be compared."""

    __slots__ = ("action", "caller", "facts", "resource", "userid")

    def __init__(self, request: Request, caller: Caller) -> None:
        self.caller = caller
        self.action = request.action.lower()
        self.resource = request.resource
        self.facts: Mapping[str, Value] = {**caller.facts, **request.facts}
        self.userid = self.facts.get("aws:userid")
