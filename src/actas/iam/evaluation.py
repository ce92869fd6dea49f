"""Decide one request, layer by layer, keeping every reason."""

from __future__ import annotations

from actas.iam import verdict
from actas.iam.asked import Asked
from actas.iam.decision import Decision
from actas.iam.matching import applies, prepare
from actas.iam.misses import first_failure
from actas.iam.policy import Policy
from actas.iam.principals import Meeting, read_caller
from actas.iam.request import PolicySet, Request
from actas.iam.said import Layer, Miss, StatementRef


def evaluate(request: Request, policies: PolicySet) -> Decision:
    """Decide *request* as AWS does, and keep why."""
    caller = read_caller(request.principal)
    asked = Asked(request, caller)
    layers = [_layer(asked, name, level, layer) for name, level, layer in layers_of(policies)]
    about = verdict.frame(request, caller)
    counted = [layer for layer in layers if counts(layer.name, about)]
    effect, missing = verdict.weigh(_tally(counted), about)
    return Decision(
        effect=effect, layers=tuple(layers), missing=missing, request=request, same_account=about.same_account
    )


def layers_of(policies: PolicySet) -> list[tuple[verdict.LayerName, int | None, tuple[Policy, ...]]]:
    """Every layer that exists, in AWS's order of evaluation."""
    found: list[tuple[verdict.LayerName, int | None, tuple[Policy, ...]]] = []
    found += [("rcp", level, layer) for level, layer in enumerate(policies.rcps or ())]
    found += [("scp", level, layer) for level, layer in enumerate(policies.scps or ())]
    if policies.scps == ():  # the layer exists and holds nothing, so nothing in it allows
        found.append(("scp", None, ()))
    single: list[tuple[verdict.LayerName, tuple[Policy, ...] | None]] = [
        ("endpoint", policies.endpoint),
        ("resource", policies.resource),
        ("identity", policies.identity),
        ("boundary", policies.boundary),
        ("session", policies.session),
    ]
    found += [(name, None, layer) for name, layer in single if layer is not None]
    return found


def counts(name: verdict.LayerName, about: verdict.Frame) -> bool:
    """Has this layer a say about this caller? Service-linked roles are beyond SCPs and RCPs."""
    if name in ("scp", "rcp"):
        return not about.caller.service_linked and (name == "rcp" or about.has_account)
    return about.has_account or name in ("resource", "endpoint")


def _layer(asked: Asked, name: verdict.LayerName, level: int | None, layer: tuple[Policy, ...]) -> Layer:
    matched: list[StatementRef] = []
    missed: list[Miss] = []
    for policy in layer:
        for statement in policy.statements:
            one = prepare(statement)
            meeting = one.meets(asked.caller, asked.userid)
            miss = first_failure(one, asked, meeting)
            ref = StatementRef.of(policy, statement, meeting, unknown=miss is not None and miss.unknown)
            if miss is None or applies(statement.effect, None if miss.unknown else False):
                matched.append(ref)
            else:
                missed.append(Miss(statement=ref, failure=miss))
    return Layer(name=name, level=level, effect=_effect(name, matched), matched=tuple(matched), missed=tuple(missed))


def _effect(name: verdict.LayerName, matched: list[StatementRef]) -> verdict.Effect:
    effects = {ref.effect for ref in matched}
    if "Deny" in effects:
        return "ExplicitlyDenied"
    # RCPFullAWSAccess is attached at each level and cannot be detached.
    return "Allowed" if "Allow" in effects or name == "rcp" else "ImplicitlyDenied"


def _tally(layers: list[Layer]) -> verdict.Tally:
    answers = [(layer.name, _closest(layer)) for layer in layers]
    return verdict.tally(answers, denied=any(layer.effect == "ExplicitlyDenied" for layer in layers))


def _closest(layer: Layer) -> Meeting:
    return max((ref.meeting for ref in layer.matched if ref.effect == "Allow"), default=Meeting.NONE)
