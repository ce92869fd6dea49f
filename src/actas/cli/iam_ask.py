"""What `actas iam simulate` and `explain` are asked with: policies by layer, a request, and how an answer is shown."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from actas import iam
from actas.cli.iam_errors import IncompleteRequest
from actas.cli.iam_files import context, layer
from actas.iam.said import StatementRef

Files = tuple[Path, ...]
Texts = tuple[str, ...]


def _about(told: str) -> Parameter:
    return Parameter(help=told, negative=(), show_default=False)


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """The policies that have a say; a layer of which no policy is given does not exist."""

    policy: Annotated[Files, _about("An identity policy of the principal; may be given again, as all of these.")] = ()
    session: Annotated[Files, _about("A session policy.")] = ()
    boundary: Annotated[Files, _about("A permissions boundary.")] = ()
    resource_policy: Annotated[Files, _about("A policy of the resource.")] = ()
    trust: Annotated[Files, _about("A trust policy, where the resource is a role.")] = ()
    scp: Annotated[Texts, _about("A level of SCPs, from the root to the account: files joined by commas.")] = ()
    rcp: Annotated[Texts, _about("A level of RCPs, in the same way.")] = ()
    endpoint: Annotated[Files, _about("A policy of the VPC endpoint that the request goes through.")] = ()


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The request."""

    principal: Annotated[str | None, _about("Who asks: an ARN, an account id, a service; * is nobody at all.")] = None
    action: Annotated[str | None, _about("What is to be done: lambda:InvokeFunction.")] = None
    resource: Annotated[str, _about("To what.")] = "*"
    resource_account: Annotated[str | None, _about("Whose the resource is, where its ARN does not say.")] = None
    context: Annotated[
        Texts, _about("A condition key and its value, KEY=VALUE; a key given twice has two values.")
    ] = ()
    unknown: Annotated[Texts, _about("A condition key whose value cannot be told.")] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """The files of every layer."""

    identity: Files = ()
    session: Files = ()
    boundary: Files = ()
    resource: Files = ()
    trust: Files = ()
    scps: tuple[Files, ...] = ()
    rcps: tuple[Files, ...] = ()
    endpoint: Files = ()


def layers(given: Policies) -> Layers:
    """Sort the files given into layers."""
    return Layers(
        identity=given.policy,
        session=given.session,
        boundary=given.boundary,
        resource=given.resource_policy,
        trust=given.trust,
        scps=levels(given.scp),
        rcps=levels(given.rcp),
        endpoint=given.endpoint,
    )


def levels(given: Texts) -> tuple[Files, ...]:
    """Take apart levels whose files are joined by commas."""
    return tuple(tuple(Path(name) for name in level.split(",") if name) for level in given)


def policy_set(files: Layers) -> iam.PolicySet:
    """Read all policies; a layer without any does not exist, but for the identity policies."""
    kinds = iam.Kind
    return iam.PolicySet(
        identity=layer(files.identity, kinds.IDENTITY),
        session=layer(files.session, kinds.SESSION) or None,
        boundary=layer(files.boundary, kinds.BOUNDARY) or None,
        resource=(layer(files.resource, kinds.RESOURCE) + layer(files.trust, kinds.TRUST)) or None,
        scps=tuple(layer(level, kinds.SCP) for level in files.scps) or None,
        rcps=tuple(layer(level, kinds.RCP) for level in files.rcps) or None,
        endpoint=layer(files.endpoint, kinds.ENDPOINT) or None,
    )


def request(asked: Asked) -> iam.Request:
    """Make the request."""
    if asked.principal is None or asked.action is None:
        raise IncompleteRequest(missing="principal" if asked.principal is None else "action")
    return iam.Request(
        principal=asked.principal,
        action=asked.action,
        resource=asked.resource,
        resource_account=asked.resource_account,
        context=context(asked.context, asked.unknown),
    )


_VERDICTS = {"Allowed": "allowed", "ImplicitlyDenied": "denied implicitly", "ExplicitlyDenied": "denied explicitly"}


def verdict_text(decision: iam.Decision) -> str:
    """Write the verdict, the statements that made it, and AWS's sentence for a no."""
    lines = [_VERDICTS[decision.effect]]
    wanted = "Deny" if decision.effect == "ExplicitlyDenied" else "Allow"
    for one in decision.layers:
        lines += [f"  {one.name:<8}  {named(ref)}" for ref in one.matched if ref.effect == wanted]
    return "\n".join([*lines, *([] if decision.allowed else [f"  {decision.access_denied_message()}"])])


def named(ref: StatementRef) -> str:
    """Name a statement by its Sid, or its place, and its policy."""
    return f"{ref.effect} statement {ref.sid or ref.index} of {ref.policy}"


def explained_text(decision: iam.Decision) -> str:
    """Write every layer's reasons, and AWS's sentence for a no."""
    said = decision.explain()
    return said if decision.allowed else f"{said}\n  AWS says: {decision.access_denied_message()}"
