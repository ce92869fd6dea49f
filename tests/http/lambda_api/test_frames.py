"""The event stream that streamed answers travel in, read back by botocore."""

import json

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from actas.http.lambda_api import frames


def read(octets: bytes):
    buffer = EventStreamBuffer()
    buffer.add_data(octets)
    return list(buffer)


def test_the_octets_of_a_message_are_those_of_the_format():
    made = frames.message({"a": "b"}, b"hi")

    # Written by hand from the format's description: 16 + 6 + 2 octets, of which 6 are headers.
    assert made[:8] == bytes.fromhex("00000018" + "00000006")
    assert made[12:18] == b"\x01a\x07\x00\x01b"
    assert made[18:20] == b"hi"
    assert len(made) == 24


@pytest.mark.parametrize("place", range(24))
def test_one_octet_changed_breaks_a_sum(place):
    made = bytearray(frames.message({"a": "b"}, b"hi"))
    made[place] ^= 1
    buffer = EventStreamBuffer()
    buffer.add_data(bytes(made) + bytes(64))

    with pytest.raises(Exception, match=r"(?i)checksum|length|payload|header|type"):
        list(buffer)


def test_a_payload_comes_in_pieces_of_a_size_and_is_whole():
    payload = bytes(range(256)) * 1025

    found = read(b"".join(frames.chunks(payload)))

    assert [one.headers[":event-type"] for one in found] == ["PayloadChunk"] * 3
    assert [len(one.payload) for one in found] == [131072, 131072, 256]
    assert b"".join(one.payload for one in found) == payload


def test_nothing_makes_no_chunk():
    assert list(frames.chunks(b"")) == []


@pytest.mark.parametrize(
    ("told", "payload"),
    [
        ({}, {}),
        ({"log_result": "bG9n"}, {"LogResult": "bG9n"}),
        (
            {"error_code": "Unhandled", "error_details": '{"errorMessage": "ü"}'},
            {"ErrorCode": "Unhandled", "ErrorDetails": '{"errorMessage": "ü"}'},
        ),
    ],
    ids=["a good end says nothing", "a log tail", "a function's error"],
)
def test_the_end_says_how_it_ended(told, payload):
    (found,) = read(frames.complete(**told))

    assert found.headers == {
        ":message-type": "event",
        ":event-type": "InvokeComplete",
        ":content-type": "application/json",
    }
    assert json.loads(found.payload) == payload


@given(st.binary(max_size=300_000))
def test_whatever_is_streamed_arrives(payload):
    found = read(b"".join([*frames.chunks(payload), frames.complete()]))

    assert b"".join(one.payload for one in found[:-1]) == payload
    assert found[-1].headers[":event-type"] == "InvokeComplete"
