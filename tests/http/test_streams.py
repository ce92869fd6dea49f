"""Answers and bodies that come piece by piece; callers who hang up, stop reading, or are cut off."""

import socket
import threading

import pytest


def ask(token, path, *lines, method="GET"):
    fields = "".join(f"{one}\r\n" for one in lines)
    return f"{method} {path} HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer {token}\r\n{fields}\r\n".encode()


def ends(gateway, call):
    last = gateway.trail(call)[-1]
    return last["outcome"], last.get("error")


def test_an_answer_comes_as_it_is_made(gateway, service, tokens):
    with gateway.wire() as wire:
        head = wire.say(ask(tokens["ana"], "/web/drip")).answer(to_head=True)
        first = wire.piece()
        service.go_on.set()
        rest = [wire.piece(), wire.piece()]

    assert (first, rest) == (b"first", [b"second", b""])
    assert ends(gateway, head["actas-call-id"]) == ("answered", None)


def test_a_body_and_its_answer_flow_at_the_same_time(gateway, service, tokens):
    with gateway.wire() as wire:
        wire.say(ask(tokens["ana"], "/web/duplex", "Transfer-Encoding: chunked", method="POST"))
        wire.say(b"1\r\na\r\n")
        head = wire.answer(to_head=True)
        heard = [wire.piece()]
        for piece in (b"b", b"c"):
            wire.say(b"1\r\n%s\r\n" % piece)
            heard.append(wire.piece())
        wire.say(b"0\r\n\r\n")
        heard.append(wire.piece())

    assert heard == [b"A", b"B", b"C", b""]
    assert ends(gateway, head["actas-call-id"]) == ("answered", None)


def test_a_caller_who_hangs_up_half_way_ends_the_call_and_what_is_behind_it(gateway, service, tokens, waits_for):
    with gateway.wire() as wire:
        head = wire.say(ask(tokens["ana"], "/web/endless")).answer(to_head=True)
        assert wire.piece()

    assert ends(gateway, head["actas-call-id"]) == ("hung-up", None)
    assert service.was_cut.wait(20)


def test_a_caller_who_hangs_up_while_nothing_comes_ends_the_call_as_well(gateway, service, tokens):
    with gateway.wire() as wire:
        head = wire.say(ask(tokens["ana"], "/web/drip")).answer(to_head=True)
        assert wire.piece() == b"first"

    assert ends(gateway, head["actas-call-id"]) == ("hung-up", None)


def test_a_caller_who_hangs_up_within_a_body_that_flows_ends_the_call(gateway, service, tokens):
    with gateway.wire() as wire:
        wire.say(ask(tokens["ana"], "/web/duplex", "Transfer-Encoding: chunked", method="POST"), b"1\r\na\r\n")
        head = wire.answer(to_head=True)
        assert wire.piece() == b"A"

    assert ends(gateway, head["actas-call-id"]) == ("hung-up", None)


def test_a_caller_who_stops_reading_is_not_waited_for(gateway, service, tokens, wire):
    host, port = gateway.public.split(":")
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect((host, int(port)))
        slow.sendall(ask(tokens["ana"], "/web/endless"))
        head = slow.recv(400).decode("latin-1").lower()
        call = head.partition("actas-call-id: ")[2].partition("\r\n")[0].upper()

        assert ends(gateway, call) == ("hung-up", None)
        assert service.was_cut.wait(20)


def test_an_answer_that_is_cut_never_looks_whole(gateway, service, tokens):
    with gateway.wire() as wire:
        answer = wire.say(ask(tokens["ana"], "/web/cut")).answer()
        closed = wire.is_closed()

    assert (answer.status, answer.body, answer.is_whole, closed) == (200, b"abc", False, True)
    assert ends(gateway, answer["actas-call-id"])[0] == "failed"


def test_the_connection_serves_the_next_request_after_a_stream(gateway, service, tokens):
    service.go_on.set()
    with gateway.wire() as wire:
        first = wire.say(ask(tokens["ana"], "/web/drip")).answer()
        second = wire.say(ask(tokens["ana"], "/orders/7")).answer()

    assert (first.body, first.is_whole, second.body) == (b"firstsecond", True, b"hi")


def test_fields_of_the_connection_do_not_pass(gateway, service, tokens):
    with gateway.wire() as wire:
        answer = wire.say(
            ask(
                tokens["ana"],
                "/web/hops",
                "Connection: keep-alive, X-Mine",
                "X-Mine: 1",
                "X-Kept: 1",
                "TE: trailers",
                "Proxy-Authorization: Basic YTpi",
            )
        ).answer()

    names = [name.lower() for name, _ in answer.fields]
    assert not {"x-gone", "keep-alive", "proxy-authenticate", "actas-caller"} & set(names)
    assert answer["x-kept"] == "yes"
    assert answer["actas-call-id"] != "forged"
    assert names.count("set-cookie") == 2
    assert not {"x-mine", "te", "proxy-authorization"} & set(service.fields)
    assert service.fields["x-kept"] == "1"


def test_callers_at_the_same_time_do_not_mix(gateway, service, tokens):
    found = {}

    def call(number):
        with gateway.wire() as wire:
            body = b"%d" % number * 1000
            wire.say(
                ask(tokens["ana"], "/web/duplex", "Transfer-Encoding: chunked", method="POST"),
                b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body),
            )
            found[number] = wire.answer().body == body

    threads = [threading.Thread(target=call, args=(number,)) for number in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)

    assert found == dict.fromkeys(range(16), True)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_stream_of_nothing_is_an_answer(method, gateway, service, tokens):
    answer = gateway.ask(method, "/web/x", tokens["ana"])

    assert answer.status_code == 200
    assert answer.content == (b"hi" if method == "GET" else b"")
