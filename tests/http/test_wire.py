"""What the server underneath lets pass, closed by our doors: each over a socket whose octets we write ourselves."""

import json
import socket

import anyio
import pytest

from actas.http.server import PortTaken, serving

SLOW = "http.request-too-slow"
HOST = b"Host: gateway.example\r\n"


def ask(token, *lines, body=b"", line=b"POST /call/web HTTP/1.1", host=HOST):
    head = [line, *host.splitlines(), b"Authorization: Bearer " + token.encode(), *lines]
    return b"\r\n".join([*head, b"", body])


def sized(body):
    return b"Content-Length: %d" % len(body)


@pytest.fixture
def ana(tokens):
    return tokens["ana"]


def test_a_request_with_one_of_everything_is_answered(gateway, service, ana):
    with gateway.wire() as wire:
        answer = wire.say(ask(ana, sized(b"{}"), body=b"{}")).answer()

    assert answer.status == 200
    assert service.bodies == [b"{}"]


HEADS = [
    ("no host", b"", (), "http.malformed-request"),
    ("an empty host", b"Host:\r\n", (), "http.malformed-request"),
    ("two hosts", HOST + b"Host: other.example\r\n", (), "http.malformed-request"),
    ("the same host twice", HOST + HOST, (), "http.malformed-request"),
    ("two hosts in one field", b"Host: gateway.example, other.example\r\n", (), "http.malformed-request"),
    ("a host with user information", b"Host: ana@gateway.example\r\n", (), "http.malformed-request"),
    ("a host with a path", b"Host: gateway.example/x\r\n", (), "http.malformed-request"),
    ("a host that is not plain", b"Host: g\xc3\xa9teway.example\r\n", (), "http.malformed-request"),
    ("two roles", HOST, (b"Actas-Role: reader", b"Actas-Role: reader"), "http.malformed-request"),
    ("two content types", HOST, (b"Content-Type: a/b", b"Content-Type: a/b"), "http.malformed-request"),
    ("two trace parents", HOST, (b"traceparent: a", b"traceparent: b"), "http.malformed-request"),
    ("two authorizations", HOST, (b"Authorization: Bearer abc",), "http.malformed-authorization"),
]


@pytest.mark.parametrize(("host", "lines", "code"), [one[1:] for one in HEADS], ids=[one[0] for one in HEADS])
@pytest.mark.parametrize("line", [b"POST /call/web HTTP/1.1", b"GET /orders/7 HTTP/1.1", b"GET /healthz HTTP/1.1"])
def test_what_two_servers_could_read_in_two_ways_is_refused_on_every_path(
    host, lines, code, line, gateway, service, ana
):
    with gateway.wire() as wire:
        answer = wire.say(ask(ana, sized(b""), *lines, line=line, host=host)).answer()

    assert answer.status == 400
    assert answer.json()["code"] == code
    assert service.heads == []


@pytest.mark.parametrize(("host", "lines", "code"), [one[1:] for one in HEADS], ids=[one[0] for one in HEADS])
def test_the_control_origin_refuses_the_same(host, lines, code, gateway, ana):
    with gateway.control_wire() as wire:
        answer = wire.say(ask(ana, *lines, line=b"GET /healthz HTTP/1.1", host=host)).answer()

    assert (answer.status, answer.json()["code"]) == (400, code)


REFUSED_BELOW = [
    ("two lengths that differ", (b"Content-Length: 2", b"Content-Length: 3")),
    ("a length with a sign", (b"Content-Length: +2",)),
    ("a length that is no number", (b"Content-Length: 0x2",)),
    ("a coding that is not known", (b"Transfer-Encoding: xchunked",)),
    ("a coding after chunked", (b"Transfer-Encoding: chunked, identity",)),
    ("a folded field", (b"X-Folded: a", b" b")),
    ("a space before the colon", (b"X-Spaced : a",)),
    ("a NUL in a field", (b"X-Nul: a\x00b",)),
]


