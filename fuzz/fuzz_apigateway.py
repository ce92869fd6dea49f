"""Feed hostile return values to `actas.apigateway`: an answer is always made, and only its own errors come out.

Run: ``.venv/bin/python fuzz/fuzz_apigateway.py -max_total_time=60 [CORPUS]``; libFuzzer's arguments hold.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["actas"]):
    from actas import apigateway

VERSIONS = ("1.0", "2.0", "function-url", "alb")
ARN = "arn:aws:execute-api:eu-west-1:111122223333:abc/live/GET/orders/7"
SEEDS = (
    b'\x00{"statusCode":200,"headers":{"A":"b"},"multiValueHeaders":{"A":["c"]},"body":"hi"}',
    b'\x01{"statusCode":"201","cookies":["a=1"],"body":"aGk=","isBase64Encoded":true}',
    b'\x02"hello"',
    b'\x03{"statusCode":200,"statusDescription":"200 OK"}',
    b'\x04{"isAuthorized":true,"context":{"a":1}}',
    b'\x05{"principalId":"ana","policyDocument":{"Statement":[{"Action":"*","Effect":"Allow","Resource":"a*/orders?7"}]}}',
)


def test_one_input(data: bytes) -> None:
    """Read one return value, in the way that the first byte says."""
    if not data:
        return
    kind, payload = data[0] % 6, data[1:]
    if kind < len(VERSIONS):
        answer = apigateway.answer(payload, version=VERSIONS[kind], binary_media_types=("*/*",), accept="image/png")
        if not 200 <= answer.status <= 599:
            raise AssertionError(answer.status)
        if any(set("\r\n\x00") & set(name + value) for name, value in answer.headers):
            raise AssertionError("a header broke its line")
        return
    try:
        verdict = apigateway.authorizer_answer(payload, version=("2.0", "1.0")[kind - 4], resource=ARN)
    except apigateway.ApiGatewayError:
        return
    if verdict.effect not in ("Allow", "Deny"):
        raise AssertionError(verdict.effect)


def main() -> None:
    """Seed a corpus of our own and go."""
    with tempfile.TemporaryDirectory() as seeds:
        for number, seed in enumerate(SEEDS):
            (Path(seeds) / str(number)).write_bytes(seed)
        atheris.Setup([*sys.argv, seeds], test_one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
