"""Learn who stands behind a pseudonym: two officers, a reason, and a record of it before anybody learns anything.

The first officer approves: her half, sealed to the second, travels as one line of text. The second brings it together
with his own. Neither key leaves its owner.
"""

import base64
import binascii
import secrets
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from actas.audit import boxes
from actas.audit.errors import ApprovalUnreadable, CannotOpen, NobodyThere
from actas.audit.officers import Officer
from actas.audit.records import Erased, Unmasked

if TYPE_CHECKING:
    from actas.audit.trail import Audit

LONGEST_REASON = 500
_PREFIX = "actas-approval-"


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One officer's consent: for one pseudonym, one partner, one reason."""

    pseudonym: str
    by: str
    to: str
    reason: str
    ephemeral: bytes
    text: bytes

    def about(self) -> bytes:
        """Give what the sealed half is bound to."""
        return _about(self.pseudonym, self.by, self.to, self.reason)

    def written(self) -> str:
        """Give the approval as one line of text."""
        return _PREFIX + base64.urlsafe_b64encode(msgspec.msgpack.encode(self)).decode()


def read_approval(text: str) -> Approval:
    """Read what `Approval.written` gave."""
    try:
        if not text.strip().startswith(_PREFIX):
            raise ApprovalUnreadable
        found = base64.b64decode(text.strip().removeprefix(_PREFIX).encode(), altchars=b"-_", validate=True)
        return msgspec.msgpack.decode(found, type=Approval)
    except (binascii.Error, UnicodeEncodeError, msgspec.DecodeError) as wrong:
        raise ApprovalUnreadable from wrong


async def approve(
    audit: "Audit", pseudonym: str, *, officer: Officer, partner: tuple[str, bytes], reason: str
) -> Approval:
    """Consent, as *officer*, that *partner* (id and public key) unmasks *pseudonym* for *reason*."""
    if not 0 < len(reason.strip()) <= LONGEST_REASON or not reason.isprintable():
        raise CannotOpen(why=f"a reason is one line of at most {LONGEST_REASON} characters")
    half = boxes.half(await _row(audit, pseudonym), pseudonym, officer.id, partner[0], officer.private)
    about = _about(pseudonym, officer.id, partner[0], reason)
    ephemeral, text = boxes.box_up(half, partner[1], about, random=secrets.token_bytes)
    return Approval(pseudonym=pseudonym, by=officer.id, to=partner[0], reason=reason, ephemeral=ephemeral, text=text)


async def unmask(audit: "Audit", approval: Approval, *, officer: Officer, now: datetime) -> boxes.Person:
    """Open the row, as the *officer* whom *approval* names; the trail has it before this returns."""
    if approval.to != officer.id:
        raise CannotOpen(why="the approval was given to another officer")
    row = await _row(audit, approval.pseudonym)
    theirs = boxes.unbox(approval.ephemeral, approval.text, officer.private, approval.about())
    ours = boxes.half(row, approval.pseudonym, officer.id, approval.by, officer.private)
    who = (approval.by, officer.id)
    await audit.keep(Unmasked(at=now, pseudonym=approval.pseudonym, officers=who, reason=approval.reason))
    return boxes.join(row, approval.pseudonym, theirs, ours)


async def erase(audit: "Audit", *, issuer: str, subject: str, now: datetime) -> int:
    """Delete every row of a person and record that rows were deleted; give how many they were."""
    erased = await audit.pseudonyms.erase(issuer, subject)
    if erased:
        await audit.keep(Erased(at=now, rows=erased))
    return erased


async def _row(audit: "Audit", pseudonym: str) -> bytes:
    if (row := await audit.pseudonyms.sealed(pseudonym)) is None:
        raise NobodyThere
    return row


def _about(*parts: str) -> bytes:
    return msgspec.json.encode(["actas approval", *parts])
