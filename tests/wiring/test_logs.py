"""What functions print is kept, until there is too much of it."""

from actas.wiring.logs import FunctionLogs


def kept(folder, function="report"):
    return b"".join(file.read_bytes() for file in sorted((folder / function).glob("*.log"))).splitlines()


def test_a_line_is_kept_with_its_call(tmp_path):
    logs = FunctionLogs(tmp_path)

    logs.line("CALL1", "report", b"hello")
    logs.line("CALL2", "billing", b"other")
    logs.close()

    assert [line.split(b" ", 1)[1] for line in kept(tmp_path)] == [b"CALL1 hello"]
    assert [line.split(b" ", 1)[1] for line in kept(tmp_path, "billing")] == [b"CALL2 other"]


def test_nobody_else_may_read_them(tmp_path):
    logs = FunctionLogs(tmp_path)

    logs.line("CALL1", "report", b"hello")
    logs.close()

    assert [file.stat().st_mode & 0o077 for file in (tmp_path / "report", *(tmp_path / "report").iterdir())] == [0, 0]


def test_a_day_s_log_of_one_function_has_a_largest_size(tmp_path):
    logs = FunctionLogs(tmp_path, largest=10_000)

    for number in range(1000):
        logs.line("CALL1", "report", b"%05d" % number * 10)
    logs.line("CALL2", "billing", b"other")
    logs.close()
    lines = kept(tmp_path)

    assert sum(len(line) + 1 for line in lines) <= 10_000 + 100
    assert lines[0].endswith(b"00000")
    assert lines[-1].endswith(b"[this day's log is full; the rest is dropped]")
    assert len(kept(tmp_path, "billing")) == 1


def test_a_log_that_was_full_before_the_start_stays_full(tmp_path):
    for _ in range(3):
        logs = FunctionLogs(tmp_path, largest=10_000)
        for number in range(300):
            logs.line("CALL1", "report", b"%05d" % number * 10)
        logs.close()

    assert sum(len(line) + 1 for line in kept(tmp_path)) <= 10_000 + 300


def test_logs_give_way_to_the_trail_where_the_disk_is_nearly_full(tmp_path):
    full, roomy = FunctionLogs(tmp_path / "full", reserve=2**62), FunctionLogs(tmp_path / "roomy", reserve=1024)

    for logs in (full, roomy):
        logs.line("CALL1", "report", b"hello")
        logs.close()

    assert kept(tmp_path / "full") == []
    assert len(kept(tmp_path / "roomy")) == 1
