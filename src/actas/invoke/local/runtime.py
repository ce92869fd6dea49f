"""The last step inside a sandbox: limits, the filter, the environment, and then the real runtime client."""

import importlib
import json
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

from actas.invoke.local import seccomp, syscalls, walls

_LARGEST_MESSAGE = 1 << 20
_READ_AT_IMPORT = {"AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL"}
_MORE_THAN_ANY = 1 << 20
"""No descriptor has a number as high as this."""


def become(gateway: socket.socket, log_fd: int, plan: dict[str, Any], port: int) -> NoReturn:
    """Become the function's process; what comes out of here is its exit status."""
    status = 1
    try:
        _settle(log_fd, plan)
        os.environ["AWS_LAMBDA_RUNTIME_API"] = address = f"127.0.0.1:{port}"
        start = _START[plan["runtime"]](plan)
        environment = json.loads(gateway.recv(_LARGEST_MESSAGE))  # comes when the gateway has set our limits
        gateway.close()
        os.closerange(3, _MORE_THAN_ANY)
        os.environ.clear()
        os.environ.update(environment, AWS_LAMBDA_RUNTIME_API=address)
        time.tzset()
        os.chdir(environment["LAMBDA_TASK_ROOT"])
        start()
    except SystemExit as leaving:
        status = _status_of(leaving)
    except BaseException:  # noqa: BLE001 - as the interpreter does at its end: say it, then status 1
        sys.excepthook(*sys.exc_info())
    finally:
        _flush()
        os._exit(status)


def _settle(log_fd: int, plan: dict[str, Any]) -> None:
    walls.give_up(plan)
    os.setsid()
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log_fd, 1)
    os.dup2(log_fd, 2)
    for name, limit in plan["limits"]:
        hard = resource.getrlimit(getattr(resource, name))[1]
        fitting = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(getattr(resource, name), (fitting, fitting))
    if plan["filter"]:
        program = seccomp.program(os.uname().machine)
        if program is not None:
            syscalls.install_filter(program)
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)  # its own /proc/self is the function's to read


def _python(_plan: dict[str, Any]) -> Callable[[], None]:
    """Load the real runtime client for Python, which knows its endpoint now; give what runs it in this very process."""
    import awslambdaric.lambda_runtime_client as client
    import runtime_client
    from awslambdaric import bootstrap

    runtime_client.initialize_client(client._user_agent())  # noqa: SLF001 - as its import would have done before the fork
    client.runtime_client = runtime_client

    def run() -> None:
        environment = os.environ
        if not _READ_AT_IMPORT.isdisjoint(environment):
            importlib.reload(bootstrap)  # it was imported before the fork, without this environment
        handler = environment["_HANDLER"]
        sys.argv = ["bootstrap", handler]
        sys.path.insert(0, environment["LAMBDA_TASK_ROOT"])
        bootstrap.run(handler, client.LambdaRuntimeClient(environment["AWS_LAMBDA_RUNTIME_API"]))

    return run


def _node(plan: dict[str, Any]) -> Callable[[], None]:
    """Give what becomes Node with the real runtime client for it."""
    return lambda: os.execv(plan["command"][0], plan["command"])  # noqa: S606 - a fixed command, without a shell


_START = {"python": _python, "node": _node}


def _status_of(leaving: SystemExit) -> int:
    """Say what the interpreter would say (`sys.exit`'s documentation)."""
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    print(leaving.code, file=sys.stderr)  # noqa: T201 - as above: any other object is printed
    return 1


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
