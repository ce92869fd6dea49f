"""``actas saml dry-run``: a sign-in with a known user or a kept response, up to the session that would be issued.

Nothing is used up, nothing is issued, nothing is called, and nothing of a person is printed but what rules see.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from actas import saml
from actas.assume.policies import work_policy
from actas.cli import DENIED, DONE, asking, output, saml_asking
from actas.cli.errors import NobodyNamed
from actas.cli.options import HERE, Where
from actas.cli.saml_asking import SamlAsked
from actas.decide.explain import explain as decide_and_explain
from actas.identify.errors import IdentifyError
from actas.identify.saml_believe import believe
from actas.model.call import Address
from actas.model.decision import Allow, Grant
from actas.model.facts import Fact
from actas.model.identity import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Would:
    """What would become of a call of one function."""

    target: str
    because: str
    grant: Grant | None


def dry_run(
    *,
    provider: str,
    response: Path | None = None,
    user: str | None = None,
    at: str | None = None,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    role: str | None = None,
    where: Where = HERE,
    json: bool = False,
) -> int:
    """Try a sign-in step by step: signature, conditions, attributes, rules, and the session that would be issued.

    Ends with 0 only if a function could be run.

    For example:
        actas saml dry-run --provider ping --response response.xml
        actas saml dry-run --provider corp --user alice
        actas saml dry-run --provider ping --response old.b64 --at 2026-11-23T09:00:00Z

    Parameters
    ----------
    provider:
        The provider's name in the settings.
    response:
        A file with the response: XML, its base64, or the form that a browser sent; - reads standard input.
    user:
        Sign in as this user at the provider, by its own form; the password is asked for, or read from
        ACTAS_SAML_PASSWORD.
    at:
        When: 2026-11-23T23:00:00Z, or 23:00 (UTC); by default now.
    from_:
        The client's address; by default unknown.
    role:
        The role that would be asked for.
    json:
        Print one JSON object.
    """
    import anyio

    if (response is None) == (user is None):
        raise NobodyNamed
    asked = saml_asking.ask(where.here())
    now, address = saml_asking.moment(at), asking.place(from_)
    if response is not None:
        xml = saml_asking.read_document(response)
    else:
        from actas.cli.saml_signing_in import sign_in

        xml = anyio.run(sign_in, asked, provider, user, now)
    steps, identity = anyio.run(_believed, asked, provider, xml, now)
    would = () if identity is None else _would(asked, identity, now, address, role)
    tell = _json if json else _text
    print(tell(steps, identity, would, now))
    return DONE if any(one.grant is not None for one in would) else DENIED


async def _believed(
    asked: SamlAsked, provider: str, xml: bytes, now: datetime
) -> tuple[tuple[saml.Step, ...], Identity | None]:
    """Verify the response, and make an identity of it."""
    profile = asked.providers.profile(provider)
    known = await asked.providers.known(provider, now=now)
    keys = asked.providers.decryption_keys(provider)
    try:
        seen = saml.look(xml, decryption_keys=keys, old_ciphers=profile.old_ciphers)
    except saml.SamlError as wrong:
        return (saml.Step(name="document", code=wrong.code, sentence=f"{wrong.message}. {wrong.hint}"),), None
    found = saml.explain(
        xml,
        known.trust,
        audience=profile.audience,
        recipient=saml_asking.recipient(profile, seen),
        now=now,
        leeway=profile.leeway,
        allow_sha1=profile.allow_sha1,
        old_ciphers=profile.old_ciphers,
        decryption_keys=keys,
        require=asked.providers.require(provider),
        uses=saml_asking.uses_in(profile, dict.fromkeys(seen.attributes, ())),
    )
    if found.assertion is None:
        return found.steps, None
    try:
        return found.steps, believe(found.assertion, profile, now=now)
    except IdentifyError as wrong:
        step = saml.Step(name="identity", code=wrong.code, sentence=f"{wrong.message}. {wrong.hint}")
        return (*found.steps, step), None


def _would(
    asked: SamlAsked, identity: Identity, now: datetime, address: Fact[Address], role: str | None
) -> tuple[Would, ...]:
    """Ask the rules about everything there is."""
    found = []
    for target in asked.asked.rules.targets:
        if target.name.startswith("admin:"):
            continue
        question = asking.question(target.name, identity, at=now, address=address, role=role)
        decision = decide_and_explain(asked.asked.rules, question).decision
        grant = decision.grant if isinstance(decision, Allow) else None
        found.append(Would(target=target.name, because=decision.reasons[0].because, grant=grant))
    return tuple(found)


def _session(grant: Grant, now: datetime) -> dict[str, Any] | None:
    """Describe the session that the function would get."""
    if grant.role is None:
        return None
    ends = min(now + grant.role.session, grant.expires_at)
    return {
        "role": grant.role.name,
        "arn": grant.role.arn,
        "until": f"{ends:%Y-%m-%dT%H:%M:%SZ}",
        "rules": [one.id for one in grant.rules],
        "fence": list(grant.fence),
        "policy": work_policy(grant.fence, grant.role.policy),
    }


def _text(steps: Sequence[saml.Step], identity: Identity | None, would: Sequence[Would], now: datetime) -> str:
    allowed = [one for one in would if one.grant is not None]
    lines = ["a function could be run" if allowed else "no function could be run", ""]
    width = max((len(one.name) for one in steps), default=0)
    lines += [f"  {one.name:<{width}}  {one.sentence}  [{one.code}]" for one in steps]
    if identity is not None:
        lines += ["", "the rules see", *output.fact_lines(identity), "", "decisions"]
        wide = max((len(one.target) for one in would), default=0)
        lines += [
            f"  {'allow' if one.grant is not None else 'deny':<5}  {one.target:<{wide}}  {one.because}" for one in would
        ]
    for one in allowed:
        assert one.grant is not None
        session = _session(one.grant, now)
        if session is None:
            lines += ["", f"{one.target} would run without a role"]
            continue
        lines += ["", f"{one.target} would run as {session['role']}", f"  role    {session['arn']}"]
        lines += [f"  until   {session['until']}", f"  rules   {', '.join(session['rules'])}"]
        lines += [f"  policy  {session['policy']}"]
    return output.plain("\n".join(lines))


def _json(steps: Sequence[saml.Step], identity: Identity | None, would: Sequence[Would], now: datetime) -> str:
    return output.json_line(
        {
            "could_run": any(one.grant is not None for one in would),
            "steps": [asdict(one) for one in steps],
            "facts": None if identity is None else output.facts(identity),
            "decisions": [
                {
                    "target": one.target,
                    "allowed": one.grant is not None,
                    "because": one.because,
                    "session": None if one.grant is None else _session(one.grant, now),
                }
                for one in would
            ],
        }
    )
