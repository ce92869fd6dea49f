"""Feed anything at all to the Lambda Runtime API and to the event's canonical form: nothing breaks, nothing grows.

    python fuzz/fuzz_runtime_api.py -max_total_time=180 [CORPUS]

A function is the peer of its runtime API and may send what it likes. Without a corpus folder, one good request of
each kind is the seed; the first byte says where the input is cut in two.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["actas"]):
    from actas.invoke.local.job import decoded_error, is_json
    from actas.invoke.local.runtime_api import LARGEST_ANSWER, Connection
    from actas.lambda_.canonical import NotCanonical, canonical, canonical_bytes

PREFIX = b"POST /2018-06-01/runtime/"


class Heard:
    """A process that checks what it is told."""

    def asked_next(self, connection) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"{}")

    def answered(self, call, body, headers) -> int:
        assert isinstance(call, str)
        assert len(body) <= LARGEST_ANSWER
        decoded_error(headers.get("lambda-runtime-function-error-body", ""))
        return 202 if is_json(body) else 400

    def failed(self, call, body) -> int:
        return self.answered(call, body, {})

    def failed_to_start(self, body) -> int:
        return self.answered("", body, {})

    def answered_too_much(self) -> None:
        pass

    def admits(self, _connection) -> bool:
        return True

    def may_be_large(self, _connection) -> bool:
        return True

    def misbehaved(self) -> None:
        pass

    def lost(self, connection) -> None:
        pass


class Wire(asyncio.Transport):
    """A transport that ends where it is told to."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    def write(self, data: bytes) -> None:
        assert data.startswith((b"HTTP/1.1 ", b"{"))

    def abort(self) -> None:
        self._connection.connection_lost(None)

    close = abort


def TestOneInput(data: bytes) -> None:  # noqa: N802 - the name that libFuzzer calls
    """Send *data* in two pieces; then read it as an event."""
    cut, sent = data[:1], data[1:]
    at = min(len(sent), cut[0] if cut else 0)
    connection = Connection(Heard())
    connection.connection_made(Wire(connection))
    connection.data_received(sent[:at])
    connection.data_received(sent[at:])
    assert connection.held <= len(sent)
    try:
        form = canonical_bytes(sent)
    except NotCanonical:
        return
    assert canonical(json.loads(sent)) == form == canonical_bytes(form)


def seeds() -> list[bytes]:
    """Make one good input of each kind."""
    chunked = b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nLambda-Runtime-Function-Error-Type: X\r\n\r\n"
    return [
        b"\x10GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x50" + PREFIX + b'invocation/a/response HTTP/1.1\r\nContent-Length: 7\r\n\r\n{"a":1}',
        b"\x50" + PREFIX + b"invocation/a/error HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
        b"\x50" + PREFIX + b"init/error HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
        b"\x50" + PREFIX + b"invocation/a/response HTTP/1.1\r\n" + chunked,
        b'\x00{"b":[1,2.50,-0.0,1e21,12345678901234567890],"a":"\\u20ac\\ud83d\\ude00"}',
    ]


def main() -> None:
    """Run with libFuzzer's own arguments."""
    arguments = sys.argv
    if all(one.startswith("-") for one in arguments[1:]):
        folder = Path(tempfile.mkdtemp(prefix="fuzz-runtime-api-"))
        for number, seed in enumerate(seeds()):
            (folder / str(number)).write_bytes(seed)
        arguments = [*arguments, str(folder)]
    atheris.Setup(arguments, TestOneInput)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
