"""``actas audit officer``, ``approve``, ``unmask``, ``erase``: whom the trail speaks of, and how it forgets them."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actas.cli import CANNOT_TELL, DONE, output
from actas.cli.errors import AlreadyThere, CannotWrite
from actas.cli.options import HERE, Where
from actas.model import clock

if TYPE_CHECKING:
    from actas.audit import Audit
    from actas.audit.boxes import Person


def officer(name: Path, *, json: bool = False) -> int:
    """Make an officer's key pair: NAME.key stays with the officer, NAME.pub goes into audit.officers.

    It takes two officers and a reason to learn whom a pseudonym stands for.

    For example:
        actas audit officer dalia

    Parameters
    ----------
    name:
        Where to write the two files, without an ending.
    json:
        Print one JSON object.
    """
    from actas.audit.officers import make_officer

    private, public = (name.with_name(f"{name.name}.{ending}") for ending in ("key", "pub"))
    for file in (private, public):
        if file.exists():
            raise AlreadyThere(file=file)
    try:
        made = make_officer(private, public)
    except OSError as wrong:
        raise CannotWrite(file=private, why=wrong.strerror or "it cannot be written") from wrong
    _say({"officer": made, "private": str(private), "public": str(public)}, f"officer {made}", json=json)
    print(f"  {private}  keep it from the gateway and from everybody else", file=sys.stderr)
    print(f"  {public}  list it under audit.officers in the settings", file=sys.stderr)
    return DONE


def approve(
    pseudonym: str,
    *,
    key: Path,
    partner: Path,
    reason: str,
    where: Where = HERE,
    json: bool = False,
) -> int:
    """Consent, as the first officer, that the second unmasks a pseudonym; prints a line to hand over.

    For example:
        actas audit approve p4u56tezb... --key dalia.key --partner emi.pub --reason "case 17"

    Parameters
    ----------
    pseudonym:
        The name in the trail.
    key:
        Your private key file.
    partner:
        The other officer's public key file.
    reason:
        Why; it is recorded.
    json:
        Print one JSON object.
    """
    import anyio

    from actas.audit import unmask as two
    from actas.audit.officers import read_private, read_public

    async def approved() -> str:
        audit = audit_of(where)
        async with audit.attended():
            given = await two.approve(
                audit, pseudonym, officer=read_private(key), partner=read_public(partner), reason=reason
            )
        return given.written()

    written = anyio.run(approved)
    _say({"approval": written}, written, json=json)
    return DONE


def unmask(approval: str, *, key: Path, where: Where = HERE, json: bool = False) -> int:
    """Learn, as the second officer, whom a pseudonym stands for; the trail records it first.

    For example:
        actas audit unmask actas-approval-... --key emi.key

    Parameters
    ----------
    approval:
        The line that the first officer handed over.
    key:
        Your private key file.
    json:
        Print one JSON object.
    """
    import anyio

    from actas.audit import unmask as two
    from actas.audit.officers import read_private

    async def unmasked() -> "Person":
        audit = audit_of(where)
        async with audit.attended():
            return await two.unmask(audit, two.read_approval(approval), officer=read_private(key), now=clock.now())

    person = anyio.run(unmasked)
    told = output.plain(f"{person.subject}  at {person.issuer}")
    _say({"subject": person.subject, "issuer": person.issuer}, told, json=json)
    return DONE


def erase(*, issuer: str, subject: str, where: Where = HERE, json: bool = False) -> int:
    """Erase a person: delete what links them to their pseudonyms. The chain still verifies.

    For example:
        actas audit erase --issuer https://sso.example.com/realms/corp --subject 0bc6d3c6-...

    Parameters
    ----------
    issuer:
        The provider's issuer.
    subject:
        The person's stable identifier there.
    json:
        Print one JSON object.
    """
    import anyio

    from actas.audit import unmask as two

    async def erased() -> int:
        audit = audit_of(where)
        async with audit.attended():
            return await two.erase(audit, issuer=issuer, subject=subject, now=clock.now())

    rows = anyio.run(erased)
    text = f"erased {rows} {'row' if rows == 1 else 'rows'}" if rows else "nothing is kept of that person"
    _say({"erased": rows}, text, json=json)
    return DONE if rows else CANNOT_TELL


def _say(data: Mapping[str, Any], text: str, *, json: bool) -> None:
    print(output.json_line(data) if json else text)


def audit_of(where: Where) -> "Audit":
    """Make the trail that the settings speak of; it is not opened yet."""
    from actas.audit import Audit
    from actas.wiring.load import load

    place = where.here()
    loaded = load(place.found(), weak=True)
    found = loaded.usable()
    from actas.wiring import database

    return Audit(
        found.audit,
        place.state if where.state else loaded.locate(found.gateway.state),
        base=loaded.path.parent,
        database=database.url(loaded, found),
    )
