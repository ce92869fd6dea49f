"""The small values: what is read, what is refused, and how they are written again."""

from datetime import timedelta
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.settings.values import SCALARS, Hours, Network, Size, Span

READ = [
    (Span, "0s", "0ms", Span(timedelta())),
    (Span, "500ms", "500ms", Span(timedelta(milliseconds=500))),
    (Span, "90s", "90s", Span(timedelta(seconds=90))),
    (Span, "60s", "1m", Span(timedelta(minutes=1))),
    (Span, "24h", "1d", Span(timedelta(days=1))),
    (Span, "7d", "7d", Span(timedelta(days=7))),
    (Size, "0B", "0B", Size(0)),
    (Size, "512B", "512B", Size(512)),
    (Size, "1024B", "1KB", Size(1024)),
    (Size, "6MB", "6MB", Size(6 * 1024 * 1024)),
    (Size, "1GB", "1GB", Size(1024**3)),
    (Network, "10.0.0.0/8", "10.0.0.0/8", Network(ip_network("10.0.0.0/8"))),
    (Network, "192.0.2.1", "192.0.2.1/32", Network(ip_network("192.0.2.1/32"))),
    (Network, "2001:DB8::/32", "2001:db8::/32", Network(ip_network("2001:db8::/32"))),
    (Hours, "07:00-19:00", "07:00-19:00", Hours(420, 1140)),
    (Hours, "00:00-24:00", "00:00-24:00", Hours(0, 1440)),
    (Hours, "22:00-06:00", "22:00-06:00", Hours(1320, 360)),
]


@pytest.mark.parametrize(
    ("kind", "text", "written", "value"), READ, ids=[f"{case[0].__name__} {case[1]}" for case in READ]
)
def test_a_value_is_read_and_written(kind, text, written, value):
    assert kind.read(text) == value
    assert hash(kind.read(text)) == hash(value)
    assert str(value) == written
    assert kind.read(written) == value


REFUSED = [
    (Span, ["", "10", "s", "10 s", "-1s", "1.5s", "010s", "10S", "10sec", "1w", "1s\n", "9999999999s", "\u0661s"]),
    (Size, ["", "10", "MB", "10 MB", "-1B", "1.5GB", "01KB", "10mb", "1TB", "1KiB", "1B\n"]),
    (
        Network,
        [
            "",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10.0.0",
            "010.0.0.0/8",
            "localhost",
            "2001:db8::/129",
            "::1%eth0",
            "10.0.0.0/8 ",
        ],
    ),
    (Hours, ["", "7:00-19:00", "07:00", "24:00-06:00", "07:00-24:01", "07:60-08:00", "07:00 - 19:00", "07:00-07:00"]),
]


@pytest.mark.parametrize(
    ("kind", "text"),
    [(kind, text) for kind, texts in REFUSED for text in texts],
    ids=[f"{kind.__name__} {text!r}" for kind, texts in REFUSED for text in texts],
)
def test_whatever_is_no_such_value_is_refused(kind, text):
    with pytest.raises(ValueError, match=r"written|whole number|hours"):
        kind.read(text)


@given(st.sampled_from(SCALARS), st.text(max_size=20))
def test_any_text_is_a_value_or_refused(kind, text):
    try:
        value = kind.read(text)
    except ValueError:
        return

    assert kind.read(str(value)) == value


@pytest.mark.parametrize("kind", [Span, Size])
def test_a_value_is_equal_to_its_like_alone(kind):
    one = {Span: Span.read("1s"), Size: Size.read("1B")}[kind]

    assert one != Network.read("10.0.0.0/8")
    assert one != 1
    assert repr(one).startswith(kind.__name__)
