"""The demo's provider tells the gateway what happens to its people, as a provider with webhooks does."""

import logging

import anyio

log = logging.getLogger("actas")
_MOST, _TRIES, _PAUSE = 1000, 30, 1.0


class Events:
    """Events on their way from the demo's provider to the gateway."""

    def __init__(self) -> None:
        self._put, self._waiting = anyio.create_memory_object_stream[str](_MOST)
        self._place = ""
        self._placed = anyio.Event()

    def tell(self, event: str) -> None:
        """Take one event; where too many wait the demo forgets it."""
        try:
            self._put.send_nowait(event)
        except anyio.WouldBlock:
            log.warning("the demo's provider has told more than the gateway takes")

    def to(self, url: str) -> None:
        """Say where the gateway hears them."""
        self._place = url
        self._placed.set()

    async def run(self) -> None:
        """Push one after the other, each until it is taken."""
        import httpx

        await self._placed.wait()
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            async for event in self._waiting:
                for _ in range(_TRIES):
                    try:
                        status = (await client.post(self._place, content=event)).status_code
                    except httpx.HTTPError:
                        status = 0
                    if status in (204, 404):  # taken; or the settings have no such source
                        break
                    await anyio.sleep(_PAUSE)
