"""Answers that come in pieces through a function's URL, as Lambda's RESPONSE_STREAM gives them."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from actas.http.function_url_events import answer
from actas.http.lambda_api import frames
from actas.model.outcome import Answered

KIND = "application/vnd.awslambda.http-integration-response"
NULS = b"\0" * 8


def head(**told):
    return json.dumps(told).encode() + NULS


class Lambda(ThreadingHTTPServer):
    """Answers as Lambda's API does; between two pieces it waits until a test lets it go on."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.kind, self.pieces, self.go_on = KIND, [], threading.Event()
        self.paths = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.paths.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", self.server.kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, piece in enumerate(self.server.pieces):
            if number:
                self.server.go_on.wait(20)
            self._chunk(b"".join(frames.chunks(piece)))
        self._chunk(frames.complete())
        self._chunk(b"")

    def _chunk(self, octets):
        self.wfile.write(b"%x\r\n%b\r\n" % (len(octets), octets))
        self.wfile.flush()

    def log_message(self, *_told):
        pass


@pytest.fixture(scope="module")
def aws():
    with Lambda() as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.05,))
        thread.start()
        yield serving
        serving.go_on.set()
        serving.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def house(running, settings, aws):
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:streams"
    made = settings(
        functions={"streams": {"lambda": arn, "endpoint": aws.url, "stream": True, "url": "any", "timeout": "20s"}},
        rules=[
            {"id": "urls", "who": {"provider": "corp", "groups": ["finance"]}, "may": ["streams"], "as": "reader"},
        ],
    )
    with running(made) as one:
        yield one


@pytest.fixture
def opened(house, tokens):
    """Open the function's URL, to be read as its answer comes."""
    headers = {"Authorization": f"Bearer {tokens['ana']}"}
    with httpx.Client(trust_env=False, timeout=30) as client:
        yield lambda: client.stream("GET", f"http://{house.public}/function-url/streams/a", headers=headers)


def test_the_first_piece_is_there_before_the_second_is_written(aws, opened):
    told = head(statusCode=201, headers={"content-type": "text/plain", "x-own": "yes"}, cookies=["a=1", "b=2"])
    aws.kind, aws.pieces = KIND, [told + b"first ", b"second"]
    aws.go_on.clear()

    with opened() as answered:
        pieces = answered.iter_raw()
        first = next(pieces)
        aws.go_on.set()
        rest = b"".join(pieces)

    assert (answered.status_code, first, rest) == (201, b"first ", b"second")
    assert (answered.headers["content-type"], answered.headers["x-own"]) == ("text/plain", "yes")
    assert answered.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert "/response-streaming-invocations" in aws.paths[-1]


def test_a_stream_without_a_head_goes_out_as_it_is(aws, opened):
    aws.kind, aws.pieces = "application/octet-stream", [b"one ", b"two"]
    aws.go_on.set()

    with opened() as answered:
        found = answered.read()

    assert (answered.status_code, found) == (200, b"one two")
    assert answered.headers["content-type"] == "application/octet-stream"


def test_a_stream_whose_head_is_none_is_a_failure(aws, opened):
    aws.kind, aws.pieces = KIND, [b"no head at all"]

    with opened() as answered:
        answered.read()

    assert answered.status_code == 502


def written(payload, kind=KIND):
    return answer(Answered(payload=payload, headers=(("Content-Type", kind),)))


def test_what_a_local_function_wrote_as_a_stream_has_its_own_head():
    found = written(head(statusCode=404, headers={"Content-Type": "text/html"}, cookies=["a=1"]) + b"<p>" + NULS)

    assert (found.status, found.payload) == (404, b"<p>" + NULS)
    assert found.headers == (("Content-Type", "text/html"), ("set-cookie", "a=1"))


def test_a_head_without_a_type_says_octets():
    found = written(head() + b"x")

    assert (found.status, found.payload) == (200, b"x")
    assert found.headers == (("Content-Type", "application/octet-stream"),)


@pytest.mark.parametrize(
    "payload",
    [b"", b"{}", b"[]" + NULS, head(statusCode=99), head(headers={"a b": "c"}), b" " * 65_537 + NULS],
    ids=["nothing", "no end of the head", "no object", "no status", "no field", "a head without measure"],
)
def test_a_head_that_is_none_is_a_bad_gateway(payload):
    assert written(payload).status == 502


def test_nothing_is_taken_for_a_head_where_the_function_does_not_say_so():
    assert written(head(statusCode=404) + b"x", kind="application/octet-stream").status == 200
