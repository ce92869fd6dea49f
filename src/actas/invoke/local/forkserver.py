"""Fork function processes from an interpreter that is warm already.

Runs as a process of its own. It takes descriptors and nothing else from the gateway: what a function needs,
credentials above all, is read by the forked child from a socket of its own, so that this process, whose memory
every later child inherits, never holds anybody's secret.

``runtime_client``, the C part of the runtime client, fixes its endpoint while it is loaded: it is imported after
the fork only (see `runtime`).
"""

import gc
import os
import signal
import socket
import sys
from typing import cast

from actas.invoke.local import inside, syscalls


def main(control: int) -> None:
    """Serve the gateway at the other end of descriptor *control* until it closes."""
    gateway = socket.socket(fileno=control)
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the gateway's to handle
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps; a sandbox tells its own end
    _warm_up()
    gateway.send(b"ready")
    while True:
        message, descriptors, _flags, _address = socket.recv_fds(gateway, 16, 2)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            gateway.close()
            inside.build(*descriptors)  # never returns
        for descriptor in descriptors:
            os.close(descriptor)


def _warm_up() -> None:
    """Import what every function will need, the runtime client's C part excepted."""
    import http.client  # noqa: F401 - loaded now so that no child has to; likewise below
    import logging  # noqa: F401
    import traceback  # noqa: F401

    cast("dict[str, object]", sys.modules)["runtime_client"] = None  # the import below then goes without it
    import awslambdaric.bootstrap
    import awslambdaric.lambda_runtime_client  # noqa: F401

    del sys.modules["runtime_client"]
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    main(int(sys.argv[1]))
