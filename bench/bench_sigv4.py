"""Sign and verify beside botocore, in one run.

botocore has no verifier: what stands beside ours is its signing of the received request with a comparison, which is
what servers built on it do. awscrt, which signs in C, is measured where it is installed. CPU time is measured, so that
what else the machine does matters little. "every URL new" is the price where nothing of a URL was seen before.
Run: ``.venv/bin/python bench/bench_sigv4.py [--rounds N]``.
"""

import argparse
import hmac
import io
import itertools
import json
import logging
import platform
import statistics
import sys
import time
from pathlib import Path

import botocore.auth
import botocore.credentials
from botocore.awsrequest import AWSRequest

from actas import sigv4
from actas.model import clock

try:
    import awscrt
    import awscrt.auth
    import awscrt.http
except ImportError:
    awscrt = None

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "FwoGZXIvYXdzE" * 40
URL = "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/billing/invocations?Qualifier=live"
TARGET = "/2015-03-31/functions/billing/invocations?Qualifier=live"
NUMBERS = itertools.count()
HEADERS = [
    ("Host", "lambda.eu-west-1.amazonaws.com"),
    ("Content-Type", "application/json"),
    ("X-Amz-Invocation-Type", "RequestResponse"),
    ("X-Amz-Client-Context", "eyJjdXN0b20iOnt9fQ=="),
]
BODY = b'{"report": "q3", "of": 2026}' * 8
SCOPE = {"region": "eu-west-1", "service": "lambda"}
NOW = clock.now().replace(microsecond=0)
CREDENTIALS = sigv4.Credentials("ASIAEXAMPLEEXAMPLE01", SECRET, TOKEN)
KEYS = sigv4.SigningKeys()
SIGNED = sigv4.sign("POST", URL, HEADERS, BODY, CREDENTIALS, **SCOPE, now=NOW)
THEIRS = botocore.auth.SigV4Auth(
    botocore.credentials.Credentials(CREDENTIALS.access_key_id, SECRET, TOKEN), SCOPE["service"], SCOPE["region"]
)
SHOWN = dict(SIGNED.headers)["Authorization"].rpartition("=")[2]


def ours_sign():
    sigv4.sign("POST", URL, HEADERS, BODY, CREDENTIALS, **SCOPE, now=NOW, keys=KEYS)


def ours_sign_anew():
    sigv4.sign("POST", URL, HEADERS, BODY, CREDENTIALS, **SCOPE, now=NOW, keys=None)


def ours_sign_new_url():
    sigv4.sign("POST", f"{URL}{next(NUMBERS)}", HEADERS, BODY, CREDENTIALS, **SCOPE, now=NOW, keys=KEYS)


def awscrt_sign():
    request = awscrt.http.HttpRequest("POST", TARGET, awscrt.http.HttpHeaders(HEADERS), io.BytesIO(BODY))
    config = awscrt.auth.AwsSigningConfig(
        algorithm=awscrt.auth.AwsSigningAlgorithm.V4,
        signature_type=awscrt.auth.AwsSignatureType.HTTP_REQUEST_HEADERS,
        credentials_provider=CRT_PROVIDER,
        region=SCOPE["region"],
        service=SCOPE["service"],
        date=NOW,
    )
    awscrt.auth.aws_sign_request(request, config).result(10)


def botocore_sign():
    THEIRS.add_auth(AWSRequest("POST", URL, headers=dict(HEADERS), data=BODY))


def ours_verify():
    sigv4.verify(
        "POST", URL, SIGNED.headers, BODY, find_secret=lambda _key, _token: SECRET, now=NOW, **SCOPE, keys=KEYS
    )


def botocore_verify():
    request = AWSRequest("POST", URL, data=BODY)
    for name, value in SIGNED.headers:
        if name != "Authorization":
            request.headers.add_header(name, value)
    request.context["timestamp"] = request.headers["X-Amz-Date"]
    text = THEIRS.string_to_sign(request, THEIRS.canonical_request(request))
    if not hmac.compare_digest(THEIRS.signature(text, request), SHOWN):
        raise AssertionError("botocore does not agree")


CASES = {
    "sign: actas, key kept": ours_sign,
    "sign: actas, every URL new": ours_sign_new_url,
    "sign: actas, key derived": ours_sign_anew,
    "sign: botocore": botocore_sign,
    "verify: actas, key kept": ours_verify,
    "verify: botocore, signing again": botocore_verify,
}
if awscrt is not None:
    CASES["sign: awscrt"] = awscrt_sign
    CRT_PROVIDER = awscrt.auth.AwsCredentialsProvider.new_static(CREDENTIALS.access_key_id, SECRET, TOKEN)
RATIOS = {
    "sign: botocore / actas": ("sign: botocore", "sign: actas, key kept"),
    "sign, every URL new: botocore / actas": ("sign: botocore", "sign: actas, every URL new"),
    "verify: botocore / actas": ("verify: botocore, signing again", "verify: actas, key kept"),
}


def timed(call, times):
    start = time.process_time_ns()
    for _ in range(times):
        call()
    return (time.process_time_ns() - start) / times / 1_000


def measured(rounds, times):
    """Interleave the cases, so that what else the machine does falls on all of them."""
    found = {name: [] for name in CASES}
    for _ in range(rounds):
        for name, call in CASES.items():
            found[name].append(timed(call, times))
    return {name: {"median": statistics.median(took), "min": min(took)} for name, took in found.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--times", type=int, default=200)
    asked = parser.parse_args()
    logging.getLogger("botocore").setLevel(logging.WARNING)
    found = measured(asked.rounds, asked.times)
    wanted = {**RATIOS, **({"sign: awscrt / actas": ("sign: awscrt", "sign: actas, key kept")} if awscrt else {})}
    ratios = {name: found[slow]["median"] / found[fast]["median"] for name, (slow, fast) in wanted.items()}
    for name, took in found.items():
        print(f"{name:34} {took['median']:8.1f} us  (min {took['min']:.1f})")
    for name, ratio in ratios.items():
        print(f"{name:34} {ratio:8.1f} x")
    result = {
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "date": NOW.date().isoformat(),
        "peers": {"botocore": botocore.__version__, **({"awscrt": awscrt.__version__} if awscrt else {})},
        "rounds": asked.rounds,
        "calls_a_round": asked.times,
        "microseconds": found,
        "ratios": ratios,
    }
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    (folder / "sigv4.json").write_text(json.dumps(result, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