@pytest.mark.parametrize("lines", [one[1] for one in REFUSED_BELOW], ids=[one[0] for one in REFUSED_BELOW])
def test_a_head_that_is_no_http_is_refused_and_the_connection_closed(lines, gateway, service, ana):
    with gateway.wire() as wire:
        answer = wire.say(ask(ana, *lines, body=b"{}")).answer()

        assert answer.status == 400
        assert wire.is_closed()
    assert service.heads == []


def test_a_length_beside_a_transfer_coding_counts_for_nothing_and_ends_the_connection(gateway, service, ana):
    smuggled = ask(ana, sized(b""), line=b"GET /orders/smuggled HTTP/1.1")
    with gateway.wire() as wire:
        answer = wire.say(
            ask(ana, b"Content-Length: 4", b"Transfer-Encoding: chunked", body=b"2\r\n{}\r\n0\r\n\r\n"), smuggled
        ).answer()

        assert answer.status == 200
        assert wire.is_closed()
    assert service.bodies == [b"{}"]
    assert len(service.heads) == 1
    assert "content-length" not in service.fields or service.fields["content-length"] == "2"


def test_a_body_that_nobody_read_is_not_the_next_request(gateway, service, ana, tokens):
    smuggled = ask(ana, sized(b""), line=b"GET /orders/smuggled HTTP/1.1")
    with gateway.wire() as wire:
        first = wire.say(ask(tokens["ben"], sized(smuggled), line=b"POST /orders HTTP/1.1", body=smuggled)).answer()
        second = wire.say(ask(ana, sized(b"{}"), body=b"{}")).answer()

    assert first.status == 403
    assert second is None or second.status == 200
    assert not any("smuggled" in head for head in service.heads)


def test_two_requests_in_one_breath_are_two_requests(gateway, service, ana):
    with gateway.wire() as wire:
        wire.say(ask(ana, sized(b"[1]"), body=b"[1]") + ask(ana, sized(b"[2]"), body=b"[2]"))

        assert [wire.answer().status, wire.answer().status] == [200, 200]
    assert service.bodies == [b"[1]", b"[2]"]


def test_an_authorization_with_other_than_ascii_is_no_token(gateway, ana):
    with gateway.wire() as wire:
        answer = wire.say(
            b"POST /call/web HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\nAuthorization: Bearer "
            b"\xc3\xa9" + ana.encode() + b"\r\n\r\n"
        ).answer()

    assert answer.status in (400, 401)
    assert "www-authenticate" in answer


def test_a_role_with_other_than_ascii_is_never_the_one_that_the_rules_give(gateway, service, ana):
    with gateway.wire() as wire:
        answer = wire.say(ask(ana, b"Actas-Role: reader\xc3\xa9", sized(b"{}"), body=b"{}")).answer()

    assert answer.status == 403
    assert service.heads == []


def test_a_field_of_other_than_ascii_harms_nobody(gateway, service, ana):
    with gateway.wire() as wire:
        answer = wire.say(ask(ana, b"X-Name: Jos\xc3\xa9", sized(b"{}"), body=b"{}")).answer()

    assert answer.status == 200


@pytest.mark.parametrize("count", [100, 101], ids=["as many fields as may be", "one field too many"])
def test_the_number_of_header_fields_is_limited(count, gateway, service, ana):
    lines = [b"x-%d: y" % number for number in range(count - 3)]
    with gateway.wire() as wire:
        answer = wire.say(ask(ana, sized(b"{}"), *lines, body=b"{}")).answer()

    assert answer.status == (200 if count == 100 else 431)


@pytest.mark.parametrize("more", [0, 1], ids=["as large as may be", "one octet too large"])
def test_the_size_of_the_header_section_is_limited(more, gateway, service, ana):
    lines = (HOST.strip(), b"Authorization: Bearer " + ana.encode(), sized(b"{}"), b"x: ")
    used = sum(len(name) + len(value) for name, value in (line.split(b": ") for line in lines))
    with gateway.wire() as wire:
        answer = wire.say(ask(ana, sized(b"{}"), b"x: " + b"y" * (32_768 - used + more), body=b"{}")).answer()

    assert answer.status == (431 if more else 200)
    assert not more or answer.json()["code"] == "http.head-too-large"


