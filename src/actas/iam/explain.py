"""Decisions in words: for a colleague, for a program, and as AWS would put it."""

from __future__ import annotations

from typing import Any, Final

from actas.iam.said import Layer, Miss, Said, StatementRef
from actas.iam.verdict import LayerName, special

_KINDS: Final[dict[LayerName, tuple[str, str]]] = {
    "identity": ("an identity-based policy", "no identity-based policy allows"),
    "resource": ("a resource-based policy", "no resource-based policy allows"),
    "boundary": ("a permissions boundary", "no permissions boundary allows"),
    "session": ("a session policy", "no session policy allows"),
    "scp": ("a service control policy", "no service control policy allows"),
    "rcp": ("a resource control policy", "no resource control policy allows"),
    "endpoint": ("a VPC endpoint policy", "no VPC endpoint policy allows"),
}
_TRUST: Final = ("the role trust policy", "no role trust policy allows")
_VERDICTS: Final = {
    "Allowed": "allowed",
    "ImplicitlyDenied": "denied, because nothing that has to allow it does",
    "ExplicitlyDenied": "denied, because a statement says so",
}
_NEAR: Final = 5
"""How many near misses of a layer are told."""
_CLOSENESS: Final = {"action": 0, "principal": 1, "resource": 2, "condition": 3}


def access_denied_message(decision: Said) -> str:
    """Word a denial as AWS does (IAM user guide, "Troubleshoot access denied error messages")."""
    if decision.allowed:
        return ""
    request = decision.request
    start = f"User: {request.principal} is not authorized to perform: {request.action}"
    if request.resource != "*":
        start += f" on resource: {request.resource}"
    if decision.effect == "ExplicitlyDenied":
        layer = next(layer for layer in decision.layers if layer.effect == "ExplicitlyDenied")
        return f"{start} with an explicit deny in {_kind(layer.name, decision)[0]}"
    return f"{start} because {_kind(decision.missing or 'identity', decision)[1]} the {request.action} action"


def _kind(name: LayerName, decision: Said) -> tuple[str, str]:
    """Word a layer; AWS has words of its own for a role's trust policy."""
    trusts = name == "resource" and special(decision.request.action.lower()) == "iam"
    return _TRUST if trusts and ":role/" in decision.request.resource else _KINDS[name]


def explain(decision: Said) -> str:
    """Say the verdict, then what each layer said, then what would turn the answer."""
    request = decision.request
    may = "may" if decision.allowed else "may not"
    lines = [f"{_VERDICTS[decision.effect]}: {request.principal} {may} {request.action} on {request.resource}"]
    if decision.missing:
        lines.append(f"  {_had_to(decision)}")
    for layer in decision.layers:
        lines += _layer(layer)
    turn = _turn(decision)
    if turn:
        lines.append(turn)
    return "\n".join(lines)


def _had_to(decision: Said) -> str:
    """Say which layer had to allow, and why it had to."""
    if decision.missing == "resource":
        if not decision.same_account:
            return "the resource is in another account or the caller in none: a resource policy has to allow"
        return "the resource's own policy has to allow: identity policies alone are not enough here"
    if decision.missing == "identity" and not decision.same_account:
        return "the resource is in another account: identity policies have to allow as well as its own policy"
    return f"the first that had to allow and did not: {decision.missing}"


def _layer(layer: Layer) -> list[str]:
    lines = [f"  {title(layer)}: {_said(layer)}"]
    lines += [f"    {_name(ref)} applies{_how(ref)}" for ref in layer.matched]
    near = sorted(layer.missed, key=lambda miss: -_CLOSENESS[miss.failure.part])
    lines += [f"    {_name(miss.statement)} does not apply: {miss.failure.sentence()}" for miss in near[:_NEAR]]
    if len(near) > _NEAR:
        lines.append(f"    {len(near) - _NEAR} more statements do not apply")
    return lines


def title(layer: Layer) -> str:
    """Name a layer, with its level where it has levels."""
    return layer.name if layer.level is None else f"{layer.name} at level {layer.level}"


def _said(layer: Layer) -> str:
    return {"Allowed": "allows", "ImplicitlyDenied": "does not allow", "ExplicitlyDenied": "denies"}[layer.effect]


def _name(ref: StatementRef) -> str:
    name = f"{ref.effect} statement {ref.sid or ref.index}"
    return f"{name} of {ref.policy}" if ref.policy else name


def _how(ref: StatementRef) -> str:
    return ", because nothing shows that it does not" if ref.unknown else ""


def _turn(decision: Said) -> str:
    """Name the smallest change that could turn the answer."""
    if decision.allowed:
        return ""
    if decision.effect == "ExplicitlyDenied":
        denies = [ref for ref in decision.matched if ref.effect == "Deny"]
        listed = ", ".join(_name(ref) for ref in denies)
        if all(ref.unknown for ref in denies):
            return f"  to turn it: find out what is unknown; as far as is known, {listed} may apply"
        return f"  to turn it: no Allow outweighs a Deny; {listed} must not apply any more"
    layer = decision.missing or "identity"
    miss = nearest(decision, layer)
    if miss is None:
        return f"  to turn it: the layer {layer} needs an Allow statement for {decision.request.action}"
    return f"  to turn it: {_name(miss.statement)} would allow it, but {miss.failure.sentence()}"


def nearest(decision: Said, name: LayerName) -> Miss | None:
    """Find the Allow statement of a layer that came closest."""
    misses = [
        miss
        for layer in decision.layers
        if layer.name == name and layer.effect == "ImplicitlyDenied"
        for miss in layer.missed
        if miss.statement.effect == "Allow" and miss.failure.part != "action"
    ]
    return max(misses, key=lambda miss: _CLOSENESS[miss.failure.part], default=None)


def to_json(decision: Said) -> dict[str, Any]:
    """Give the decision as JSON values; docs/libraries/iam.md lists the fields."""
    return {
        "effect": decision.effect,
        "allowed": decision.allowed,
        "missing": decision.missing,
        "same_account": decision.same_account,
        "principal": decision.request.principal,
        "action": decision.request.action,
        "resource": decision.request.resource,
        "message": access_denied_message(decision),
        "layers": [_layer_json(layer) for layer in decision.layers],
    }


def _layer_json(layer: Layer) -> dict[str, Any]:
    return {
        "name": layer.name,
        "level": layer.level,
        "effect": layer.effect,
        "matched": [ref.to_json() for ref in layer.matched],
        "missed": [_miss_json(miss) for miss in layer.missed],
    }


def _miss_json(miss: Miss) -> dict[str, Any]:
    failure = miss.failure
    return miss.statement.to_json() | {
        "part": failure.part,
        "unknown": failure.unknown,
        "operator": failure.operator,
        "key": failure.key,
        "found": failure.found,
        "wanted": failure.wanted,
        "sentence": failure.sentence(),
    }
