"""An assertion for AWS: shown at the token door, believed, and passed on to STS when its token calls (`aws-saml`).

STS is a double that takes the one assertion that was shown; what it leaves out is everything else of STS.
"""

import base64
import itertools
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from actas.model import clock

GRANT = "urn:ietf:params:oauth:grant-type:saml2-bearer"
AWS = "https://signin.aws.amazon.com/saml"
PING = "arn:aws:iam::111122223333:saml-provider/ping"
ANSWER = """<AssumeRoleWithSAMLResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithSAMLResult>
<Credentials><SessionToken>t{n}</SessionToken><SecretAccessKey>s{n}</SecretAccessKey>
<Expiration>{ends:%Y-%m-%dT%H:%M:%SZ}</Expiration><AccessKeyId>ASIA{n:016}</AccessKeyId></Credentials>
</AssumeRoleWithSAMLResult></AssumeRoleWithSAMLResponse>"""


class Sts(BaseHTTPRequestHandler):
    """STS's side of the wire."""

    def do_POST(self):
        form = {
            name: found[0]
            for name, found in parse_qs(self.rfile.read(int(self.headers["content-length"])).decode()).items()
        }
        self.server.asked.append(form)
        ends = clock.now() + timedelta(seconds=int(form["DurationSeconds"]))
        text = ANSWER.format(n=next(self.server.numbers), ends=ends).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_words):
        pass


@pytest.fixture(scope="module")
def sts():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sts)
    server.daemon_threads = True
    server.asked, server.numbers = [], itertools.count(1)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def house(running, with_saml, sts):
    """A gateway whose provider's assertions are for AWS."""
    made = with_saml(ping={"passed_on": AWS, "audience": "urn:amazon:webservices"})
    made["roles"]["loosely"] = {
        "arn": "arn:aws:iam::111122223333:role/loosely", "broker": "aws-saml", "saml_provider": PING,
        "sts": f"http://127.0.0.1:{sts.server_port}/",
    }  # fmt: skip
    made["rules"] = [{"id": "loosely", "who": {"provider": "ping"}, "may": "web", "as": "loosely"}]
    with running(made) as one:
        yield one


def trade(house, assertion):
    form = {"grant_type": GRANT, "assertion": assertion}
    return house.ask("POST", "/saml/ping/token", control=True, data=form)


def test_sts_is_shown_the_assertion_that_the_caller_showed(house, ping, sts):
    shown = ping.assertion(recipient=AWS, audience="urn:amazon:webservices", lasts=timedelta(minutes=30))
    token = trade(house, shown).json()["access_token"]
    answer = house.ask("GET", "/orders/7", token)

    assert answer.status_code == 200, answer.text
    assert {form["Action"] for form in sts.asked} == {"AssumeRoleWithSAML"}
    assert {form["PrincipalArn"] for form in sts.asked} == {PING}
    padded = shown + "=" * (-len(shown) % 4)
    assert {base64.b64decode(form["SAMLAssertion"]) for form in sts.asked} == {base64.urlsafe_b64decode(padded)}


def test_an_assertion_for_the_gateway_is_not_one_for_aws(house, ping, sts):
    assert trade(house, ping.assertion(audience="urn:amazon:webservices")).status_code == 400
    assert trade(house, ping.assertion(recipient=AWS)).status_code == 400
