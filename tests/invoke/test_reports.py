"""What Lambda puts around a call's log, here too: START, END, REPORT, and what ended a call that did not end itself."""

import os
from datetime import UTC, datetime

import pytest

from actas.invoke.local import faults
from actas.invoke.local.cgroups import Group
from actas.invoke.local.reports import Report, most_used

AT = datetime(2026, 3, 14, 9, 5, 7, 123456, tzinfo=UTC)
MEGABYTE = 1024 * 1024


def report():
    return Report(call="one", version="$LATEST", memory=128 * MEGABYTE)


def lines(one, log=b"", fault=None, now=10.0, used=30 * MEGABYTE):
    return one.around(log, fault, now=now, at=AT, used=used).decode().split("\n")


def test_a_warm_call_is_reported_as_lambda_does():
    one = report()
    one.begin(8.5, None)

    start, said, end, told, rest = lines(one, b"said\n", now=8.50197)

    assert (start, said, end) == ("START RequestId: one Version: $LATEST", "said", "END RequestId: one")
    assert told.split("\t") == [
        "REPORT RequestId: one",
        "Duration: 1.97 ms",
        "Billed Duration: 2 ms",
        "Memory Size: 128 MB",
        "Max Memory Used: 30 MB",
        "",
    ]
    assert rest == ""


def test_the_start_of_a_new_process_is_told_and_billed():
    one = report()
    one.begin(8.5, 8.0)

    told = lines(one, now=8.625)[-2]

    assert "\tDuration: 125.00 ms\tBilled Duration: 625 ms\t" in told
    assert told.endswith("\tMax Memory Used: 30 MB\tInit Duration: 500.00 ms\t")


def test_a_call_that_never_came_to_its_function_took_no_time():
    assert "\tDuration: 0.00 ms\tBilled Duration: 0 ms\t" in lines(report())[-2]


def test_what_nobody_measured_is_not_told():
    assert "Max Memory Used" not in lines(report(), used=None)[-2]


@pytest.mark.parametrize(
    ("fault", "said", "status"),
    [
        (faults.timed_out("one", 3), "2026-03-14T09:05:07.123Z one Task timed out after 3.00 seconds", "timeout"),
        (
            faults.exited("one", 3 << 8, out_of_memory=False),
            "RequestId: one Error: Runtime exited with error: exit status 3",
            "error\tError Type: Runtime.ExitError",
        ),
        (
            faults.exited("one", 9, out_of_memory=True),
            "RequestId: one Error: Runtime exited with error: signal: killed",
            "error\tError Type: Runtime.OutOfMemory",
        ),
    ],
    ids=["it took too long", "it left", "it wanted too much memory"],
)
def test_what_ended_a_call_stands_in_its_log(fault, said, status):
    found = lines(report(), b"said\n", fault)

    assert found[:3] == ["START RequestId: one Version: $LATEST", "said", said]
    assert found[-2].endswith(f"\tStatus: {status}\t")


def test_of_a_log_that_is_too_long_the_end_is_kept():
    found = report().around(b"a line\n" * 1000, None, now=1.0, at=AT, used=None)

    assert len(found) == 4096
    assert b"START" not in found
    assert b"\na line\nEND RequestId: one\nREPORT RequestId: one\t" in found


@pytest.mark.parametrize(("version", "file"), [(1, "memory.max_usage_in_bytes"), (2, "memory.peak")])
def test_the_most_that_was_used_is_the_kernels_word(version, file, tmp_path):
    (tmp_path / file).write_text("31457280\n")

    assert most_used(Group(folders=(("memory", tmp_path),), version=version), None) == 30 * MEGABYTE


def test_without_control_groups_the_process_is_asked(tmp_path):
    nothing = Group(folders=(("memory", tmp_path / "gone"),), version=2)

    assert most_used(nothing, os.getpid()) > MEGABYTE
    assert most_used(None, os.getpid()) > MEGABYTE
    assert most_used(None, None) is None
