"""What a caller is told when a function fails, in the words and the shape of AWS.

Pure. Taken from public code of AWS's emulator and from its documentation; not compared with AWS itself.
"""

import json
import signal


def timed_out(call: str, seconds: float) -> bytes:
    """Say that the function did not answer in time."""
    return _shape("Sandbox.Timedout", f"RequestId: {call} Error: Task timed out after {seconds:.2f} seconds")


def exited(call: str, status: int, *, out_of_memory: bool) -> bytes:
    """Say that the process ended before it answered; *status* as `os.waitpid` gives it."""
    if out_of_memory:
        return _shape("Runtime.OutOfMemory", f"RequestId: {call} Error: Runtime exited with error: signal: killed")
    return _shape("Runtime.ExitError", f"RequestId: {call} Error: {_ending(status)}")


def too_large(size_limit: int) -> bytes:
    """Say that the answer is larger than Lambda passes on."""
    return _shape(
        "Function.ResponseSizeTooLarge",
        f"Response payload size exceeded maximum allowed payload size ({size_limit} bytes).",
    )


def not_json() -> bytes:
    """Say that the function's answer is no JSON, though it calls itself so (Python's NaN is the usual cause)."""
    return _shape("Runtime.MarshalError", "Unable to marshal response: the answer is not a JSON document")


def unreadable() -> bytes:
    """Stand in for an error that is not in the form of one."""
    return _shape("Runtime.UnknownReason", "The function failed and its error is not a JSON document")


def _shape(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _ending(status: int) -> str:
    """Put a wait status as Lambda does, which is as Go does."""
    if status & 0x7F:
        number = status & 0x7F
        name = _GO.get(number) or f"signal {number}"
        return f"Runtime exited with error: signal: {name}"
    code = (status >> 8) & 0xFF
    return f"Runtime exited with error: exit status {code}" if code else "Runtime exited without providing a reason"


_GO: dict[int, str] = {
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGHUP: "hangup",
    signal.SIGILL: "illegal instruction",
    signal.SIGINT: "interrupt",
    signal.SIGKILL: "killed",
    signal.SIGPIPE: "broken pipe",
    signal.SIGQUIT: "quit",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGSYS: "bad system call",
    signal.SIGTERM: "terminated",
    signal.SIGTRAP: "trace/breakpoint trap",
    signal.SIGXCPU: "CPU time limit exceeded",
    signal.SIGXFSZ: "file size limit exceeded",
}
"""What Go's `syscall.Signal.String` says."""
