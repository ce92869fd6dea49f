"""What stands beside an event: the caller's own words, and ours, which they cannot take the place of."""

import json
from datetime import UTC, datetime

import pytest

from actas.invoke.client_context import LARGEST, ClientContextTooLarge, client_context, for_lambda
from actas.model.call import Call

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def written(context):
    call = Call(id="C", function="f", payload=b"", received_at=NOW, client_context=context)
    return client_context(call, "ours")


@pytest.mark.parametrize(
    ("context", "found"),
    [
        (None, {"custom": {"actas": "ours"}}),
        ({}, {"custom": {"actas": "ours"}}),
        ({"custom": {"a": 1}}, {"custom": {"a": 1, "actas": "ours"}}),
        ({"custom": {"actas": "forged"}}, {"custom": {"actas": "ours"}}),
        ({"Custom": {"actas": "forged"}, "env": {"x": "y"}}, {"env": {"x": "y"}, "custom": {"actas": "ours"}}),
        ({"client": {"installation_id": "7"}}, {"client": {"installation_id": "7"}, "custom": {"actas": "ours"}}),
    ],
    ids=[
        "nobody said anything",
        "an empty one",
        "the caller's own",
        "one that pretends to be ours",
        "one under another spelling",
        "what clients say of themselves",
    ],
)
def test_ours_stands_beside_theirs(context, found):
    assert json.loads(written(context)) == found


def test_it_is_one_line_of_ascii_whatever_it_says():
    made = written({"custom": {"say": "a\r\nX-Forged: yes\u2028 ü"}})

    assert made.isascii()
    assert not {10, 13} & set(made)


def test_lambda_takes_so_much_and_no_more():
    room = LARGEST - len(b'{"custom":{"a":"","actas":"ours"}}')
    fits, does_not = (
        Call(id="C", function="f", payload=b"", received_at=NOW, client_context={"custom": {"a": "x" * size}})
        for size in (room, room + 1)
    )

    assert len(for_lambda(fits, "ours")) == LARGEST
    with pytest.raises(ClientContextTooLarge):
        for_lambda(does_not, "ours")
