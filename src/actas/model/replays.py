"""The socket for what may be shown once: assertions, logout messages, one-time keys.

One memory serves all doors and all replicas, so that nothing is taken at one after it was taken at another.
"""

from datetime import datetime
from typing import Protocol


class Replays(Protocol):
    """Remembers what was shown, until it would be refused for its age anyhow."""

    async def first(self, *, issuer: str, id: str, until: datetime) -> bool:  # noqa: A002 - its name in SAML
        """Remember *id* of *issuer* and tell whether it is new; of several that ask at once, one hears yes.

        *until* is when it is refused for its age: its end and the leeway. An error means that nobody knows, and then
        it must not be taken.
        """
        ...
