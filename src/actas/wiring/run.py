"""Run the gateway: open the parts, listen, follow the settings, stop when told to."""

import logging
import signal
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from actas.decide.ruleset import RuleSet
from actas.gateway import Gateway
from actas.http import control
from actas.http.admin import Admin
from actas.http.calls import CallDoor
from actas.http.metrics import Figures
from actas.http.server import serving
from actas.identify.renewing import RingState
from actas.invoke.local.machine import probe
from actas.model import clock
from actas.settings.mistakes import Mistake
from actas.settings.reader import Loaded
from actas.settings.reload import Watch
from actas.wiring import doors, load
from actas.wiring.admin import Actions
from actas.wiring.furnish import Furnished
from actas.wiring.parts import Parts, parts

log = logging.getLogger("actas")
LAST_ANSWERS = 1.0
"""Seconds for what is written already to leave, when every call is over or out of time."""
LAST_CALLS = 60.0
"""Seconds beyond its function's own time for which a call may keep a backend that new settings do not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A gateway that takes calls."""

    public: str
    control: str
    settings: Path
    parts: Parts
    ready: Callable[[], Mapping[str, Any]] = field(repr=False)


Told = Callable[[Running], Coroutine[Any, Any, None]]


async def run(
    path: Path,
    *,
    weak: bool = False,
    on_ready: Told | None = None,
    on_broken: Callable[[tuple[Mistake, ...]], None] = lambda _: None,
    on_change: Callable[[Loaded], None] = lambda _: None,
    stop: anyio.Event | None = None,
) -> None:
    """Serve the settings at *path* until a signal or *stop*; raise `BrokenSettings` where they cannot be used.

    With *weak*, ``isolation: weak`` is taken, and used where this machine allows nothing better.
    """

    def read() -> Loaded:
        return load.load(path, weak=weak, today=clock.now().date(), isolation="weak" if weakly else None)

    weakly = weak and not (await anyio.to_thread.run_sync(probe)).isolated
    watch = Watch(load=read, on_change=_never)
    loaded = watch.start()
    settings = loaded.usable()
    async with parts(loaded, settings) as made:
        if any(one.python or one.node for one in settings.functions.values()):
            await made.pool.open()
        await made.identify.prefetch()
        house = _House(made, Furnished(loaded, settings, made), watch)
        watch.on_change, watch.on_broken = house.change(on_change), on_broken
        try:
            async with anyio.create_task_group() as tasks:
                house.tasks = tasks
                tasks.start_soon(watch.run)
                for job in doors.jobs(house):
                    tasks.start_soon(job)
                await _listen(house, path, on_ready, stop or anyio.Event(), settings.gateway.grace.seconds)
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await house.close()


