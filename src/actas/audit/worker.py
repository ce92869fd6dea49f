"""One thread of our own for the disk: work is done in turn, and the event loop is told when it is done.

A measured exception to "blocking calls go through `anyio.to_thread`": a hop to a pooled thread and back costs 80 us of
CPU, this one 20, and it is paid once a batch. And a pool shared with others could keep the trail waiting.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

_Work = tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]", Callable[..., None], tuple[Any, ...]]


class Worker:
    """A thread that ends with the process even if the disk never answers."""

    def __init__(self, name: str) -> None:
        self._work: SimpleQueue[_Work | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Take work from now on."""
        self._thread.start()

    def stop(self) -> None:
        """End after the work that was given."""
        self._work.put(None)

    async def do(self, work: Callable[..., None], *what: object) -> None:
        """Return when *work* is done, or raise what it raises; who is cancelled while waiting cancels only the wait."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._work.put((loop, future, work, what))
        await future

    def _run(self) -> None:
        while (given := self._work.get()) is not None:
            loop, future, work, what = given
            error = None
            try:
                work(*what)
            except BaseException as wrong:  # noqa: BLE001 - it is raised where the work was asked for
                error = wrong
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits any more
                loop.call_soon_threadsafe(_tell, future, error)


def _tell(future: "asyncio.Future[None]", error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