def test_a_header_section_beyond_all_measure_is_refused_before_it_is_whole(gateway):
    with gateway.wire() as wire:
        answer = wire.say(b"GET / HTTP/1.1\r\n" + HOST + b"x: " + b"y" * 600_000).answer()

        assert answer is None or answer.status == 431
        assert wire.is_closed()


@pytest.mark.parametrize("more", [0, 1], ids=["as long as may be", "one octet too long"])
def test_the_length_of_the_target_is_limited(more, gateway, service, ana):
    path = b"/orders/7?" + b"q" * (8192 - len(b"/orders/7") + more)
    with gateway.wire() as wire:
        answer = wire.say(ask(ana, line=b"GET " + path + b" HTTP/1.1")).answer()

    assert answer.status == (414 if more else 200)


@pytest.mark.parametrize("more", [0, 1], ids=["as large as may be", "one octet too large"])
@pytest.mark.parametrize("chunked", [False, True], ids=["of a known length", "of an unknown length"])
def test_a_body_is_limited(more, chunked, gateway, service, ana):
    body = b"x" * (256 * 1024 + more)
    said = b"Transfer-Encoding: chunked" if chunked else sized(body)
    sent = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body
    with gateway.wire() as wire:
        answer = wire.say(ask(ana, said, body=sent)).answer()

    assert answer.status == (413 if more else 200)
    assert answer.json()["code"] == "http.request-too-large" if more else service.bodies == [body]


def test_a_body_that_is_said_to_be_too_large_is_refused_before_it_comes(gateway, service, ana):
    with gateway.wire() as wire:
        answer = wire.say(ask(ana, b"Content-Length: 99999999999")).answer()

    assert answer.status == 413
    assert service.heads == []


@pytest.mark.parametrize(
    "line", [b"POST /call/web HTTP/1.1", b"POST /orders HTTP/1.1"], ids=["of a call", "of a route"]
)
@pytest.mark.parametrize("length", [b"Content-Length: 10", b"Content-Length: 100000", b"Transfer-Encoding: chunked"])
def test_a_body_that_does_not_come_is_not_waited_for(line, length, gateway, ana):
    with gateway.wire() as wire:
        answer = wire.say(ask(ana, length, line=line, body=b"1\r\n")).answer()

    assert answer.status == 408
    assert answer.json()["code"] == "http.request-too-slow"


def test_a_caller_who_hangs_up_within_the_body_is_not_run(gateway, service, ana, waits_for):
    before = len(gateway.records())
    with gateway.wire() as wire:
        wire.say(ask(ana, b"Content-Length: 100", body=b"{}"))
    with gateway.wire() as wire:
        wire.say(ask(ana, b"Content-Length: 200000", body=b"{}"))

    errors = waits_for(lambda: {one.get("error") for one in gateway.records()[before:]} - {None, SLOW})
    assert errors == {"http.caller-went-away"}
    assert service.bodies == []


@pytest.mark.parametrize(
    ("target", "sent"),
    [(b"http://other.example/orders/7", "/orders/7"), (b"/orders/7#fragment", "/orders/7")],
    ids=["an absolute target", "a target with a fragment"],
)
def test_what_is_decided_on_is_what_is_sent(target, sent, gateway, service, ana):
    with gateway.wire() as wire:
        answer = wire.say(ask(ana, line=b"GET " + target + b" HTTP/1.1")).answer()

    assert answer.status == 200
    assert service.target == sent
    assert service.fields["host"] == service.url.removeprefix("http://")
    assert gateway.trail(answer["actas-call-id"])[0]["route"] == "GET /orders/{id}"