class _House:
    """What stands at the moment, and how it is swapped."""

    def __init__(self, made: Parts, furnished: Furnished, watch: Watch) -> None:
        self.parts, self.furnished, self.watch = made, furnished, watch
        self.stopping = False
        self.gateway = Gateway(furnished.house, clock.now)
        told = control.Told(ready=self.ready, jwks=made.jwks, issuer=furnished.settings.gateway.control_url)
        self.public = CallDoor(self.gateway, furnished.front, control.public_app(told, doors.public(self)))
        self.admin = Admin(self.gateway, furnished.front)
        figures = Figures(
            calls=self.gateway.ended, strangers=self.gateway.strangers, gauges=self.gauges, sources=self.event_sources,
            spreads=lambda: {} if made.ears is None else {"access_end_seconds": made.ears.ends},
        )  # fmt: skip
        made.admin = Actions(made, self, figures).backends()
        furnished.add_admin(made.admin)
        pages = [*self.admin.routes(), *doors.control(self)]
        self.control = control.ControlDoor(told, pages, furnished.front)
        made.pool.doors.public, made.pool.doors.control = self.public, self.control
        self.tasks: TaskGroup | None = None
        self._leaving: list[Furnished] = []

    @property
    def rules(self) -> RuleSet:
        """The rules in use."""
        return self.furnished.rules

    def change(self, told: Callable[[Loaded], None]) -> Callable[[Loaded], Awaitable[None]]:
        """Give what takes new settings into use, all at once."""

        async def on_change(loaded: Loaded) -> None:
            settings = loaded.usable()
            after = Furnished(loaded, settings, self.parts, self.furnished)
            self.parts.identify.replace(settings.providers)
            before, self.furnished = self.furnished, after
            after.front.is_stopping = before.front.is_stopping
            self.gateway.house = after.house
            self.public.front = self.admin.front = self.control.front = after.front
            self.parts.audit.reloaded(after.rules.generation)
            told(loaded)
            assert self.tasks is not None
            self._leaving.append(before)
            self.tasks.start_soon(self._leave, before, after)

        return on_change

    async def _leave(self, before: Furnished, after: Furnished) -> None:
        """Close what *after* has no use for, when the calls are over that began with it."""
        left = before.left_over(after)
        longest = max((one.timeout.seconds for one in before.settings.functions.values()), default=0.0)
        try:
            with anyio.move_on_after(longest + LAST_CALLS):
                for one in tuple(self._leaving):  # also those before it, that had the same backends
                    await one.front.flights.landed()
        finally:
            self._leaving.remove(before)
            with anyio.CancelScope(shield=True):
                for backend in left:
                    await backend.close()

    async def drained(self) -> None:
        """Begin no more calls, and wait until those in flight are over."""
        self.furnished.front.is_stopping = True
        for one in (*self._leaving, self.furnished):
            await one.front.flights.landed()

    async def close(self) -> None:
        """Close every backend."""
        for backend in self.furnished.backends.values():
            await backend.close()

    def event_sources(self) -> Mapping[str, Mapping[str, float]]:
        """Give the figures of each source of events."""
        return {} if self.parts.ears is None else self.parts.ears.by_source()

    def gauges(self) -> dict[str, float]:
        """Give the figures that are read when they are asked for."""
        state, trail, settings = self.watch.state, self.parts.audit.state(), self.furnished.settings
        days_left = self.parts.identify.certificate_days_left()
        return {
            "ready": float(bool(self.ready()["ready"])),
            "settings_generation": state.generation,
            "settings_broken": float(state.broken is not None),
            "observing": float(settings.mode == "observe"),
            "isolation_weak": float(settings.gateway.isolation == "weak"),
            "audit_kept": trail.kept,
            "audit_gaps": trail.gaps,
            "audit_queued": trail.queued,
            "audit_trouble": float(trail.trouble is not None),
            "audit_behind": trail.behind,
            "audit_followers_failing": len(trail.failing),
            "audit_unpruned": trail.unpruned is not None,
            "clock_ahead": max(self.parts.exchange.ahead.values(), key=abs, default=0.0),
            "sessions": len(self.parts.sessions),
            "processes": len(self.parts.pool.pool),
            "requests_in_flight": sum(one.front.flights.now for one in (*self._leaving, self.furnished)),
            "providers_unusable": sum(not one.ready for one in self.parts.identify.state()),
            "lookups_failing": sum(one.error is not None for one in self.parts.identify.lookup_state()),
            **({} if self.parts.later is None else self.parts.later.gauges()),
            **({} if self.parts.ears is None else self.parts.ears.gauges()),
            **({} if days_left is None else {"saml_certificate_days": days_left}),
        }

    def ready(self) -> Mapping[str, Any]:
        """Tell the state of each part."""
        state = self.watch.state
        broken = state.broken
        trail = self.parts.audit.state()
        return {
            "ready": not self.stopping and trail.trouble is None,
            "settings": {
                "generation": state.generation,
                "digest": state.digest[:16],
                "loaded_at": state.loaded_at.isoformat(timespec="seconds"),
                "broken": None if broken is None else len(broken),
            },
            "mode": self.furnished.settings.mode,
            "isolation": self.furnished.settings.gateway.isolation,
            "audit": {
                "ready": trail.trouble is None,
                "trouble": trail.trouble and trail.trouble.code,
                "failing": trail.failing,
                "unpruned": trail.unpruned and trail.unpruned.code,
            },
            "providers": [_told(one) for one in self.parts.identify.state()],
            "events": None if self.parts.ears is None else self.parts.ears.ready(),
            "lookups": [{"provider": one.provider, "error": one.error} for one in self.parts.identify.lookup_state()],
        }


async def _listen(house: _House, path: Path, on_ready: Told | None, stop: anyio.Event, grace: float) -> None:
    gateway = house.furnished.settings.gateway
    async with (
        serving(house.public, gateway.listen, grace=LAST_ANSWERS) as public,
        serving(house.control, gateway.control_listen, grace=LAST_ANSWERS) as controlled,
        anyio.create_task_group() as tasks,
    ):
        if threading.current_thread() is threading.main_thread():  # elsewhere there are none to hear, only *stop*
            tasks.start_soon(_until_signal, stop)
        tasks.start_soon(house.public.patience.run)
        if on_ready is not None:
            running = Running(public=public, control=controlled, settings=path, parts=house.parts, ready=house.ready)
            tasks.start_soon(on_ready, running)
        await stop.wait()
        house.stopping = True
        with anyio.move_on_after(grace):
            await house.drained()
        tasks.cancel_scope.cancel()


def _told(ring: RingState) -> Mapping[str, Any]:
    """Tell how a provider's keys fare: since when they cannot be renewed, so that it is seen before they are stale."""
    return {
        "provider": ring.provider,
        "ready": ring.ready,
        "keys": ring.keys,
        "fetched_at": ring.fetched_at and ring.fetched_at.isoformat(timespec="seconds"),
        "failing_since": ring.stale_since and ring.stale_since.isoformat(timespec="seconds"),
        "error": ring.error,
    }


async def _until_signal(stop: anyio.Event) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            stop.set()
            return


async def _never(_loaded: Loaded) -> None:
    """Stand in until there is a house to change."""
