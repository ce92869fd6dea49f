"""What we know of a caller, and how well: known, absent, overflowed or unknown.

``groups: [finance]`` in a token is *known*. No ``groups`` claim at all is *absent*; what that means is said per
provider (``absent: empty`` makes it a known empty set, ``absent: unknown``, the default, leaves it out of the
caller's favour). A token that says "there were too many to list" is *overflowed*. A look-up that failed leaves
the fact *unknown*. Whatever is not known is never in the caller's favour.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """A fact with its value."""

    value: T
    by_absence: bool = False
    """True where the provider said nothing and its settings say that nothing means empty."""


class Missing(Enum):
    """A fact without a value, and why."""

    ABSENT = "absent"
    OVERFLOWED = "overflowed"
    UNKNOWN = "unknown"


Fact = Known[T] | Missing
