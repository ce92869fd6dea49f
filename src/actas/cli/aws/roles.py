"""``actas roles``: which roles may somebody take, for what, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from actas.cli import DENIED, DONE, asking, output
from actas.cli.errors import NobodyNamed
from actas.cli.options import HERE, As, Where
from actas.decide.explain import explain
from actas.decide.ruleset import RuleSet
from actas.model import clock
from actas.model.call import Address
from actas.model.decision import Allow
from actas.model.facts import Fact
from actas.model.identity import Identity
from actas.settings.schema import RoleSettings

app = App(
    name="roles",
    help="""List every role of the settings: whether somebody may take it now, for which functions, and why or why not.

    For example:
        actas roles --as ana
        actas roles --claims claims.json --at 23:00 --json
    """,
)
app.command("actas.cli.roles_trust:trust", name="trust", help="Print what another cloud must be told for a role.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeable:
    """A role, and what somebody may call with it."""

    role: str
    arn: str
    may: tuple[str, ...]
    """What may be called with it; nothing where it may not be taken."""
    because: tuple[str, ...]


@app.default
def roles(
    *,
    as_: As = None,
    claims: Path | None = None,
    at: str | None = None,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    where: Where = HERE,
    json: bool = False,
) -> int:
    """List every role of the settings: whether somebody may take it now, for which functions, and why or why not.

    For example:
        actas roles --as ana
        actas roles --claims claims.json --at 23:00 --json

    Parameters
    ----------
    as_:
        Who would take it: a stored sign-in or a person of the demo.
    claims:
        A JSON file with the claims of a token; they are supposed to be true.
    at:
        When: 2026-11-23T23:00:00Z, or 23:00 (UTC); by default now.
    from_:
        The client's address; by default unknown.
    json:
        Print one JSON object.
    """
    place = where.here()
    asked = asking.ask(place)
    now = clock.now()
    if claims is not None:
        identity = asking.supposed(asked, claims, now=now)
    else:
        import anyio

        if as_ is None and not (place.state / "sign-ins").is_dir():
            raise NobodyNamed
        identity = anyio.run(asking.verified, asked, as_, place.state)
    circumstances = asking.moment(at, now=now), asking.place(from_)
    found = [takeable(asked.rules, name, role, identity, circumstances) for name, role in asked.settings.roles.items()]
    if json:
        shown = [{"role": one.role, "arn": one.arn, "may": one.may, "because": one.because} for one in found]
        print(output.json_line({"roles": shown}))
    else:
        print(text(found))
    return DONE if any(one.may for one in found) else DENIED


def takeable(
    rules: RuleSet,
    name: str,
    role: RoleSettings,
    identity: Identity,
    circumstances: tuple[datetime, Fact[Address]],
) -> Takeable:
    """Ask the rules about one role and everything that can be called."""
    at, address = circumstances
    may: list[str] = []
    yes: dict[str, None] = {}
    no: dict[str, None] = {}
    for target in rules.targets:
        question = asking.question(target.name, identity, at=at, address=address, role=name)
        found = explain(rules, question)
        if isinstance(found.decision, Allow):
            may.append(target.name)
            yes.update(dict.fromkeys(one.because for one in found.decision.reasons))
        elif any(name in one.roles for one in found.weighed):
            no.update(dict.fromkeys(f"{target.name}: {one.because}" for one in found.decision.reasons))
    because = tuple(yes or no) or (f"no rule offers {name}",)
    return Takeable(role=name, arn=role.arn, may=tuple(may), because=because)


def text(found: Sequence[Takeable]) -> str:
    """Write the roles that may be taken, then those that may not."""
    if not found:
        return "the settings have no roles"
    lines: list[str] = []
    for one in sorted(found, key=lambda one: not one.may):
        verdict = f"for {', '.join(one.may)}" if one.may else "may not be taken now"
        lines += [f"{one.role}  {one.arn}  {verdict}", *(f"  {sentence}" for sentence in one.because)]
    return output.plain("\n".join(lines))
