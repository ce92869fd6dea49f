"""Functions on this machine, in the real Lambda runtime clients.

In the settings file::

    functions:
      report: {python: functions/report.py:handler, timeout: 10s, memory: 256MB}
      resize: {node: functions/resize.mjs:handler}

One process serves one version of one function for one role session, and is frozen between calls.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, Literal

import anyio

from actas.invoke import route_events
from actas.invoke.errors import InvokeError
from actas.invoke.interface import Delivery
from actas.invoke.local import code as codes
from actas.invoke.local import environment as environments
from actas.invoke.local import events
from actas.invoke.local.cgroups import sweep
from actas.invoke.local.errors import (
    BackendClosed,
    CodeNotFound,
    IsolationUnavailable,
    ProcessLost,
    SandboxFailed,
    SessionOver,
    TooManyProcesses,
    WaitedTooLong,
)
from actas.invoke.local.gate import Gate
from actas.invoke.local.job import Job, Key
from actas.invoke.local.launcher import Launcher
from actas.invoke.local.logs import Logs
from actas.invoke.local.machine import Machine, probe
from actas.invoke.local.node import find_node
from actas.invoke.local.pool import Pool
from actas.invoke.local.process import FunctionProcess
from actas.invoke.local.relay import Doors, Relay
from actas.invoke.local.spares import Spares
from actas.invoke.local.spawner import ForkServer
from actas.model import clock
from actas.model.outcome import Answered
from actas.model.secret import Secret
from actas.settings.schema import Function, Limits

_START_WITHIN: Final = 10.0
"""Lambda's own limit for loading a function."""
_PATIENCE: Final = 30.0


