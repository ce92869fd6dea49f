"""Strangers cannot fill the trail."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from actas.audit import strangers
from actas.audit.strangers import Strangers
from actas.model.facts import Known, Missing

AT = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_a_minute_is_told_when_it_is_over():
    counts = Strangers()
    counts.count("identify.no-token", Missing.UNKNOWN, AT)

    assert counts.take(AT.replace(second=59)) == []
    (told,) = counts.take(AT.replace(minute=27, second=0))
    assert (told.at, told.count) == (AT.replace(second=0), 1)
    assert counts.take(AT + MINUTE) == []


def test_however_many_networks_call_the_lines_are_bounded_and_no_call_goes_uncounted():
    counts = Strangers()
    for number in range(5000):
        address = Known(ip_address(number << 8))
        counts.count("identify.no-token", address, AT + number % 5 * MINUTE)

    told = counts.take(AT + 10 * MINUTE)

    assert len(told) == strangers.MOST + 5
    assert sum(one.count for one in told) == 5000
    assert [one.count for one in told if (one.reason, one.network) == ("others", "others")] == [800] * 5
