"""How the layers' answers make one: AWS's order inside an account, and across two."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from actas.iam import arns
from actas.iam.principals import Caller, CallerKind, Meeting
from actas.iam.request import Request

Effect = Literal["Allowed", "ImplicitlyDenied", "ExplicitlyDenied"]
LayerName = Literal["scp", "rcp", "endpoint", "resource", "identity", "boundary", "session"]


@dataclass(frozen=True, slots=True)
class Frame:
    """What of a request decides which layers count."""

    caller: Caller
    same_account: bool
    """Is the resource in the caller's account? An ARN without an account, and nobody to say, counts as yes."""
    has_account: bool
    """Has the caller policies of an account at all? Services, federated and anonymous callers have none."""
    must_be_named: bool
    """KMS keys and roles: their own policy must allow, an identity policy alone is not enough."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What the layers said: the closest meeting of an Allow in each layer that exists."""

    denied: bool
    layers: dict[LayerName, Meeting]

    def refuses(self, name: LayerName) -> bool:
        """Tell whether a layer exists and does not allow."""
        return self.layers.get(name) is Meeting.NONE


def tally(answers: Iterable[tuple[LayerName, Meeting]], *, denied: bool) -> Tally:
    """Join the levels of a layer: each of them has to allow."""
    layers: dict[LayerName, Meeting] = {}
    for name, meeting in answers:
        layers[name] = min(layers.get(name, meeting), meeting)
    return Tally(denied, layers)


_TRUST: Final = ("sts:assumerole", "sts:tagsession", "sts:setsourceidentity", "sts:setcontext")
_WITHOUT_ACCOUNT: Final = frozenset({CallerKind.SERVICE, CallerKind.PROVIDER, CallerKind.ANONYMOUS})


def frame(request: Request, caller: Caller) -> Frame:
    """See which rules a request falls under."""
    owner = arns.account_of(request.resource) or request.resource_account
    has_account = caller.kind not in _WITHOUT_ACCOUNT
    same = caller.account is None or owner is None or owner == caller.account
    return Frame(caller, same and has_account, has_account, _must_be_named(request.action.lower(), request.resource))


def _must_be_named(action: str, resource: str) -> bool:
    parts = resource.split(":", arns.PARTS - 1)
    if len(parts) != arns.PARTS:
        return False
    wanted = special(action)
    return bool(wanted) and parts[2] == wanted and parts[5].startswith("key/" if wanted == "kms" else "role/")


def special(action: str) -> str:
    """Name the service whose keys or roles must themselves allow *action*, which is folded; empty for all others."""
    if action.startswith("kms:"):
        return "kms"
    return "iam" if action.startswith(_TRUST) else ""


def weigh(tally: Tally, about: Frame) -> tuple[Effect, LayerName | None]:
    """Return the effect, and the first layer in AWS's order that did not allow."""
    if tally.denied:
        return "ExplicitlyDenied", None
    if tally.refuses("scp"):
        return "ImplicitlyDenied", "scp"
    if tally.refuses("endpoint"):
        return "ImplicitlyDenied", "endpoint"
    missing = _of_the_account(tally, about) if about.has_account else _of_the_resource(tally)
    return ("ImplicitlyDenied", missing) if missing else ("Allowed", None)


def _of_the_resource(tally: Tally) -> LayerName | None:
    """Ask the resource's policy alone: nobody's account stands behind the caller."""
    return None if tally.layers.get("resource") else "resource"


def _of_the_account(tally: Tally, about: Frame) -> LayerName | None:
    meeting = tally.layers.get("resource", Meeting.NONE)
    if not about.same_account:
        return _own_side(tally, about, identity=False) if meeting else "resource"
    if meeting is Meeting.DIRECT:
        return None
    if about.must_be_named and not meeting:
        return "resource"
    return _own_side(tally, about, identity=meeting is Meeting.ROLE)


def _own_side(tally: Tally, about: Frame, *, identity: bool) -> LayerName | None:
    """Ask identity, boundary and session policies, in AWS's order."""
    kind = about.caller.kind
    if kind is CallerKind.ACCOUNT:  # the root user needs no policy and can have no boundary
        return None
    if not identity and not tally.layers.get("identity"):
        return "identity"
    if tally.refuses("boundary"):
        return "boundary"
    # GetFederationToken without a policy gives nothing.
    if tally.refuses("session") or ("session" not in tally.layers and kind is CallerKind.FEDERATED_USER):
        return "session"
    return None
