"""Fuzz what Lambda and STS say: event streams, heads of streamed answers, log tails, XML. Only our errors may escape.

Run: ``.venv/bin/python fuzz/fuzz_lambda_answers.py [libFuzzer arguments] [corpus]``.
"""

import contextlib
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["actas.invoke", "actas.assume"]):
    from actas.assume import bearers, sts
    from actas.assume.errors import AssumeError
    from actas.http.lambda_api import frames
    from actas.invoke import lambda_answers
    from actas.invoke.errors import InvokeError
    from actas.invoke.event_stream import NotAStream, Reader
    from actas.model import clock

NOW = clock.now()


def TestOneInput(data):  # noqa: N802 - the name that libFuzzer asks for
    reader = Reader()
    with contextlib.suppress(NotAStream):
        for at in range(0, len(data), 7):
            for message in reader.feed(data[at : at + 7]):
                assert isinstance(message.payload, bytes)
    with contextlib.suppress(InvokeError):
        status, headers = lambda_answers.head(data, function="f")
        assert 200 <= status <= 599
        assert not any("\n" in name or "\n" in value for name, value in headers)
    lambda_answers.tail(data.decode("latin-1"))
    lambda_answers.refusal("f", 429, {"x-amzn-ErrorType": data.decode("latin-1")}, data)
    for read in (sts.credentials, sts.identity):
        with contextlib.suppress(AssumeError):
            read(data, broker="aws")
    assert "<" not in sts.error_code(data)
    with contextlib.suppress(AssumeError):
        found = bearers.answer(data, broker="google")
        bearers.token(found, "access_token", broker="google")
        bearers.end(found, now=NOW, broker="google")
    bearers.error_code(data)


XML = "<R xmlns='https://sts.amazonaws.com/doc/2011-06-15/'>{}</R>"
SEEDS = (
    b"".join(frames.chunks(b"hello")) + frames.complete(log_result="aGVsbG8="),
    b'{"statusCode": 201, "headers": {"X-Bill": "7"}, "cookies": ["a=b"]}',
    b'{"access_token": "abc", "token_type": "Bearer", "expires_in": 3599}',
    b'{"error": {"status": "PERMISSION_DENIED"}}',
    XML.format("<Error><Code>Throttling</Code></Error>").encode(),
    XML.format(
        "<GetCallerIdentityResult><Arn>arn:aws:sts::1:assumed-role/a/b</Arn></GetCallerIdentityResult>"
    ).encode(),
    XML.format(
        "<Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>B</SecretAccessKey><SessionToken>C</SessionToken>"
        "<Expiration>2026-11-23T12:00:00Z</Expiration></Credentials>"
    ).encode(),
)


def main():
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(SEEDS):
            (Path(folder) / str(number)).write_bytes(seed)
        atheris.Setup([*sys.argv, folder], TestOneInput)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
