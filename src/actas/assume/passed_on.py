"""Assertions that may be passed on to AWS, kept for the minutes in which AWS takes them. Pure but for what it holds.

A machine trades its assertion for a token of ours and calls with that; the broker `aws-saml` needs the assertion
itself. What is kept is found by the name that the assertion has in the trail, in this gateway alone.
"""

from collections import OrderedDict
from datetime import datetime
from typing import Final

from actas.model.evidence import SamlResponse

MOST: Final = 10_000
"""How many are kept; beyond, the oldest go, and their callers trade a new one."""


class PassedOn:
    """Remembers assertions until they end."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[datetime, SamlResponse]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def remember(self, evidence_id: str, shown: SamlResponse, *, until: datetime) -> None:
        """Keep what was shown and believed."""
        self._kept[evidence_id] = until, shown
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)

    def find(self, evidence_id: str, *, now: datetime) -> SamlResponse | None:
        """Find what was shown; None where it has ended, or was not shown here."""
        found = self._kept.get(evidence_id)
        if found is None or now < found[0]:
            return None if found is None else found[1]
        del self._kept[evidence_id]
        return None
