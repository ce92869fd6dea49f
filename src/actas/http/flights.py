"""Requests that are being answered: how many there are, and when the last one is over."""

import anyio


class Flights:
    """Counts requests. The doors write to ``now`` themselves: a call would cost as much as what it counts."""

    __slots__ = ("_landed", "now")

    def __init__(self) -> None:
        self.now = 0
        """How many there are."""
        self._landed: anyio.Event | None = None

    def land(self) -> None:
        """Count one less."""
        self.now -= 1
        if not self.now and self._landed is not None:
            self._landed.set()
            self._landed = None

    async def landed(self) -> None:
        """Wait until there is none. Whoever waits sees to it that no more are begun."""
        while self.now:
            self._landed = self._landed or anyio.Event()  # one for all who wait: several changes may follow each other
            await self._landed.wait()
