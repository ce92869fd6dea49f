"""Feed hostile requests to `actas.sigv4`: nothing is verified that was not signed, and only its own errors come out.

Run: ``.venv/bin/python fuzz/fuzz_sigv4.py -max_total_time=60 [CORPUS]``; libFuzzer's arguments hold.
"""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["actas"]):
    from actas import sigv4

NOW = datetime(2026, 3, 14, 9, tzinfo=UTC)
SCOPE = {"region": "eu-west-1", "service": "lambda"}
CREDENTIALS = sigv4.Credentials("AKIDANA", "secret", "token")


def written(signed: sigv4.Signed) -> bytes:
    """Write a request as the fuzzer's bytes: method, URL, headers, a line each, then the body."""
    lines = ["POST", signed.url, *(f"{name}:{value}" for name, value in signed.headers)]
    return "\n".join(lines).encode() + b"\n\nbody"


def read(data: bytes) -> tuple[str, str, list[tuple[str, str]], bytes]:
    """Read a request from the fuzzer's bytes."""
    head, _, body = data.partition(b"\n\n")
    method, url, *lines = [*head.decode("utf-8", "surrogateescape").split("\n"), "", ""]
    pairs = [line.partition(":") for line in lines if line]
    return method, url, [(name, value) for name, _, value in pairs], body


def signed(*, presign: bool) -> sigv4.Signed:
    headers = [("Host", "functions.example")]
    url = "https://functions.example/a/b?x=1"
    return sigv4.sign("POST", url, headers, b"body", CREDENTIALS, **SCOPE, now=NOW, presign=presign)


SEEDS = [written(signed(presign=presign)) for presign in (False, True)]


def test_one_input(data: bytes) -> None:
    """Sign it, and verify it as it is."""
    method, url, headers, body = read(data)
    try:
        again = sigv4.sign(method, url, headers, body, CREDENTIALS, **SCOPE, now=NOW)
    except sigv4.SigV4Error:
        pass
    else:
        find = {"AKIDANA": "secret"}.get
        try:
            sigv4.verify(method, url, again.headers, body, find_secret=lambda key, _token: find(key), now=NOW, **SCOPE)
        except (sigv4.BadSignature, sigv4.MissingSignature) as lost:
            raise AssertionError("what was signed is not verified") from lost
        except sigv4.SigV4Error:
            pass
    try:
        sigv4.verify(method, url, headers, body, find_secret=lambda _key, _token: "another", now=NOW, **SCOPE)
    except sigv4.SigV4Error:
        return
    raise AssertionError("a request was verified that this key never signed")


def main() -> None:
    """Seed a corpus of our own and go."""
    with tempfile.TemporaryDirectory() as seeds:
        for number, seed in enumerate(SEEDS):
            (Path(seeds) / str(number)).write_bytes(seed)
        atheris.Setup([*sys.argv, seeds], test_one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
