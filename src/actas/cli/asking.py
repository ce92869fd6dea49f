"""What the commands that ask the rules share: the settings, the caller, the question."""

from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import anyio
import msgspec

from actas.cli.errors import BadFile, BadMoment
from actas.cli.places import Here
from actas.decide.ruleset import RuleSet
from actas.identify import Identify
from actas.identify.errors import IdentifyError
from actas.identify.explain import Explanation
from actas.identify.saml_edges import SamlEdges
from actas.model import clock
from actas.model.call import Address
from actas.model.decision import Question
from actas.model.facts import Fact, Known, Missing
from actas.model.identity import Identity
from actas.settings.reader import Loaded
from actas.settings.schema import Settings
from actas.wiring import load
from actas.wiring.saml_parts import own_keys_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The rules to ask, and who can be asked about."""

    loaded: Loaded
    settings: Settings
    rules: RuleSet
    identify: Identify


def ask(where: Here) -> Asked:
    """Read the settings and make the rules ready."""
    loaded = load.load(where.found(), weak=True, today=clock.now().date())
    settings = loaded.usable()
    return Asked(
        loaded=loaded,
        settings=settings,
        rules=RuleSet(settings, load.policies(loaded, settings), load.trusts(loaded, settings)),
        identify=Identify(
            settings.providers,
            base_dir=loaded.path.parent,
            saml=SamlEdges(control_url=settings.gateway.control_url),
            own=own_keys_of(settings, where.state),
        ),
    )


def supposed(asked: Asked, file: Path, *, now: datetime) -> Identity:
    """Suppose a caller with the claims in *file*; nothing is verified."""
    try:
        claims: Any = msgspec.json.decode(file.read_bytes())
    except (OSError, msgspec.DecodeError) as wrong:
        raise BadFile(file=file, why="it is not a JSON object of claims") from wrong
    if not isinstance(claims, dict):
        raise BadFile(file=file, why="it is not a JSON object of claims")
    try:
        return asked.identify.suppose(claims, now=now)
    except IdentifyError as wrong:
        raise BadFile(file=file, why=wrong.message) from wrong


async def verified(asked: Asked, as_: str | None, state: Path) -> Identity:
    """Verify the caller behind ``--as``: a stored sign-in or a person of the demo."""
    from actas.cli.signins import token_for
    from actas.model.evidence import BearerToken

    return await asked.identify.verify(BearerToken(shown=await token_for(as_, state)), now=clock.now())


async def responded(asked: Asked, file: Path, *, now: datetime) -> Explanation:
    """Tell what a SAML response says, in a file as XML or as the field of a form; it is not used up."""
    from actas import saml
    from actas.identify.saml_explain import explain_response

    try:
        content = (await anyio.Path(file).read_bytes()).strip()
        xml = content if content.startswith(b"<") else saml.decode_post(content.decode("ascii"))
    except (OSError, UnicodeDecodeError, saml.SamlError) as wrong:
        raise BadFile(file=file, why="it is neither XML nor the base64 of a form") from wrong
    return await explain_response(asked.identify.saml, xml, now=now)


async def shown(asked: Asked, token: str, *, now: datetime) -> Explanation:
    """Tell who a token is: a provider's, or one of our own."""
    if asked.identify.own is not None and asked.identify.own.is_ours(token):
        from actas.identify.saml_explain import explain_own

        return explain_own(asked.identify, token, now=now)
    return await asked.identify.explain(token, now=now)


def moment(text: str | None, *, now: datetime) -> datetime:
    """Read ``--at``: an ISO 8601 time, or ``23:00`` of today; in UTC where it says no zone."""
    if text is None:
        return now
    try:
        if len(text) == 5 and text[2] == ":":
            return now.replace(hour=int(text[:2]), minute=int(text[3:]), second=0, microsecond=0)
        found = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise BadMoment(found=text) from wrong
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def place(text: str | None) -> Fact[Address]:
    """Read ``--from``: an address; unknown where there is none."""
    if text is None:
        return Missing.UNKNOWN
    try:
        return Known(ip_address(text))
    except ValueError as wrong:
        raise BadMoment(found=text) from wrong


def question(
    function: str, identity: Identity, *, at: datetime, address: Fact[Address], role: str | None = None
) -> Question:
    """Ask about ``report`` or ``orders:GET /orders/{id}``."""
    name, colon, route = function.partition(":")
    if name == "admin":
        name, route = function, ""
    return Question(
        identity=identity,
        function=name,
        route=(route or None) if colon else None,
        at=at,
        address=address,
        requested_role=role,
    )
