"""``actas explain`` and ``actas who``: why the rules say what they say, and who a token is."""

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from actas.cli import CANNOT_TELL, DENIED, DONE, asking, output
from actas.cli.errors import BadFile, NobodyNamed
from actas.cli.options import HERE, As, Where
from actas.decide.explain import explain as decide_and_explain
from actas.identify.explain import Explanation
from actas.model import clock
from actas.model.decision import Allow
from actas.model.identity import Identity

From = Annotated[str | None, Parameter(name="--from")]


def explain(
    function: str,
    *,
    as_: As = None,
    claims: Path | None = None,
    response: Path | None = None,
    at: str | None = None,
    from_: From = None,
    role: str | None = None,
    where: Where = HERE,
    json: bool = False,
) -> int:
    """Say whether somebody may call a function, why, and what it would take. Nothing is called.

    For example:
        actas explain payroll --as ben
        actas explain report --as ana --at 23:00 --from 192.0.2.7
        actas explain "orders:GET /orders/{id}" --claims claims.json
        actas explain report --response response.xml

    Parameters
    ----------
    function:
        A function, or one of its routes: "orders:GET /orders/{id}".
    as_:
        Who calls: a stored sign-in or a person of the demo.
    claims:
        A JSON file with the claims of a token; they are supposed to be true.
    response:
        A file with a SAML response; it is verified, and not used up.
    at:
        When: 2026-11-23T23:00:00Z, or 23:00 (UTC); by default now.
    from_:
        The client's address; by default unknown.
    role:
        The role that the call asks for.
    json:
        Print one JSON object.
    """
    place = where.here()
    asked = asking.ask(place)
    now = clock.now()
    moment = asking.moment(at, now=now)
    identity = _identity(asked, as_, claims, place.state) if response is None else _responded(asked, response, moment)
    question = asking.question(function, identity, at=moment, address=asking.place(from_), role=role)
    found = decide_and_explain(asked.rules, question)
    print(output.explained_json(found) if json else output.explained_text(found))
    return DONE if isinstance(found.decision, Allow) else DENIED


def who(
    token: str | None = None,
    *,
    as_: As = None,
    claims: Path | None = None,
    response: Path | None = None,
    at: str | None = None,
    where: Where = HERE,
    json: bool = False,
) -> int:
    """Say who a token is, step by step: from claim to fact to rule to role to function. Never prints the token.

    For example:
        actas who --as ana
        actas who eyJhbGciOi...
        actas who - < token.txt
        actas who --claims claims.json
        actas who --response response.xml

    Parameters
    ----------
    token:
        The token; - reads it from standard input.
    as_:
        A stored sign-in or a person of the demo.
    claims:
        A JSON file with the claims of a token; they are supposed to be true.
    response:
        A file with a SAML response, as XML or as the field of a form; it is verified, and not used up.
    at:
        When the response is looked at: 2026-11-23T23:00:00Z, or 23:00 (UTC); by default now.
    json:
        Print one JSON object.
    """
    import anyio

    place = where.here()
    asked = asking.ask(place)
    now = clock.now()
    if claims is not None:
        found = Explanation(steps=(), identity=asking.supposed(asked, claims, now=now))
    elif response is not None:
        found = anyio.run(partial(asking.responded, asked, response, now=asking.moment(at, now=now)))
    else:
        found = anyio.run(_explained, asked, as_, token, place.state)
    rights = () if found.identity is None else _rights(asked, found.identity)
    tell = output.who_json if json else output.who_text
    print(tell(found, rights, supposed=claims is not None))
    return DONE if found.identity is not None else CANNOT_TELL


def _identity(asked: asking.Asked, as_: str | None, claims: Path | None, state: Path) -> Identity:
    import anyio

    if claims is not None:
        return asking.supposed(asked, claims, now=clock.now())
    return anyio.run(asking.verified, asked, as_, state)


def _responded(asked: asking.Asked, response: Path, moment: datetime) -> Identity:
    import anyio

    found = anyio.run(partial(asking.responded, asked, response, now=moment))
    if found.identity is None:
        raise BadFile(file=response, why=found.steps[-1].sentence)
    return found.identity


async def _explained(asked: asking.Asked, as_: str | None, token: str | None, state: Path) -> Explanation:
    import sys

    from actas.cli.signins import token_for

    if token is None and as_ is None:
        raise NobodyNamed
    if token == "-":  # noqa: S105 - a dash is standard input
        token = sys.stdin.read().strip()
    shown = token if token is not None else (await token_for(as_, state)).reveal()
    return await asking.shown(asked, shown, now=clock.now())


def _rights(asked: asking.Asked, identity: Identity) -> tuple[output.Right, ...]:
    """Ask the rules about everything there is."""
    now = clock.now()
    found = []
    for target in asked.rules.targets:
        explained = decide_and_explain(
            asked.rules, asking.question(target.name, identity, at=now, address=asking.place(None))
        )
        found.append(output.right(target.name, explained))
    return tuple(found)
