"""Tell whether a grant that was made then still stands, by the watermarks."""

from datetime import datetime

from actas.identify.watermarks import is_revoked
from actas.model.decision import Grant
from actas.store.watermarks import Watermarks


def is_over(marks: Watermarks, grant: Grant, began: datetime | None) -> bool:
    """Ask the marks of the role, and of whoever it was granted to or of the session that was shown for it."""
    if began is not None and grant.role is not None and marks.ended(marks.of_session(grant.role.arn, began)):
        return True
    if grant.parent is not None:
        return marks.ended(grant.parent.marks)
    return is_revoked(grant.identity, marks)
