"""A double of what hands out credentials: STS, Entra ID and Google, over real sockets in their wire formats.

It verifies our tokens and signatures as they would (keys, issuer, audience, times, scope). What it leaves out: trust
policies and federated credentials, the packed size of policies and tags, real rights behind what it hands out.
"""

import itertools
import json
import threading
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from actas import jose, sigv4
from actas.assume.exchange import Exchange
from actas.assume.vouching import Voucher
from actas.model import clock

ISSUER = "https://actas.example"
KEYS = {"ES256": jose.Key.generate("ES256", kid="one"), "RS256": jose.Key.generate("RS256", kid="two")}
BASE_SECRET = "secret-of-the-base-identity"
POOL = "//iam.googleapis.com/projects/1234/locations/global/workloadIdentityPools/actas/providers/actas"
STS = "https://sts.amazonaws.com/doc/2011-06-15/"
ANSWER = """<{action}Response xmlns="{sts}"><{action}Result><Credentials>
<SessionToken>token-{number}</SessionToken><SecretAccessKey>secret-{number}</SecretAccessKey>
<Expiration>{ends:%Y-%m-%dT%H:%M:%SZ}</Expiration><AccessKeyId>ASIA{number:016}</AccessKeyId></Credentials>
</{action}Result></{action}Response>"""
ERROR = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>{code}</Code><Message>ana-7f0c is not welcome</Message></Error><RequestId>1</RequestId></ErrorResponse>"""


class Refused(Exception):
    """What was shown does not hold."""


class Cloud(BaseHTTPRequestHandler):
    """Their side of the wire."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        form = {key: values[0] for key, values in parse_qs(body.decode(), keep_blank_values=True).items()}
        self.server.asked.append((self.path, dict(self.headers), json.loads(body) if body[:1] == b"{" else form))
        if self.server.says:
            self.answer(*self.server.says.pop(0))
            return
        try:
            self.answer(200, self.given(form, body))
        except Refused as wrong:
            text = ERROR.format(code=wrong) if self.path == "/" else json.dumps({"error": str(wrong)})
            self.answer(400, text)
        except (jose.JoseError, sigv4.SigV4Error) as wrong:
            self.server.refused.append(wrong)
            text = ERROR.format(code="InvalidIdentityToken") if self.path == "/" else '{"error": "invalid_client"}'
            self.answer(400, text)

    def given(self, form, body):
        match self.path:
            case "/":
                return self.sts(form, body)
            case "/contoso/oauth2/v2.0/token":
                self.verified(form["client_assertion"], "api://AzureADTokenExchange", "RS256")
                return json.dumps({"token_type": "Bearer", "expires_in": 3599, "access_token": self.token("azure")})
            case "/v1/token":
                self.verified(form["subject_token"], f"https:{form['audience']}", "ES256")
                return json.dumps(
                    {
                        "access_token": self.token("federated"),
                        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
                        "token_type": "Bearer",
                        "expires_in": 3599,
                    }
                )
            case path if path.endswith(":generateAccessToken"):
                return self.impersonated(body)
        raise Refused("not-found")

    def impersonated(self, body):
        if not self.headers["authorization"].startswith("Bearer federated-"):
            raise Refused("unauthenticated")
        seconds = int(json.loads(body)["lifetime"].removesuffix("s"))
        ends = clock.now() + timedelta(seconds=seconds)
        return json.dumps({"accessToken": self.token("account"), "expireTime": f"{ends:%Y-%m-%dT%H:%M:%SZ}"})

    def sts(self, form, body):
        match form["Action"]:
            case "AssumeRoleWithWebIdentity":
                if form["WebIdentityToken"] != self.server.callers_own:
                    self.verified(form["WebIdentityToken"], "sts.amazonaws.com", "ES256")
            case "AssumeRoleWithSAML":
                if form["SAMLAssertion"] != self.server.callers_own:
                    raise Refused("InvalidIdentityToken")
            case "AssumeRole":
                sigv4.verify(
                    "POST", f"http://{self.headers['host']}/", list(self.headers.items()), body,
                    find_secret=lambda key, _token: BASE_SECRET if key == "AKIABASE" else self.server.secrets.get(key),
                    now=clock.now(), region="eu-west-1", service="sts",
                )  # fmt: skip
        number = next(self.server.numbers)
        self.server.secrets[f"ASIA{number:016}"] = f"secret-{number}"
        ends = clock.now() + timedelta(seconds=int(form["DurationSeconds"]))
        return ANSWER.format(action=form["Action"], sts=STS, number=number, ends=ends)

    def verified(self, token, audience, algorithm):
        keys = jose.KeySet.from_json({"keys": [KEYS[algorithm].to_json()]})
        return jose.verify_jwt(
            token, keys, issuer=ISSUER, audience=audience, now=clock.now() - self.server.behind, algorithms=(algorithm,)
        )

    def token(self, kind):
        return f"{kind}-{next(self.server.numbers)}"

    def answer(self, status, text, headers=()):
        self.send_response_only(status)
        self.send_header("Date", format_datetime(clock.now() - self.server.behind, usegmt=True))
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_words):
        pass


@pytest.fixture
def cloud():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Cloud)
    server.daemon_threads = True
    server.handle_error = lambda *_who: None  # who hung up did so on purpose
    server.asked, server.says, server.refused, server.numbers = [], [], [], itertools.count(1)
    server.callers_own, server.secrets, server.behind = None, {}, timedelta(0)
    server.url = f"http://127.0.0.1:{server.server_port}/"
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
def named():
    return Named()


@pytest.fixture
async def exchange():
    made = Exchange(random=lambda: 0.0)
    yield made
    await made.close()


@pytest.fixture
def voucher():
    def make(issuer=ISSUER, algorithm="ES256"):
        return Voucher(issuer=issuer, newest=lambda: KEYS[algorithm], algorithm=algorithm)

    return make


@pytest.fixture
def now():
    return clock.now().replace(microsecond=0)


@pytest.fixture
def granted(grant, but, now):
    return lambda **more: grant(but(expires_at=now + timedelta(minutes=30)), **more)


@pytest.fixture
def pool():
    return POOL


@pytest.fixture
def error():
    return lambda code: ERROR.format(code=code)


@pytest.fixture
def forms(cloud):
    """What was asked at STS, as forms."""
    return lambda: [form for path, _, form in cloud.asked if path == "/"]
