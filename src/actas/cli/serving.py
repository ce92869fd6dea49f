"""Run a gateway in the foreground: say when it is ready, when its settings change, and when they are broken."""

import ctypes
import gc
import logging
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from actas.cli.places import Place, announce, withdraw
from actas.settings.mistakes import Mistake
from actas.settings.reader import Loaded
from actas.settings.render import render
from actas.wiring.run import Running, run

Told = Callable[[Running], Coroutine[Any, Any, None]]
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # malloc.h
_LARGE: Final = 256 * 1024
"""Bytes from which on a piece of memory is the system's again when it is free."""


def say(text: str) -> None:
    """Tell whoever watches; stdout is for answers."""
    print(text, file=sys.stderr, flush=True)


def on_broken(mistakes: tuple[Mistake, ...]) -> None:
    """Say that a change was not taken."""
    say(render(mistakes, colour=sys.stderr.isatty()))
    say("The settings were not taken; the ones before stay in use.")


def on_change(loaded: Loaded) -> None:
    """Say that a change was taken."""
    say(f"The settings in {loaded.path.name} were taken into use ({loaded.digest[:12]}).")


def settle() -> None:
    """Leave what was made at the start out of every later collection; tokens and calls make cycles of none of it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)


def hand_back() -> None:
    """Give large bodies back to the system when they are free.

    glibc raises its threshold to the first one that was freed and keeps heaps of such pieces from then on: in ten
    minutes of mixed load a gateway grew to twice its size. Other C libraries have no such threshold.
    """
    if (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE)
        mallopt(_TRIM_THRESHOLD, 4 * _LARGE)


async def serve_until_told(settings: Path, *, weak: bool = False, then: Told | None = None) -> None:
    """Serve; announce the gateway in its state folder while it runs."""
    hand_back()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")

    named = os.path.abspath(settings)  # noqa: ASYNC240, PTH100 - once, before anything runs; a link stays a link

    async def ready(running: Running) -> None:
        place = Place(
            public_url=f"http://{running.public}",
            control_url=f"http://{running.control}",
            settings=named,
            pid=os.getpid(),
        )
        announce(running.parts.state, place)
        settle()
        states.append(running.parts.state)
        if then is None:
            say(f"Ready: calls on http://{running.public}, control on http://{running.control}.")
        else:
            await then(running)

    states: list[Path] = []
    try:
        await run(settings, weak=weak, on_ready=ready, on_broken=on_broken, on_change=on_change)
    finally:
        for state in states:
            withdraw(state)
