"""What the trail keeps of a call: no name, e-mail, address, token or payload.

Structs rather than dataclasses: two are made and written for every call, and a struct costs a tenth.
"""

from datetime import datetime

import msgspec


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """Kept, durably, before a decision takes effect."""

    call: str
    at: datetime
    received_at: datetime
    identified_us: int
    """Microseconds from receiving the call to believing the caller; ``decided_us`` likewise to the decision."""
    decided_us: int
    door: str
    provider: str
    subject: str
    """The pseudonym."""
    actors: tuple[str, ...]
    """Pseudonyms of who acts, the current actor first."""
    kind: str
    evidence: str
    evidence_id: str
    function: str
    qualifier: str
    route: str | None
    verdict: str
    """``allow``, ``deny``, or ``observe``: allowed only because the rules are being observed."""
    role: str | None
    rules: tuple[str, ...]
    reasons: tuple[str, ...]
    """Reason codes."""
    generation: str
    trace: str | None = None
    root: str | None = None
    depth: int = 0


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """Kept when the call is over, also when the caller hung up."""

    call: str
    at: datetime
    outcome: str
    """``answered``, ``function-error``, ``refused``, ``failed``, ``hung-up`` or ``unknown`` (found after a crash).

    Or, where the function was not to be run: ``accepted`` (kept, to be run later) and ``dry-run``.
    """
    error: str | None = None
    """The code of what failed."""
    took_us: int | None = None
    log_hash: str | None = None
