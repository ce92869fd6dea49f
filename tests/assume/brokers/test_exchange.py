"""Asking whoever hands out credentials: throttling, trouble that passes, silence, and clocks that differ."""

import socket
import threading
from datetime import timedelta

import pytest

from actas.assume import sts
from actas.assume.errors import BrokerRefused, BrokerThrottled, BrokerUnreachable, ClockSkewed
from actas.assume.exchange import LARGEST, Asked, Exchange
from actas.model import clock

pytestmark = pytest.mark.anyio


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.now = clock.now()

    def __call__(self):
        return self.now


@pytest.fixture
def watch():
    return Clock()


@pytest.fixture
async def exchange(watch):
    made = Exchange(clock=watch, random=lambda: 0.0, patience=2.0)
    yield made
    await made.close()


@pytest.fixture
def asked(cloud):
    body = b"Action=GetCallerIdentity"
    return Asked(broker="aws", url=cloud.url, headers=sts.HEADERS, body=body, code=sts.error_code)


PASSING = [
    ("throttling, told by its code", 400, "Throttling"),
    ("throttling, told by its status", 429, "Other"),
    ("a provider that STS could not reach", 400, "IDPCommunicationError"),
    ("a gateway in front of it", 502, ""),
    ("trouble inside", 500, "InternalFailure"),
]


@pytest.mark.parametrize(("status", "code"), [row[1:] for row in PASSING], ids=[row[0] for row in PASSING])
async def test_what_passes_is_asked_again(exchange, asked, cloud, error, status, code):
    cloud.says = [(status, error(code)), (status, error(code)), (200, "yes")]

    assert await exchange.ask(asked) == b"yes"
    assert len(cloud.asked) == 3


async def test_a_no_is_not_asked_again(exchange, asked, cloud, error):
    cloud.says = [(403, error("AccessDenied")), (200, "yes")]
    with pytest.raises(BrokerRefused, match="AccessDenied"):
        await exchange.ask(asked)

    assert len(cloud.asked) == 1


async def test_a_party_that_throttles_is_left_alone_for_longer_and_longer(exchange, asked, cloud, error, watch):
    waits = []
    for _ in range(7):
        cloud.says = [(400, error("Throttling"))] * 3
        with pytest.raises(BrokerThrottled) as told:
            await exchange.ask(asked)
        before = len(cloud.asked)
        with pytest.raises(BrokerThrottled):
            await exchange.ask(asked)
        assert len(cloud.asked) == before  # nobody asked
        waits.append(told.value.retry_after)
        watch.now += timedelta(seconds=told.value.retry_after)

    assert waits == [1, 2, 4, 8, 16, 30, 30]
    assert told.value.status == 503


async def test_once_it_answers_the_wait_begins_anew(exchange, asked, cloud, error, watch):
    for _ in range(3):
        cloud.says = [(400, error("Throttling"))] * 3
        with pytest.raises(BrokerThrottled) as told:
            await exchange.ask(asked)
        watch.now += timedelta(seconds=told.value.retry_after)
    cloud.says = [(200, "yes")]
    await exchange.ask(asked)
    cloud.says = [(400, error("Throttling"))] * 3

    with pytest.raises(BrokerThrottled) as told:
        await exchange.ask(asked)
    assert told.value.retry_after == 1


async def test_what_the_party_asks_for_itself_is_kept_to(exchange, asked, cloud, error):
    cloud.says = [(429, error("Throttling"), {"Retry-After": "17"})] * 3
    with pytest.raises(BrokerThrottled) as told:
        await exchange.ask(asked)

    assert told.value.retry_after == 17


SKEWS = [("ahead", 60, "ahead of"), ("behind", -60, "behind")]


@pytest.mark.parametrize(("seconds", "said"), [row[1:] for row in SKEWS], ids=[row[0] for row in SKEWS])
async def test_a_clock_that_is_wrong_is_said_with_the_refusal(exchange, asked, cloud, error, seconds, said):
    cloud.behind = timedelta(seconds=seconds)
    cloud.says = [(400, error("ExpiredTokenException"))]
    with pytest.raises(ClockSkewed) as told:
        await exchange.ask(asked)

    assert said in str(told.value)
    assert "ExpiredTokenException" in str(told.value)
    assert told.value.status == 503


