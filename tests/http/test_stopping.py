"""A gateway that is told to stop, or killed: calls in flight finish, new ones are not begun, nothing is left."""

import os
import signal
import socket
import threading
from pathlib import Path

import pytest


def ask(token, path="/web/wait"):
    return f"GET {path} HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def is_taken(place):
    host, port = place.split(":")
    with socket.socket() as one:
        one.settimeout(5)
        return one.connect_ex((host, int(port))) == 0


def test_sigterm_lets_calls_in_flight_finish_and_takes_no_new_ones(process, settings, service, tokens, wire):
    with process(settings()) as one:
        with wire(one.public) as calling, wire(one.public) as idle:
            idle.say(ask(tokens["ana"], "/orders/7")).answer()
            calling.say(ask(tokens["ana"]))
            assert service.got_piece.wait(30)

            one.process.send_signal(signal.SIGTERM)
            refused = idle.say(ask(tokens["ana"], "/orders/7")).answer()
            while refused is not None and refused.status == 200:  # the signal was not heard yet
                refused = idle.say(ask(tokens["ana"], "/orders/7")).answer()
            service.go_on.set()
            answer = calling.answer()
        status = one.process.wait(30)

    assert (answer.status, answer.body) == (200, b"waited")
    assert refused is None or (refused.status, refused.json()["code"]) == (503, "http.stopping")
    assert status == 0
    assert not is_taken(one.public)
    assert not is_taken(one.control)
    assert "Unclosed" not in one.log()
    assert "Traceback" not in one.log()


def test_a_call_that_outlives_the_grace_is_ended_and_so_is_the_gateway(process, settings, service, tokens, wire):
    with process(settings(gateway={"grace": "500ms"})) as one, wire(one.public) as calling:
        calling.say(ask(tokens["ana"]))
        assert service.got_piece.wait(30)

        one.process.send_signal(signal.SIGTERM)
        status = one.process.wait(30)

        assert status == 0
        answer = calling.answer()
        assert answer is None or answer.status >= 500


def test_a_process_that_is_killed_leaves_nobody_serving(process, settings, tokens, waits_for):
    with process(settings(local=True)) as one:
        children = _children(one.process.pid)
        assert is_taken(one.public)

        one.process.kill()
        one.process.wait(10)

        assert not is_taken(one.public)
        assert not is_taken(one.control)
        waits_for(lambda: not any(Path(f"/proc/{child}/exe").exists() for child in children))


def _children(pid):
    found = []
    for one in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = one.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            child = int(one.parent.name)
            found += [child, *_children(child)]
    return found


def test_a_second_gateway_on_the_same_port_says_so_and_the_first_goes_on(process, settings, tokens, tmp_path_factory):
    with process(settings()) as one:
        second = process(settings(gateway={"listen": one.public}), tmp_path_factory.mktemp("second"))
        with pytest.raises(AssertionError, match="cannot listen on") as wrong:
            second.__enter__()

        assert one.public in str(wrong.value)
        assert second.process.poll() not in (0, None)
        assert is_taken(one.public)
        assert one.process.poll() is None


def test_stopping_is_said_to_whoever_asks_for_readiness(running, settings, service, tokens, waits_for):
    with running(settings()) as one, one.wire() as calling, one.wire() as probe:
        probe.say(b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n").answer()
        calling.say(ask(tokens["ana"]))
        assert service.got_piece.wait(20)
        one.tell_to_stop()

        waits_for(lambda: not one.ready()["ready"])
        state = probe.say(b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n").answer()
        service.go_on.set()
        answer = calling.answer()

    assert (answer.status, answer.body) == (200, b"waited")
    assert state.status == 503
    assert state.json()["ready"] is False


def test_threads_and_descriptors_are_given_back(running, settings, service, tokens):
    def count():
        return len(os.listdir("/proc/self/fd")), threading.active_count()  # noqa: PTH208 - the numbers are what is wanted

    found = []
    for _ in range(3):
        with running(settings()) as one:
            assert one.call("web", tokens["ana"]).status_code == 200
        found.append(count())

    assert found[2][0] <= found[1][0] + 2
    assert found[2][1] <= found[1][1] + 2
