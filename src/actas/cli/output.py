"""What the terminal shows, as text: functions take values and give text, so that a test can read every character.

Verdict first, then why, then what to do. One thing a line.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from actas.decide.explain import Explained, Weighed
from actas.identify.explain import Explanation
from actas.model.decision import Allow
from actas.model.facts import Known
from actas.model.identity import Identity


def error_text(code: str, message: str, hint: str) -> str:
    """Write an error with its code and what to do."""
    return f"error[{code}]: {message}\n  hint: {hint}"


def error_json(code: str, message: str, hint: str) -> str:
    """Write the same as data."""
    return json_line({"error": {"code": code, "message": message, "hint": hint}})


_HARMLESS = "\n\t\u00a0"
"""The last is a space that does not break, with which tracebacks in Lambda are indented."""


def plain(text: str) -> str:
    """Keep what others wrote from giving orders to the terminal; lines and tabs stay."""
    return "".join(letter if letter.isprintable() or letter in _HARMLESS else "?" for letter in text)


def json_line(value: Mapping[str, Any]) -> str:
    """Write one object on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def refusal_text(reasons: Sequence[Mapping[str, Any]]) -> str:
    """Write a no with its reasons."""
    return plain("\n".join(["denied", *(f"  {reason.get('because')}  [{reason.get('code')}]" for reason in reasons)]))


def explained_text(found: Explained) -> str:
    """Write a decision, its reasons, every rule that bears on it, and what would help."""
    verdict = "allow" if isinstance(found.decision, Allow) else "deny"
    lines = [verdict, *(f"  {one.because}  [{one.code}]" for one in found.decision.reasons)]
    for one in found.weighed:
        lines += ["", *_weighed_lines(one)]
    if found.others:
        rules = "1 other rule speaks" if found.others == 1 else f"{found.others} other rules speak"
        lines += ["", f"{rules} of other functions"]
    if found.helps:
        lines += ["", "what it would take"]
        lines += [f"  {one}" for one in found.helps]
    return "\n".join(lines)


def _weighed_lines(one: Weighed) -> list[str]:
    state = "applies" if one.applies else "does not apply"
    roles = f", as {' or '.join(one.roles)}" if one.roles else ""
    width = max((len(condition.key) for condition in one.conditions), default=0)
    head = f"{one.rule}  ({one.effect}{roles}): {state}"
    return [head, *(f"  {c.truth:<7}  {c.key:<{width}}  {c.wants}" for c in one.conditions)]


def explained_json(found: Explained) -> str:
    """Write the same as data."""
    allowed = isinstance(found.decision, Allow)
    role = found.decision.grant.role.name if isinstance(found.decision, Allow) and found.decision.grant.role else None
    return json_line(
        {
            "verdict": "allow" if allowed else "deny",
            "role": role,
            "reasons": [asdict(one) for one in found.decision.reasons],
            "rules": [asdict(one) for one in found.weighed],
            "other_rules": found.others,
            "helps": list(found.helps),
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """What a caller may do with one thing that can be called."""

    target: str
    allowed: bool
    role: str | None
    because: str


def right(target: str, found: Explained) -> Right:
    """Sum up a decision about *target*."""
    decision = found.decision
    role = decision.grant.role.name if isinstance(decision, Allow) and decision.grant.role else None
    return Right(target=target, allowed=isinstance(decision, Allow), role=role, because=decision.reasons[0].because)


def facts(identity: Identity) -> dict[str, Any]:
    """Give what rules can be written about; what is missing by how it is missing."""
    kind = Known(identity.kind.value.value) if isinstance(identity.kind, Known) else identity.kind
    single = {"kind": kind, "client": identity.client, "mfa": identity.mfa}
    several = {"groups": identity.groups, "roles": identity.roles, "scopes": identity.scopes}
    found: dict[str, Any] = {"provider": identity.provider, "subject": identity.subject}
    for name, fact in {**single, **several}.items():
        value = fact.value if isinstance(fact, Known) else {"missing": fact.value}
        found[name] = sorted(value) if isinstance(value, frozenset) else value
    if isinstance(identity.aws, Known) and identity.aws.value.roles:
        found["claims"] = [one.role_arn for one in identity.aws.value.roles]
    return found


def _shown(value: object) -> str:
    match value:
        case bool():
            text = "yes" if value else "no"
        case dict():
            text = f"({value['missing']})"
        case list():
            text = ", ".join(value) or "(none)"
        case _:
            text = str(value)
    return plain(text)


def fact_lines(identity: Identity) -> list[str]:
    """Write what rules can be written about, one thing a line."""
    return [f"  {name:<8}  {_shown(value)}" for name, value in facts(identity).items()]


def who_text(found: Explanation, rights: Sequence[Right], *, supposed: bool = False) -> str:
    """Write the steps from token to identity, then from identity to rights."""
    verdict = "believed" if found.identity is not None else "not believed"
    lines = ["supposed: nothing was verified" if supposed else verdict]
    width = max((len(step.name) for step in found.steps), default=0)
    lines += [f"  {step.name:<{width}}  {step.sentence}  [{step.code}]" for step in found.steps]
    allowed = [one for one in rights if one.allowed]
    if found.identity is not None:
        lines += [
            "",
            "the rules see",
            *fact_lines(found.identity),
        ]
        lines += ["", "may call now" if allowed else "may call nothing now"]
        wide = max((len(one.target) for one in allowed), default=0)
        lines += [f"  {one.target:<{wide}}  {one.because}" for one in allowed]
    return "\n".join(lines)


def who_json(found: Explanation, rights: Sequence[Right], *, supposed: bool = False) -> str:
    """Write the same as data."""
    return json_line(
        {
            "believed": found.identity is not None and not supposed,
            "supposed": supposed,
            "steps": [asdict(step) for step in found.steps],
            "facts": None if found.identity is None else facts(found.identity),
            "rights": [asdict(one) for one in rights],
        }
    )