async def test_a_clock_that_is_nearly_right_is_not_blamed(exchange, asked, cloud, error):
    cloud.behind = timedelta(seconds=15)
    cloud.says = [(400, error("ExpiredTokenException"))]
    with pytest.raises(BrokerRefused):
        await exchange.ask(asked)

    assert 10 < next(iter(exchange.ahead.values())) < 20


@pytest.mark.parametrize("text", ["", "yesterday", "Mon, 99 Nov 2026 00:00:00 GMT"])
async def test_a_date_that_is_none_tells_nothing(exchange, text):
    exchange._note_time("host", text)

    assert exchange.ahead == {}


async def test_an_answer_too_large_is_not_read_to_its_end(exchange, asked, cloud):
    cloud.says = [(200, "x" * (LARGEST + 1))]
    with pytest.raises(BrokerRefused, match="more than"):
        await exchange.ask(asked)
    cloud.says = [(200, "x" * LARGEST)]

    assert len(await exchange.ask(asked)) == LARGEST


async def test_a_redirect_is_not_followed(exchange, asked, cloud):
    cloud.says = [(302, "", {"Location": "http://169.254.169.254/"})]
    with pytest.raises(BrokerRefused, match="status 302"):
        await exchange.ask(asked)

    assert len(cloud.asked) == 1


async def test_a_party_that_never_answers_is_given_up(asked, watch):
    impatient = Exchange(clock=watch, random=lambda: 0.0, patience=0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_one = Asked(**{**_parts(asked), "url": f"http://127.0.0.1:{silent.getsockname()[1]}/"})
        with pytest.raises(BrokerUnreachable, match=r"no answer within 0\.1 s"):
            await impatient.ask(silent_one)
        await impatient.close()


def _parts(asked):
    return {name: getattr(asked, name) for name in ("broker", "url", "headers", "body", "code")}


IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>{arn}</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>"""


def test_an_identity_is_read_where_it_stands_and_nowhere_else():
    arn = "arn:aws:sts::111122223333:assumed-role/exec/billing"

    assert sts.identity(IDENTITY.format(arn=arn).encode(), broker="aws") == arn
    for other in ("<a/>", IDENTITY.format(arn=""), IDENTITY.format(arn="a b"), f"<Arn>{arn}</Arn>"):
        with pytest.raises(BrokerRefused):
            sts.identity(other.encode(), broker="aws")


TRICKS = [
    ("an entity", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
    ("UTF-16", "<a/>".encode("utf-16")),
    ("a NUL", b"<a>\0</a>"),
    ("no text", b"\xff\xff"),
    ("nothing", b""),
]


@pytest.mark.parametrize("content", [row[1] for row in TRICKS], ids=[row[0] for row in TRICKS])
def test_what_is_no_plain_xml_is_refused_by_name(content):
    with pytest.raises(BrokerRefused):
        sts.credentials(content, broker="aws")
    assert sts.error_code(content) == ""


def test_regions_of_china_have_their_own_names():
    assert sts.endpoint("eu-west-1") == "https://sts.eu-west-1.amazonaws.com/"
    assert sts.endpoint("cn-north-1", "aws-cn") == "https://sts.cn-north-1.amazonaws.com.cn/"


async def test_a_connection_that_is_gone_is_made_anew(exchange, asked):
    """A server that closes after each request, as many do with a connection that was idle."""
    asked_of = []

    def serve(listener):
        for number in range(3):
            connection, _ = listener.accept()
            with connection:
                asked_of.append(connection.recv(4096))
                if number:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        here = Asked(**{**_parts(asked), "url": f"http://127.0.0.1:{listener.getsockname()[1]}/"})
        assert await exchange.ask(here) == b"yes"
        assert await exchange.ask(here) == b"yes"
        thread.join()

    assert len(asked_of) == 3
