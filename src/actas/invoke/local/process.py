"""One function process: takes one call at a time, is frozen between calls, and ends for one of five reasons.

It ends when it crashes, when a call takes too long, when it has been idle, when its session is over, or when the
gateway wants its place. Its state is told by what is there: a `_connection` that waits is a process that can take a
call now; a `_job` is a call that runs.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

from actas.invoke.local import faults, freezing
from actas.invoke.local.cgroups import Group
from actas.invoke.local.errors import ProcessLost, SandboxFailed, SessionOver
from actas.invoke.local.job import Job, Key, decoded_error, is_json
from actas.invoke.local.logs import LogPump
from actas.invoke.local.relay import Relay
from actas.invoke.local.reports import most_used
from actas.invoke.local.runtime_api import LARGEST_ANSWER, SMALL, Connection
from actas.invoke.local.sandbox import Sandbox
from actas.invoke.origins import Origin
from actas.model import clock
from actas.model.decision import Grant
from actas.model.outcome import Answered

_MOST_CONNECTIONS = 16  # Node's client has one for each of its threads
_MOST_NONSENSE = 1000
_LOOK_AGAIN = 0.02
"""When to look once more for what a function has left running, where there was something."""


class FunctionProcess:
    """A sandbox with a runtime client in it, and the call it is busy with."""

    def __init__(self, *, key: Key) -> None:
        self.key = key
        self.whose: tuple[str, str] = ("", "")
        self.grant: Grant | None = None
        self.began: datetime | None = None
        """When its session was made."""
        self.expires_at: datetime | None = None
        self.sandbox = Sandbox(self._exited)
        self.ending = False
        self.is_last_call = False
        """Whether it ends when its call is over."""
        self.on_idle: Callable[[FunctionProcess], None] = _nothing
        self.on_gone: Callable[[FunctionProcess], None] = _nothing
        self.group: Group | None = None
        self.logs: LogPump | None = None
        self.server: asyncio.Server | None = None
        self.relay: Relay | None = None
        self._loop = asyncio.get_running_loop()
        self._connections: set[Connection] = set()
        self._large: Connection | None = None
        self._nonsense = 0
        self._waiting: Connection | None = None
        self._job: Job | None = None
        self._next: Job | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._numbers: tuple[int, int] | None = None

    @property
    def idle(self) -> bool:
        """Whether it waits, frozen, for a call."""
        return self._waiting is not None and self._next is None

    @property
    def origin(self) -> Origin | None:
        """What its function's calls belong to: the call that runs, or for which it starts; None where there is none."""
        job = self._next if self._job is None else self._job
        return None if job is None or job.done.done() else job.origin

    @property
    def takes_next(self) -> bool:
        """Whether a call may be given to it: it is idle, or has answered and is about to be."""
        answered = self._job is None or self._job.done.done()
        return not (self.ending or self.is_last_call) and self._next is None and answered

    def belong(
        self,
        key: Key,
        *,
        whose: tuple[str, str],
        expires_at: datetime | None,
        grant: Grant | None = None,
        began: datetime | None = None,
    ) -> None:
        """Become the process of one caller's role session, for good; *grant* is what it was started for."""
        self.key, self.whose, self.expires_at, self.grant, self.began = key, whose, expires_at, grant, began

    def submit(self, job: Job, *, start_within: float | None = None) -> None:
        """Give it its next call; *start_within* bounds how long a new process may take to get ready for it."""
        self._next = job
        if self.logs and self._job is None:
            self.logs.begin(job.call)
        if start_within is not None:
            self._timer = self._loop.call_later(start_within, self._started_too_late, start_within)
            job.started = self._loop.time()
        if self._waiting:
            self._deliver(self._waiting)

    def log_to(self, logs: LogPump) -> None:
        """Keep what it prints; what it prints while it loads belongs to the call that it is started for."""
        self.logs = logs
        if self._next:
            logs.begin(self._next.call)

    def end(self) -> None:
        """Take no more calls and end."""
        if not self.ending:
            self.ending = True
            self.sandbox.end()

    def remember_numbers(self) -> None:
        """Learn the process ids, which freezing needs."""
        process, init = self.sandbox.process_id(), self.sandbox.init_id()
        self._numbers = (process, init) if process and init else None

    # what the connections tell

    def admits(self, connection: Connection) -> bool:
        """Take a few connections."""
        if len(self._connections) >= _MOST_CONNECTIONS:
            return False
        self._connections.add(connection)
        return True

    def may_be_large(self, connection: Connection) -> bool:
        """Let one connection at a time send a large answer, so that many cannot fill our memory."""
        if self._large is None or self._large not in self._connections or self._large.held <= SMALL:
            self._large = connection
        return self._large is connection

    def misbehaved(self) -> None:
        """End a process that talks nonsense on and on; each answer to it costs the gateway something."""
        self._nonsense += 1
        if self._nonsense > _MOST_NONSENSE:
            self.end()

    def lost(self, connection: Connection) -> None:
        """Forget a connection; an idle process without one can take no calls."""
        self._connections.discard(connection)
        if connection is self._waiting:
            self._waiting = None
            self.end()

    def asked_next(self, connection: Connection) -> None:
        """Take note that the last call is over and the runtime is ready for the next."""
        if self._waiting or (self._job and not self._job.done.done()):
            connection.close()  # two polls at once, or one in the middle of a call: no runtime client does that
            return
        self._stop_timer()
        self._job = None
        self._waiting = connection
        if self._next:
            self._deliver(connection)
        elif not self.ending:
            self._freeze()
            self.on_idle(self)

    def answered(self, call: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Settle the running call with the function's result."""
        if not (job := self._running(call)):
            return 400
        job.hear(headers)
        if "lambda-runtime-function-error-type" in headers:  # a streamed answer that failed half-way, in its trailers
            told = decoded_error(headers.get("lambda-runtime-function-error-body", ""))
            job.settle(self._failure(told))
        elif headers.get("content-type", "").startswith("application/json") and not is_json(body):
            job.settle(self._failure(faults.not_json()))
        else:
            job.settle(self._told(body))
        return 202

    def failed(self, call: str, body: bytes) -> int:
        """Settle the running call with the function's error."""
        if not (job := self._running(call)):
            return 400
        payload = body if is_json(body) else faults.unreadable()
        job.settle(self._failure(payload))
        return 202

    def failed_to_start(self, body: bytes) -> int:
        """Settle the call that the process was started for with the error of its start."""
        if self._job or not self._next:
            return 403
        payload = body if is_json(body) else faults.unreadable()
        self._next.settle(self._failure(payload))
        self.end()
        return 202

    def answered_too_much(self) -> None:
        """Settle the running call as Lambda does, and end the process: its client does not survive that."""
        self._settle_all(faults.too_large(LARGEST_ANSWER))
        self.end()

    # what time and the sandbox tell

    def _deliver(self, connection: Connection) -> None:
        job, self._next, self._waiting = self._next, None, None
        assert job
        now = clock.now()
        if self.expires_at and now >= self.expires_at:
            job.settle(SessionOver(function=self.key.function))
            self.end()
            return
        self._job = job
        job.deliver(self._loop.time())
        if self.logs:
            self.logs.begin(job.call)
        deadline = int((now.timestamp() + job.timeout) * 1000)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b" % (
            len(job.event),
            job.head,
        )
        connection.send(head + b"Lambda-Runtime-Deadline-Ms: %d\r\n\r\n" % deadline, job.event)
        freezing.go_on(self.sandbox)  # after the event is there: it wakes once, and has all it needs
        self._stop_timer()
        self._timer = self._loop.call_later(job.timeout, self._took_too_long)

    def _took_too_long(self) -> None:
        if self._job:
            self._settle_all(faults.timed_out(self._job.call, self._job.timeout))
        self.end()

    def _started_too_late(self, allowed: float) -> None:
        if self._next:
            self._settle_all(faults.timed_out(self._next.call, allowed))
        self.end()

    def _exited(self, status: int | None) -> None:
        """Everything in the sandbox is gone."""
        self.ending = True
        self._stop_timer()
        if job := self._job or self._next:
            if self.logs:
                self.logs.begin(job.call)
            if status is None:
                job.settle(ProcessLost(function=self.key.function, delivered=job.delivered))
            else:
                starved = self.group is not None and self.group.killed()
                self._settle_all(faults.exited(job.call, status, out_of_memory=starved))
        if self._next:
            self._next.settle(ProcessLost(function=self.key.function, delivered=False))
        self.let_go()
        self.on_gone(self)

    def refuse(self, why: str) -> None:
        """Settle the call that waits for a sandbox that could not be built."""
        if self._next:
            self._next.settle(SandboxFailed(function=self.key.function, why=why))
        self.ending = True

    def let_go(self) -> None:
        """Close what is ours of it; a no-op where that is done. A server left open would keep the loop from closing."""
        for connection in tuple(self._connections):
            connection.close()
        if self.server:
            self.server.close()
        if self.relay:
            self.relay.close()
        if self.logs:
            self.logs.close()
        if self.group:
            self.group.remove()

    def _running(self, call: str) -> Job | None:
        job = self._job
        return job if job and job.call == call and not job.done.done() else None

    def _settle_all(self, payload: bytes) -> None:
        """Settle the running call, or the one that the process was being started for."""
        if job := self._job or self._next:
            job.settle(self._told(payload, "Unhandled", payload))

    def _failure(self, payload: bytes) -> Answered:
        return self._told(payload, "Unhandled")

    def _told(self, payload: bytes, error: str | None = None, fault: bytes | None = None) -> Answered:
        """Make the answer of a call that is over, with what it logged."""
        if self.logs is None:
            return Answered(payload=payload, function_error=error)
        log_hash, tail = self.logs.end(), self.logs.tail()
        if (job := self._job or self._next) and job.report:
            used = most_used(self.group, self.sandbox.process_id())
            tail = job.report.around(tail, fault, now=self._loop.time(), at=clock.now(), used=used)
        return Answered(payload=payload, function_error=error, log_hash=log_hash, log_tail=tail)

    def _freeze(self) -> None:
        if self._numbers and freezing.stop(self.sandbox, *self._numbers):
            self._timer = self._loop.call_later(_LOOK_AGAIN, self._freeze)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


def _nothing(_process: FunctionProcess) -> None:
    """Nobody is to be told."""
