"""Which roles' sessions at AWS an event cuts, and the jobs that do it. Pure.

What ends in one second is one cut: AWS counts a session's time in whole seconds, and IAM takes few changes at once.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

QUEUE: Final = "cuts"
_SECOND: Final = timedelta(seconds=1)


class CutRole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cut the sessions of a role that were issued before."""

    role: str
    """Its name in the settings."""
    before: datetime


def job(role: str, heard_at: datetime) -> tuple[str, CutRole]:
    """Give the key and the job for what was heard then; the same for all of one second."""
    before = datetime.fromtimestamp(int(heard_at.timestamp()), UTC) + _SECOND
    return f"{role}@{int(before.timestamp())}", CutRole(role=role, before=before)