class LocalBackends:
    """The processes, the fork server and the limits that all local functions share."""

    def __init__(
        self,
        *,
        limits: Limits,
        log: Logs,
        isolation: Literal["required", "weak"] = "required",
        hidden: tuple[Path, ...] = (),
        region: str = "us-east-1",
        account: str = "000000000000",
        domain_name: str = "localhost",
        base: Path | None = None,
        machine: Machine | None = None,
        public_keys: Callable[[], str] | None = None,
        issuer: str = "",
        start_within: float = _START_WITHIN,
        spares: bool = True,
    ) -> None:
        """Take the settings.

        *base* is the settings file's folder; Node's runtime client is looked for below it. *hidden* are paths that no
        function may see even where its code lies around them: the state folder, files with secrets. *public_keys*
        gives our JWK Set as JSON, and *issuer* is our name in envelopes: functions find them in ``ACTAS_JWKS`` and
        ``ACTAS_ISSUER`` and verify their callers with them. *machine* is what `machine.probe` found, where that was
        done already. With *spares* one sandbox of each function is kept ready.
        """
        self._limits, self._log, self._isolation = limits, log, isolation
        self._hidden, self._base = hidden, base or Path.cwd()
        self.region, self.start_within = region, start_within
        self.account, self.domain_name = account, domain_name
        self.public_keys, self.issuer = public_keys, issuer
        self._machine = machine
        self._forks = ForkServer()
        self._launcher: Launcher | None = None
        self.doors = Doors()
        self._opening = anyio.Lock()
        self.pool = Pool(
            most=limits.processes,
            most_per_subject=limits.processes_per_subject,
            spares=Spares(wanted=spares),
        )
        self.users: Counter[tuple[str, str]] = Counter()
        """How many backends there are of each function and of what it is made of."""
        self.closed = False

    async def open(self) -> Machine:
        """Find out what this machine allows; refuse where isolation is required and cannot be had."""
        async with self._opening:
            machine = await self._look()
            if self._isolation == "required" and not machine.isolated:
                await self._forks.close()
                raise IsolationUnavailable(missing=machine.why)
            if self._launcher is None:
                sweep(machine.groups)
                node = find_node(self._base)
                self._launcher = Launcher(
                    machine=machine, forks=self._forks, hidden=self._hidden, log=self._log, node=node, doors=self.doors
                )
            return machine

    async def _look(self) -> Machine:
        """Learn what this machine allows, once, while the fork server starts."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._forks.start)
            machine = self._machine
            if machine is None:
                machine = self._machine = await anyio.to_thread.run_sync(probe)
        assert machine
        return machine

    async def launcher(self) -> Launcher:
        """Give what starts processes; open first where nobody has."""
        if self._launcher is None:
            await self.open()
        assert self._launcher
        return self._launcher

    def backend(
        self, name: str, settings: Function, base: Path, environment: Mapping[str, Secret | str] | None = None
    ) -> "LocalBackend":
        """Make the backend of one function; *base* is the folder of the settings file."""
        return LocalBackend(self, name, settings, base, environment or {})

    async def close(self) -> None:
        """End every process; nothing is left running."""
        self.closed = True
        with anyio.CancelScope(shield=True):
            await self.pool.close()
            await self.doors.close()
            await self._forks.close()


class LocalBackend:
    """Runs one local function."""

    def __init__(
        self,
        shared: LocalBackends,
        name: str,
        settings: Function,
        base: Path,
        environment: Mapping[str, Secret | str],
    ) -> None:
        self._shared, self._name, self._settings = shared, name, settings
        self._environment = environment
        self._api = events.Api(account=shared.account, domain_name=shared.domain_name)
        self._code = codes.find(settings, base)
        self._version = codes.Version(self._code)
        own = sorted(
            (name, value.reveal() if isinstance(value, Secret) else value) for name, value in environment.items()
        )
        self._made_of = f"{hash((self._code, settings.memory, tuple(own))):x}"
        shared.users[name, self._made_of] += 1
        schedule = settings.schedule
        self._gate = Gate(name, at_once=schedule.at_once, waiting=schedule.waiting, patience=_PATIENCE)

    async def invoke(self, delivery: Delivery) -> Answered:
        """Run the function."""
        outcome = await self._once(delivery)
        if isinstance(outcome, ProcessLost) and not outcome.delivered:
            outcome = await self._once(delivery)  # it never got the call, so this cannot run it twice
        if isinstance(outcome, InvokeError):
            raise outcome
        route = delivery.call.route
        if route is None:
            return outcome
        binary = self._settings.binary_media_types
        return route_events.answer(outcome, route, version=self._settings.format, binary_media_types=binary)

    async def _once(self, delivery: Delivery) -> Answered | InvokeError:
        await self._gate.enter()
        try:  # the envelope is minted at delivery: waiting must not use up its time
            job = await events.job(delivery, self._settings, self._api)
        except BaseException:
            self._gate.leave()
            raise
        job.done.add_done_callback(lambda _: self._gate.leave())
        try:
            await self._start(delivery, job)
        except BaseException:
            job.done.cancel()
            raise
        outcome = await asyncio.shield(job.done)  # a caller who hangs up does not end the function, as in Lambda
        return outcome if job.headers is None else job.headed(outcome)

    async def close(self) -> None:
        """End its processes, unless another backend of the function uses them too."""
        self._shared.users[self._name, self._made_of] -= 1
        if self._shared.users[self._name, self._made_of] <= 0:
            self._shared.pool.give_up(self._name, self._made_of)

    async def _start(self, delivery: Delivery, job: Job) -> None:
        """Give the job to a warm process, or to a new one, or, where there may be no more, to the next that is free."""
        pool, patience = self._shared.pool, _PATIENCE
        ends = asyncio.get_running_loop().time() + patience
        while True:
            self._refuse_when_closed()
            key = self._key(delivery)
            if (process := pool.take(key)) is not None:
                return process.submit(job)
            if not pool.starts.are_many(key):
                take_back = pool.starts.begin(key, job)
                try:
                    return await self._launch(key, delivery, job)
                except TooManyProcesses:
                    if not pool.may_wait(key):
                        raise
                    take_back()
            if not await pool.freed(key, patience=ends - asyncio.get_running_loop().time()):
                raise WaitedTooLong(function=self._name, seconds=patience)

    def _refuse_when_closed(self) -> None:
        if self._shared.closed:
            raise BackendClosed(function=self._name)

    async def _launch(self, key: Key, delivery: Delivery, job: Job) -> None:
        launcher = await self._shared.launcher()
        identity, work = delivery.grant.identity, delivery.sessions.work
        if work and work.expires_at <= clock.now():
            raise SessionOver(function=self._name)
        of = (key.function, key.version)
        process = self._shared.pool.spares.take(of)
        ready = process is not None
        process = process or FunctionProcess(key=key)
        ends = work.expires_at if work else None
        whose = (identity.issuer, identity.subject)
        process.belong(key, whose=whose, expires_at=ends, grant=delivery.grant, began=delivery.sessions.began)
        try:
            await self._shared.pool.add(process)
            self._refuse_when_closed()
            process.submit(job, start_within=self._shared.start_within)
            if not ready:
                await launcher.prepare(process, self._code, self._settings.memory.bytes)
            process.sandbox.start(self._build_environment(delivery, launcher, process.relay))
        except SandboxFailed:
            self._shared.pool.spares.leave(process)
            self._refuse_when_closed()
            raise
        except BaseException:
            self._shared.pool.spares.leave(process)
            raise
        if self._shared.pool.has_room:
            memory = self._settings.memory.bytes
            self._shared.pool.spares.want(
                of,
                partial(FunctionProcess, key=replace(key, session="")),
                partial(launcher.prepare, code=self._code, memory=memory),
                lasts=self._settings.idle.seconds,
            )

    def _key(self, delivery: Delivery) -> Key:
        try:
            version = f"{self._version.at(asyncio.get_running_loop().time())}+{self._made_of}"
        except OSError as wrong:
            raise CodeNotFound(function=self._name, file=self._code.file.name) from wrong
        if self._shared.public_keys:  # a process knows the keys that it was started with; after a rotation it is old
            version += f"+{hash(self._shared.public_keys()):x}"
        self._shared.pool.functions(self._name, version=version, idle=self._settings.idle.seconds)
        return Key(function=self._name, version=version, session=delivery.sessions.id)

    def _build_environment(self, delivery: Delivery, launcher: Launcher, relay: Relay | None) -> dict[str, str]:
        about = environments.About(
            function=self._name,
            handler=self._code.handler,
            task_root=launcher.task_root(self._code),
            runtime=self._code.runtime,
            version=delivery.grant.qualifier,
            memory=self._settings.memory.bytes,
            region=self._shared.region,
            log_stream=environments.log_stream(delivery.grant.qualifier, secrets.token_hex(16), clock.now()),
            ways_out={} if relay is None else relay.addresses,
        )
        own = dict(self._environment)
        if self._shared.public_keys:
            own |= {"ACTAS_JWKS": self._shared.public_keys(), "ACTAS_ISSUER": self._shared.issuer}
        return environments.build(about, own, delivery.sessions.work)