@pytest.mark.parametrize(
    "line",
    [b"OPTIONS * HTTP/1.1", b"CONNECT other.example:443 HTTP/1.1", b"get /web/x HTTP/1.1", b"GET //web/x HTTP/1.1"],
)
def test_targets_and_methods_of_another_form_are_refused(line, gateway, service, ana):
    with gateway.wire() as wire:
        answer = wire.say(ask(ana, line=line)).answer()

    assert answer.status == 400
    assert service.heads == []


def test_an_upgrade_is_not_done(gateway, service, ana):
    with gateway.wire() as wire:
        answer = wire.say(
            ask(ana, b"Connection: Upgrade", b"Upgrade: websocket", line=b"GET /web/socket HTTP/1.1")
        ).answer()

    assert answer.status == 200
    assert not {"upgrade", "connection"} & set(service.fields) - {"connection"}


def test_http_2_is_not_spoken(gateway):
    with gateway.wire() as wire:
        assert wire.say(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").answer() is None


class TestConnections:
    """Against the server alone, with little patience."""

    @pytest.fixture
    def anyio_backend(self):
        return ("asyncio", {"use_uvloop": True})

    @staticmethod
    async def hello(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"hi", "more_body": False})

    @pytest.mark.anyio
    @pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: a", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"])
    async def test_a_connection_that_sends_no_whole_head_is_closed(self, said, wire):
        def client(place):
            with wire(place) as one:
                one.say(said)
                answered = one.answer() if said.endswith(b"\r\n\r\n") else None
                return answered and answered.status, one.is_closed()

        async with serving(self.hello, "127.0.0.1:0", grace=1, patience=0.3) as place:
            status, closed = await anyio.to_thread.run_sync(client, place)

        assert status == (200 if said.endswith(b"\r\n\r\n") else None)
        assert closed

    @pytest.mark.anyio
    async def test_idle_connections_keep_nobody_out(self, wire):
        def client(place):
            idle = [wire(place) for _ in range(400)]
            for one in idle[:200]:
                one.say(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").answer()
            with wire(place) as late:
                found = late.say(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").answer()
            for one in idle:
                one.__exit__()
            return found.status

        async with serving(self.hello, "127.0.0.1:0", grace=1) as place:
            assert await anyio.to_thread.run_sync(client, place) == 200

    @pytest.mark.anyio
    async def test_a_port_that_somebody_listens_on_is_refused_instead_of_shared(self):
        async with serving(self.hello, "127.0.0.1:0", grace=1) as place:
            with pytest.raises(PortTaken) as wrong:
                async with serving(self.hello, place, grace=1):
                    pass

        assert place in str(wrong.value)

    @pytest.mark.anyio
    async def test_the_port_is_free_again_afterwards(self):
        async with serving(self.hello, "127.0.0.1:0", grace=1) as place:
            pass
        async with serving(self.hello, place, grace=1) as again:
            assert again == place

    @pytest.mark.anyio
    async def test_a_port_of_another_program_is_refused_as_well(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            place = f"127.0.0.1:{other.getsockname()[1]}"

            with pytest.raises(PortTaken):
                async with serving(self.hello, place, grace=1):
                    pass


def test_more_requests_than_may_be_in_flight_are_refused_in_plain_words(running, settings, service, tokens, waits_for):
    with running(settings(limits={"connections": 1})) as one, one.wire() as busy, one.wire() as other:
        busy.say(ask(tokens["ana"], line=b"GET /web/wait HTTP/1.1"))
        assert service.got_piece.wait(20)
        refused = other.say(ask(tokens["ana"], line=b"GET /orders/7 HTTP/1.1")).answer()
        health = other.say(ask(tokens["ana"], line=b"GET /healthz HTTP/1.1")).answer()
        service.go_on.set()
        answered = busy.answer()
        again = other.say(ask(tokens["ana"], line=b"GET /orders/7 HTTP/1.1")).answer()

    assert (refused.status, refused.json()["code"], refused["retry-after"]) == (503, "http.overloaded", "5")
    assert (health.status, answered.status, again.status) == (200, 200, 200)
    assert json.loads(health.body) == {"alive": True}
