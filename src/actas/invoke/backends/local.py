"""Functions on this machine, in the real Lambda runtime clients.

In the settings file::

    functions:
      report: {python: functions/report.py:handler, timeout: 10s, memory: 256MB}
      resize: {node: functions/resize.mjs:handler}

One process serves one version of one function for one role session, and is frozen between calls.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, Literal, TypeVar

import anyio

from actas.invoke import route_events
from actas.invoke.errors import InvokeError
from actas.invoke.interface import Delivery
from actas.invoke.local import code as codes
from actas.invoke.local import environment as environments
from actas.invoke.local.cgroups import sweep
from actas.invoke.local.errors import (
    BackendClosed,
    CodeNotFound,
    EventNotJson,
    EventTooLarge,
    IsolationUnavailable,
    SandboxFailed,
    SessionOver,
)
from actas.invoke.local.gate import Gate
from actas.invoke.local.job import Job, Key, is_json
from actas.invoke.local.launcher import Launcher
from actas.invoke.local.logs import Logs
from actas.invoke.local.machine import Machine, probe
from actas.invoke.local.node import find_node
from actas.invoke.local.pool import Pool
from actas.invoke.local.process import FunctionProcess
from actas.invoke.local.spawner import ForkServer
from actas.model import clock
from actas.model.outcome import Answered
from actas.model.secret import Secret
from actas.settings.schema import Function, Limits

T = TypeVar("T")

LARGEST_EVENT: Final = 6 * 1024 * 1024
_START_WITHIN: Final = 10.0
"""Lambda's own limit for loading a function."""
_PATIENCE: Final = 30.0
_LARGE: Final = 64 * 1024


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
    ) -> None:
        """Take the settings.

        *base* is the settings file's folder; Node's runtime client is looked for below it. *hidden* are paths that no
        function may see even where its code lies around them: the state folder, files with secrets. *public_keys*
        gives our JWK Set as JSON, and *issuer* is our name in envelopes: functions find them in ``ACTAS_JWKS`` and
        ``ACTAS_ISSUER`` and verify their callers with them. *machine* is what `machine.probe` found, where that was
        done already.
        """
        self._limits, self._log, self._isolation = limits, log, isolation
        self._hidden, self._base = hidden, base or Path.cwd()
        self.region, self.start_within = region, start_within
        self.account, self.domain_name = account, domain_name
        self.public_keys, self.issuer = public_keys, issuer
        self._machine = machine
        self._forks = ForkServer()
        self._launcher: Launcher | None = None
        self._opening = anyio.Lock()
        self.pool = Pool(most=limits.processes, most_per_subject=limits.processes_per_subject)
        self.closed = False

    async def open(self) -> Machine:
        """Find out what this machine allows; refuse where isolation is required and cannot be had."""
        async with self._opening:
            machine = self._machine
            if machine is None:
                machine = await anyio.to_thread.run_sync(probe)
            self._machine = machine
            if self._isolation == "required" and not machine.isolated:
                raise IsolationUnavailable(missing=machine.why)
            if self._launcher is None:
                sweep(machine.groups)
                self._launcher = Launcher(
                    machine=machine,
                    forks=self._forks,
                    hidden=self._hidden,
                    log=self._log,
                    node=find_node(self._base),
                )
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
        self._code = codes.find(settings, base)
        self._version = codes.Version(self._code)
        schedule = settings.schedule
        self._gate = Gate(name, at_once=schedule.at_once, waiting=schedule.waiting, patience=_PATIENCE)

    async def invoke(self, delivery: Delivery) -> Answered:
        """Run the function."""
        event, client_context = await self._event(delivery)
        await self._gate.enter()
        job = self._job(delivery, event, client_context)
        job.done.add_done_callback(lambda _: self._gate.leave())
        try:
            await self._start(delivery, job)
        except BaseException:
            job.done.cancel()
            raise
        outcome = await asyncio.shield(job.done)  # a caller who hangs up does not end the function, as in Lambda
        if isinstance(outcome, InvokeError):
            raise outcome
        route = delivery.call.route
        if route is None:
            return outcome
        binary = self._settings.binary_media_types
        return route_events.answer(outcome, route, version=self._settings.format, binary_media_types=binary)

    async def close(self) -> None:
        """Take no more calls; the processes end with what all local functions share."""

    async def _start(self, delivery: Delivery, job: Job) -> None:
        """Give the job to a warm process, or to a new one."""
        self._refuse_when_closed()
        key = self._key(delivery)
        process = self._shared.pool.take(key)
        if process is None:
            await self._launch(key, delivery, job)
        else:
            process.submit(job)

    def _refuse_when_closed(self) -> None:
        if self._shared.closed:
            raise BackendClosed(function=self._name)

    async def _launch(self, key: Key, delivery: Delivery, job: Job) -> None:
        launcher = await self._shared.launcher()
        identity, work = delivery.grant.identity, delivery.sessions.work
        now = clock.now()
        if work and work.expires_at <= now:
            raise SessionOver(function=self._name)
        whose = (identity.issuer, identity.subject)
        process = FunctionProcess(key=key, whose=whose, expires_at=work.expires_at if work else None)
        await self._shared.pool.add(process)
        try:
            self._refuse_when_closed()
            process.submit(job, start_within=self._shared.start_within)
            environment = self._build_environment(delivery, launcher.task_root(self._code), now)
            await launcher.launch(process, self._code, environment, self._settings.memory.bytes)
        except SandboxFailed:
            process.end()
            self._refuse_when_closed()
            raise
        except BaseException:
            process.end()
            raise

    def _key(self, delivery: Delivery) -> Key:
        try:
            version = self._version.at(asyncio.get_running_loop().time())
        except OSError as wrong:
            raise CodeNotFound(function=self._name, file=self._code.file.name) from wrong
        if self._shared.public_keys:  # a process knows the keys that it was started with; after a rotation it is old
            version += f"+{hash(self._shared.public_keys()):x}"
        self._shared.pool.functions(self._name, version=version, idle=self._settings.idle.seconds)
        return Key(function=self._name, version=version, session=delivery.sessions.id)

    async def _event(self, delivery: Delivery) -> tuple[bytes, bytes]:
        """Give the event's bytes and the client context; the envelope is in one of the two."""
        call, now = delivery.call, clock.now()
        mint = delivery.envelope
        if call.route is None:
            event = call.payload or b"{}"
            self._check(event)
            envelope = await _aside(partial(mint, event, now), len(event))
            return event, b'{"custom":{"actas":"%b"}}' % envelope.encode("ascii")
        make = partial(
            route_events.event,
            call,
            call.route,
            version=self._settings.format,
            domain_name=self._shared.domain_name,
            account_id=self._shared.account,
            binary_media_types=self._settings.binary_media_types,
            envelope=mint,
            now=now,
        )
        event = await _aside(make, len(call.payload))
        self._check(event)
        return event, b""

    def _check(self, event: bytes) -> None:
        if len(event) > LARGEST_EVENT:
            raise EventTooLarge(function=self._name, size=len(event), limit=LARGEST_EVENT)
        if not is_json(event):
            raise EventNotJson(function=self._name)

    def _job(self, delivery: Delivery, event: bytes, client_context: bytes) -> Job:
        call = delivery.call
        lines = [
            b"Lambda-Runtime-Aws-Request-Id: " + call.id.encode("ascii"),
            b"Lambda-Runtime-Invoked-Function-Arn: " + delivery.grant.function_arn.encode("ascii"),
        ]
        if client_context:
            lines.append(b"Lambda-Runtime-Client-Context: " + client_context)
        if call.trace_id and len(call.trace_id) == 32:
            lines.append(f"Lambda-Runtime-Trace-Id: Root=1-{call.trace_id[:8]}-{call.trace_id[8:]};Sampled=0".encode())
        return Job(
            call=call.id,
            event=event,
            head=b"\r\n".join([*lines, b""]),
            timeout=self._settings.timeout.seconds,
            done=asyncio.get_running_loop().create_future(),
        )

    def _build_environment(self, delivery: Delivery, task_root: str, now: datetime) -> dict[str, str]:
        about = environments.About(
            function=self._name,
            handler=self._code.handler,
            task_root=task_root,
            runtime=self._code.runtime,
            version=delivery.grant.qualifier,
            memory=self._settings.memory.bytes,
            region=self._shared.region,
            log_stream=environments.log_stream(delivery.grant.qualifier, secrets.token_hex(16), now),
        )
        own = dict(self._environment)
        if self._shared.public_keys:
            own |= {"ACTAS_JWKS": self._shared.public_keys(), "ACTAS_ISSUER": self._shared.issuer}
        return environments.build(about, own, delivery.sessions.work)


async def _aside(work: Callable[[], T], size: int) -> T:
    """Do *work*, in a thread where there is much of it: digesting megabytes must not hold up other calls."""
    return work() if size < _LARGE else await anyio.to_thread.run_sync(work)
