"""Feed the door of STS raw requests: each is answered once, in XML or as a page that is not there, and nothing escapes.

Run: ``.venv/bin/python fuzz/fuzz_sts.py -max_total_time=60 [CORPUS]``; libFuzzer's arguments hold.
The first byte chooses what the rest is: a form, a query, a head, a session token, an encoded refusal.
"""

import asyncio
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import atheris

with atheris.instrument_imports(
    include=["actas.http", "actas.sigv4", "actas.assume.held", "actas.identify.aws_claims"]
):
    from actas import sigv4
    from actas.assume.errors import AssumeError
    from actas.assume.held import opened
    from actas.http.body import Patience
    from actas.http.calls import Front
    from actas.http.errors import HttpError
    from actas.http.routes import Routes
    from actas.http.signed import Signed
    from actas.http.sts import acting, denials, door, forms, parameters, wishes
    from actas.http.sts.errors import StsError
    from actas.identify.aws_claims import aws_claims
    from actas.identify.errors import IdentifyError, MalformedToken
    from actas.model.decision import Deny, Reason
    from actas.model.facts import Missing
    from actas.model.outcome import Refused
    from actas.secrets.sealing import Sealing
    from actas.settings.schema import Gateway, Limits, RateLimits, Settings
    from actas.store.person_key import PersonKey
    from actas.store.watermarks import Watermarks

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KIND = (b"content-type", b"application/x-www-form-urlencoded")
ROLE = "arn%3Aaws%3Aiam%3A%3A000000000000%3Arole%2Freader"
HEAD = "AWS4-HMAC-SHA256 Credential=ASIAQAAAAAAAGU7TLX7B/20261123/us-east-1/sts/aws4_request"
SEEDS = (
    b"\x00Action=GetCallerIdentity&Version=2011-06-15",
    f"\x00Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={ROLE}&RoleSessionName=ana"
    "&WebIdentityToken=a.b.c&DurationSeconds=900&PolicyArns.member.1.arn=arn:aws:iam::aws:policy/x".encode(),
    f"\x00Action=AssumeRoleWithSAML&Version=2011-06-15&RoleArn={ROLE}&PrincipalArn=arn:aws:iam::000000000000:"
    "saml-provider/ping&SAMLAssertion=PHNhbWw%2B".encode(),
    f"\x00Action=AssumeRole&Version=2011-06-15&RoleArn={ROLE}&RoleSessionName=ana&Tags.member.1.Key=a"
    "&Tags.member.1.Value=b&TransitiveTagKeys.member.1=a&SourceIdentity=ana".encode(),
    b"\x01Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=60",
    f"\x02authorization: {HEAD}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}\n"
    "x-amz-date: 20261123T120000Z".encode(),
    b"\x03actas1.8udRWBYO9P_gu15dlhu_5RRBU0lBUUFBQUFBQUFHVTdUTFg3Qg",
    b"\x048udRWFPnP8A8pnXe1wtBjSnQIdfqxvzk196waJ5La8p2xwfukweZm_YuHkLB4vrepNd3KvSRX2en1CCADIFFtOFX",
    b'\x05{"https://aws.amazon.com/tags": {"principal_tags": {"a": ["b"]}, "transitive_tag_keys": ["a"]}}',
)


class Ways:
    """A gateway behind the door that believes nobody, or refuses."""

    def __init__(self) -> None:
        self.times = 0

    def stranger(self, _reason, _address) -> None:
        pass

    async def take_role(self, _call, _shown, _wish):
        self.times += 1
        if self.times % 2:
            return Refused(decision=Deny(reasons=(Reason(code="role-not-offered", because="no"),), generation="g"))
        raise MalformedToken(why="a fuzzer made it")


def made(folder: Path) -> door.Now:
    ring = Sealing(folder / "sealing.json")
    ring.rotate(NOW)
    marks = Watermarks(PersonKey(bytes(32)), lambda: NOW)
    limits = Limits(rate=RateLimits(network=0))
    front = Front(settings=Gateway(limits=limits), routes=Routes(Settings()))
    means = acting.Means(gateway=Ways(), ring=ring, managed={}, recipient=lambda name: f"https://a/saml/{name}/acs")
    return door.Now(front=front, gateway=means.gateway, signed=Signed(ring, marks), patience=Patience(), means=means)


NOW_STANDS = made(Path(tempfile.mkdtemp(prefix="fuzz-sts-")))
DOOR = door.StsDoor(lambda: NOW_STANDS)


async def ask(body: bytes, query: bytes, headers: list[tuple[bytes, bytes]], method: str) -> None:
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    length = [] if method == "GET" else [(b"content-length", str(len(body)).encode())]
    scope = {
        "type": "http", "method": method, "raw_path": b"/", "query_string": query, "client": ("192.0.2.1", 1),
        "headers": [(b"host", b"a"), KIND, *length, *headers], "http_version": "1.1",
    }  # fmt: skip
    await DOOR(scope, receive, send)
    start, content = sent
    assert start["status"] < 500 or start["status"] == 503, start
    if dict(start["headers"])[b"content-type"] == b"text/xml":
        ET.fromstring(content["body"])


def form(data: bytes) -> None:
    asyncio.run(ask(data, b"", [], "POST"))


def query(data: bytes) -> None:
    asyncio.run(ask(b"", data.replace(b"#", b""), [], "GET"))


def head(data: bytes) -> None:
    lines = [line.partition(b": ") for line in data.split(b"\n")[:20]]
    headers = [(name.lower(), value) for name, _, value in lines if name.lower() not in (b"host", b"content-length")]
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    asyncio.run(ask(body, b"", headers, "POST"))


def token(data: bytes) -> None:
    opened(data.decode("latin-1"), NOW_STANDS.means.ring.find, now=NOW)
    raise AssertionError("a token was opened that nobody sealed")


def refusal(data: bytes) -> None:
    denials.decoded(data.decode("latin-1"), NOW_STANDS.means.ring.find, now=NOW)
    raise AssertionError("a message was opened that nobody sealed")


def claims(data: bytes) -> None:
    import json

    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(found, dict):
        assert aws_claims(found) is not Missing.OVERFLOWED


def asked(data: bytes) -> None:
    """Check a form for every action there is."""
    found = forms.pairs(data)
    for action in parameters.ACTIONS:
        try:
            one = parameters.asked(action, dict(found))
        except StsError:
            continue
        if action.startswith("AssumeRole"):
            wishes.wished(one, {})


TARGETS = (form, query, head, token, refusal, claims, asked)


def TestOneInput(data: bytes) -> None:  # noqa: N802 - atheris's name
    try:
        TARGETS[data[0] % len(TARGETS) if data else 0](data[1:])
    except (StsError, AssumeError, IdentifyError, sigv4.SigV4Error):
        return
    except HttpError:  # what a head may be turned away with
        return


def main() -> None:
    arguments = sys.argv
    if not [one for one in arguments[1:] if not one.startswith("-")]:
        folder = Path(tempfile.mkdtemp(prefix="actas-fuzz-"))
        for place, seed in enumerate(SEEDS):
            (folder / f"seed-{place}").write_bytes(seed)
        arguments = [*arguments, str(folder)]
    atheris.Setup(arguments, TestOneInput)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
