"""The trade at STS, over the wire form of its query protocol.

The double verifies our token as AWS would (issuer, audience, times) and answers in AWS's XML; what it leaves out: trust
policies, the packed size of policies and tags.
"""

import itertools
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from actas import iam, jose
from actas.assume.brokers.aws_web_identity import AwsWebIdentityBroker
from actas.assume.errors import BrokerRefused, BrokerUnreachable
from actas.model import clock
from actas.testing.contracts.broker import BrokerContract

pytestmark = pytest.mark.anyio
ISSUER = "https://actas.example"
KEY = jose.Key.generate("ES256", kid="one")
ANSWER = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><SubjectFromWebIdentityToken>x</SubjectFromWebIdentityToken><Credentials>
<SessionToken>token-{number}</SessionToken><SecretAccessKey>secret-{number}</SecretAccessKey>
<Expiration>{ends:%Y-%m-%dT%H:%M:%SZ}</Expiration><AccessKeyId>ASIA{number:016}</AccessKeyId></Credentials>
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""
ERROR = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>{code}</Code><Message>ana-7f0c is not welcome</Message></Error><RequestId>1</RequestId></ErrorResponse>"""


class Sts(BaseHTTPRequestHandler):
    """STS's side of the wire."""

    def do_POST(self):
        form = {
            key: values[0]
            for key, values in parse_qs(self.rfile.read(int(self.headers["content-length"])).decode()).items()
        }
        self.server.asked.append(form)
        keys = jose.KeySet.from_json(KEY.to_json())
        try:
            jose.verify_jwt(
                form["WebIdentityToken"], keys, issuer=ISSUER, audience="sts.amazonaws.com",
                now=clock.now(), algorithms=("ES256",),
            )  # fmt: skip
        except jose.JoseError:
            self.answer(400, ERROR.format(code="InvalidIdentityToken"))
            return
        if self.server.says is not None:
            self.answer(*self.server.says)
            return
        ends = clock.now() + timedelta(seconds=int(form["DurationSeconds"]))
        self.answer(200, ANSWER.format(number=next(self.server.numbers), ends=ends))

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_words):
        pass


@pytest.fixture
def sts():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sts)
    server.asked, server.says, server.numbers = [], None, itertools.count(1)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


class Named:
    async def of(self, _issuer, _subject):
        return "p-ana"


@pytest.fixture
def make(sts):
    def broker(**more):
        where = f"http://127.0.0.1:{sts.server_port}/"
        return AwsWebIdentityBroker(
            newest=lambda: KEY, pseudonyms=Named(), issuer=more.pop("issuer", ISSUER), sts=more.pop("sts", where)
        )

    return broker


@pytest.fixture
def now():
    return clock.now().replace(microsecond=0)


@pytest.fixture
def granted(grant, but, now):
    return lambda **more: grant(but(expires_at=now + timedelta(minutes=30)), **more)


class TestAwsWebIdentity(BrokerContract):
    """aws_web_identity"""

    @pytest.fixture(autouse=True)
    def _parts(self, make, granted, now):
        self.made, self.granted, self.now = make(), granted, now

    def broker(self):
        return self.made

    def grant(self, **more):
        return self.granted(**more)


async def test_sts_is_shown_our_own_token_and_never_the_callers(make, granted, sts, now):
    await make().issue(granted(), now=now)

    for form in sts.asked:
        claims = jose.verify_jwt(
            form["WebIdentityToken"], jose.KeySet.from_json(KEY.to_json()), issuer=ISSUER,
            audience="sts.amazonaws.com", now=now, algorithms=("ES256",),
        )  # fmt: skip
        assert claims["sub"] == claims["https://aws.amazon.com/source_identity"] == "p-ana"
        assert claims["https://aws.amazon.com/tags"]["principal_tags"] == {"provider": ["corp"], "kind": ["human"]}
        assert claims.expires_at - claims.issued_at == timedelta(seconds=60)
        assert type(claims["exp"]) is type(claims["iat"]) is int
        assert "ana-7f0c" not in str(form)


async def test_each_session_has_its_own_policy(make, granted, sts, now):
    await make().issue(granted(), now=now)
    policies = sorted(form["Policy"] for form in sts.asked)

    assert len(policies) == 2
    assert sum('"Action":["lambda:InvokeFunction"]' in policy for policy in policies) == 1
    assert sum('"Effect":"Deny","Action":"sts:AssumeRole*"' in policy for policy in policies) == 1


async def test_sts_hands_out_nothing_shorter_than_a_quarter_of_an_hour_so_we_cut(make, granted, sts, now):
    sessions = await make().issue(granted(session="5m"), now=now)

    assert {form["DurationSeconds"] for form in sts.asked} == {"900"}
    assert sessions.work.expires_at == now + timedelta(minutes=5)


REFUSALS = [
    ("a code", (403, ERROR.format(code="AccessDenied")), "AccessDenied"),
    ("a status without a code", (500, "<html/>"), "status 500"),
    ("a document type", (200, '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "document type"),
    ("no XML", (200, "{}"), "no XML"),
    ("no credentials", (200, "<a/>"), "without credentials"),
]


@pytest.mark.parametrize(("says", "found"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
async def test_a_refusal_says_what_was_found_and_names_nobody(make, granted, sts, now, says, found):
    sts.says = says
    with pytest.raises(BrokerRefused) as refused:
        await make().issue(granted(), now=now)

    text = str(refused.value)
    assert found in text
    assert "ana" not in text


async def test_a_token_of_another_issuer_is_refused_by_sts(make, granted, now):
    with pytest.raises(BrokerRefused):
        await make(issuer="https://other.example").issue(granted(), now=now)


async def test_a_silent_sts_is_told_from_one_that_says_no(make, granted, now):
    with pytest.raises(BrokerUnreachable):
        await make(sts="http://127.0.0.1:1/").issue(granted(), now=now)


def allows(policy, at):
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    layers = iam.PolicySet(
        identity=(iam.Policy.parse(everything),), session=(iam.Policy.parse(policy, kind=iam.Kind.SESSION),)
    )
    request = iam.Request(
        principal="arn:aws:sts::000000000000:assumed-role/reader/p-ana",
        action="lambda:InvokeFunction",
        resource="arn:aws:lambda:us-east-1:000000000000:function:report:$LATEST",
        context={"aws:CurrentTime": at},
    )
    return iam.evaluate(request, layers).allowed


async def test_credentials_that_aws_lets_live_for_longer_are_worth_nothing_after_the_evidence(
    make, grant, but, now, sts
):
    ends = now + timedelta(minutes=5)
    await make().issue(grant(but(expires_at=ends)), now=now)

    assert len(sts.asked) == 2
    for form in sts.asked:
        assert form["DurationSeconds"] == "900"
        assert allows(form["Policy"], ends - timedelta(seconds=1))
        assert not allows(form["Policy"], ends)


async def test_a_session_that_sts_can_end_itself_has_no_such_statement(make, granted, now, sts):
    await make().issue(granted(), now=now)

    assert all(int(form["DurationSeconds"]) >= 900 for form in sts.asked)
    assert [form["Policy"] for form in sts.asked if "aws:CurrentTime" in form["Policy"]] == []
