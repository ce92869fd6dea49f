"""A door that answers as STS does, and counts who asks."""

import http.server
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from actas.model import clock

ANSWER = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <AssumedRoleUser><Arn>arn:aws:sts::000000000000:assumed-role/staff/actas</Arn>
    <AssumedRoleId>AROA:actas</AssumedRoleId></AssumedRoleUser>
    <Credentials><AccessKeyId>ASIA{number:016}</AccessKeyId><SecretAccessKey>s3cret/{number}+</SecretAccessKey>
    <SessionToken>actas1.token{number}</SessionToken><Expiration>{end}</Expiration></Credentials>
  </AssumeRoleWithWebIdentityResult>
  <ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata>
</AssumeRoleWithWebIdentityResponse>"""
REFUSAL = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>
  <RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ErrorResponse>"""


@dataclass
class Sts:
    """What the door answers, and what it was asked."""

    life: timedelta = timedelta(hours=1)
    refuses: tuple[int, str, str] | None = None
    says: bytes | None = None
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    url: str = ""

    def answer(self, body):
        self.asked.append(parse_qs(body.decode()))
        if self.says is not None:
            return 200, self.says
        if self.refuses is not None:
            status, code, message = self.refuses
            return status, REFUSAL.format(code=code, message=message).encode()
        end = (clock.now() + self.life).strftime("%Y-%m-%dT%H:%M:%SZ")
        return 200, ANSWER.format(number=len(self.asked), end=end).encode()


@pytest.fixture
def sts():
    door = Sts()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            status, content = door.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_values):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        door.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield door
        server.shutdown()
        thread.join()


@pytest.fixture
def fresh_state(bench, tmp_path):
    """A state folder of this test's own, with the people of the bench."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    for file in bench.state.glob("demo*"):
        (state / file.name).write_bytes(file.read_bytes())
        (state / file.name).chmod(0o600)
    return state
