"""The sink that keeps files: the contract of every sink, and what is its own."""

import os
import resource
import subprocess
import threading

import pytest

from actas.audit import chain, read, records, segments
from actas.audit.errors import (
    AuditError,
    DiskFull,
    NotRunning,
    NotWritable,
    ReserveReached,
    TrailBroken,
    TrailExposed,
    TrailInUse,
    TrailUnreadable,
    Unrecordable,
)
from actas.audit.records import Opened, Started
from actas.audit.verify import Wrong
from actas.model.record import Decided, Ended
from actas.testing.contracts.sink import SinkContract

MUCH = 1 << 62


class TestJsonl(SinkContract):
    @pytest.fixture(autouse=True)
    def _in_a_fresh_folder(self, sink, folder, now):
        self.folder, self.wrong = folder, None
        self.one = sink(sync=self.sync)
        self.one.open(now)

    def sync(self, handle):
        if self.wrong:
            raise OSError(self.wrong, os.strerror(self.wrong))
        os.fdatasync(handle)

    def sink(self):
        return self.one

    def read_back(self):
        return [one.entry for one in read.since(self.folder) if isinstance(one.entry, Decided | Ended)]

    def holds(self):
        return read.verify_folder(self.folder).holds

    def change_something(self):
        path = segments.listed(self.folder)[0]
        path.write_bytes(path.read_bytes().replace(b"orders", b"payout", 1))

    def break_it(self):
        import errno

        self.wrong = errno.EIO

    def mend_it(self):
        self.wrong = None


def entries(folder):
    return [one.entry for one in read.since(folder)]


def test_a_new_trail_begins_with_its_chain_and_its_start(sink, folder, now):
    assert sink().open(now) == frozenset()

    first, second = entries(folder)
    assert isinstance(first, Opened)
    assert second == Started(at=now)
    assert chain.is_chain_id(first.chain)


def test_only_its_owner_can_read_the_trail(sink, folder, now):
    one = sink()
    one.open(now)
    one.checkpoint(now)

    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        "000001.jsonl": 0o600,
        "head.json": 0o600,
        "lock": 0o600,
    }


@pytest.mark.parametrize("name", ["", "000001.jsonl"], ids=["a folder", "a segment"])
def test_a_trail_that_others_can_read_is_refused(sink, folder, now, name):
    first = sink()
    first.open(now)
    first.close()
    (folder / name).chmod(0o750)

    with pytest.raises(TrailExposed, match="0750"):
        sink().open(now)


def test_a_link_in_the_place_of_a_segment_is_refused(sink, folder, now, tmp_path):
    first = sink()
    first.open(now)
    first.close()
    (folder / "000001.jsonl").rename(tmp_path / "moved")
    (folder / "000001.jsonl").symlink_to(tmp_path / "moved")

    with pytest.raises(TrailExposed, match="link"):
        sink().open(now)


def test_a_second_writer_is_kept_out_until_the_first_lets_go(sink, now):
    first, second = sink(), sink()
    first.open(now)

    with pytest.raises(TrailInUse):
        second.open(now)
    first.close()

    second.open(now)


def test_a_writer_with_patience_waits_for_the_other_to_end(sink, now):
    first, second = sink(), sink()
    first.open(now)
    end = threading.Timer(0.1, first.close)
    end.start()

    second.open(now, patience=20)

    end.join()
    assert second.head.seq == 3


def test_a_trail_goes_on_after_a_restart(sink, folder, now, decided, ended):
    first = sink()
    first.open(now)
    first.write((decided(1), ended(1)))
    first.close()

    assert sink().open(now) == frozenset()
    assert [type(entry) for entry in entries(folder)] == [Opened, Started, Decided, Ended, Started]
    assert read.verify_folder(folder).holds


def test_a_restart_finds_the_calls_without_an_end(sink, now, decided, ended):
    first = sink()
    first.open(now)
    first.write((decided(1), decided(2), ended(1), decided(3)))
    first.close()

    assert sink().open(now) == {decided(2).call, decided(3).call}


def test_a_restart_finds_open_calls_of_segments_long_past(sink, folder, now, decided, ended):
    first = sink(segment=2000)
    first.open(now)
    first.write((decided(1),))
    for number in range(2, 20):
        first.write((decided(number), ended(number)))
    first.close()

    assert len(segments.listed(folder)) > 3
    assert sink().open(now) == {decided(1).call}
    assert read.verify_folder(folder).holds


@pytest.mark.parametrize(
    "tear",
    [
        lambda text: text[:-1],
        lambda text: text[:-100],
        lambda text: text + b'{"seq":',
        lambda text: text[:-30] + b"x" * 29 + b"\n",
    ],
    ids=["without its line feed", "half a line", "a few bytes more", "a last line of junk"],
)
def test_a_bad_last_line_is_cut_and_the_trail_says_so(sink, folder, now, decided, tear):
    first = sink()
    first.open(now)
    first.write((decided(1), decided(2)))
    first.close()
    path = folder / "000001.jsonl"
    path.write_bytes(tear(path.read_bytes()))

    sink().open(now)

    assert entries(folder)[-1].cut_bytes > 0
    assert read.verify_folder(folder).holds


def test_a_bad_line_before_others_stops_the_start(sink, folder, now, decided):
    first = sink()
    first.open(now)
    first.write((decided(1), decided(2)))
    first.close()
    path = folder / "000001.jsonl"
    path.write_bytes(path.read_bytes().replace(b"report", b"payout", 1))

    with pytest.raises(TrailBroken):
        sink().open(now)


def test_two_bad_last_lines_stop_the_start(sink, folder, now, decided):
    first = sink()
    first.open(now)
    first.close()
    path = folder / "000001.jsonl"
    path.write_bytes(path.read_bytes() + b"junk\njunk")

    with pytest.raises(TrailBroken):
        sink().open(now)


@pytest.mark.parametrize(
    "forge",
    [
        lambda lines: [lines[0], lines[2], lines[3]],
        lambda lines: [lines[1], lines[2], lines[3]],
        lambda lines: [b"junk\n"],
    ],
    ids=["a record taken out", "no record that opens it", "nothing but junk"],
)
def test_a_segment_that_is_no_chain_stops_the_start(sink, folder, now, decided, forge):
    first = sink()
    first.open(now)
    first.write((decided(1), decided(2)))
    first.close()
    path = folder / "000001.jsonl"
    path.write_bytes(b"".join(forge(path.read_bytes().splitlines(keepends=True))))

    with pytest.raises(TrailBroken):
        sink().open(now)


def test_a_head_that_cannot_be_read_stops_the_start(sink, folder, now):
    first = sink()
    first.open(now)
    first.close()
    (folder / "head.json").write_bytes(b"{}")

    with pytest.raises(TrailBroken, match="head"):
        sink().open(now)


def test_a_folder_that_cannot_be_made_is_an_error_of_ours(sink, tmp_path, now):
    (tmp_path / "file").touch()

    with pytest.raises(TrailUnreadable):
        sink(where=tmp_path / "file" / "audit").open(now)


def test_a_sink_that_is_not_open_would_keep_nothing(sink):
    with pytest.raises(NotRunning):
        sink().check()


def test_a_segment_that_was_begun_but_never_written_is_begun_again(sink, folder, now, decided):
    first = sink()
    first.open(now)
    first.write((decided(1),))
    first.close()
    (folder / "000002.jsonl").touch(0o600)

    assert sink().open(now) == {decided(1).call}
    assert read.verify_folder(folder).holds


def test_a_trail_shorter_than_its_own_signed_head_stops_the_start(sink, folder, now, decided):
    first = sink()
    first.open(now)
    first.write((decided(1),))
    first.checkpoint(now)
    first.close()
    path = folder / "000001.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))

    with pytest.raises(TrailBroken, match="signed at record 3"):
        sink().open(now)


def test_a_trail_whose_files_are_gone_is_not_begun_anew(sink, folder, now):
    first = sink()
    first.open(now)
    first.checkpoint(now)
    first.close()
    (folder / "000001.jsonl").unlink()

    with pytest.raises(TrailBroken, match="gone"):
        sink().open(now)


def test_nothing_is_written_before_the_trail_is_open(sink, decided, ended):
    with pytest.raises(NotRunning):
        sink().write((decided(1),))
    with pytest.raises(NotRunning):
        sink().write((ended(1),))


def test_below_the_reserve_calls_are_ended_but_none_is_begun(sink, folder, now, decided, ended):
    roomy = sink()
    roomy.open(now)
    roomy.write((decided(1),))
    roomy.close()
    tight = sink(reserve=MUCH)
    tight.open(now)

    with pytest.raises(ReserveReached):
        tight.write((decided(2),))
    tight.write((ended(1),))

    assert entries(folder)[-1] == ended(1)


@pytest.mark.parametrize(
    ("more", "why"),
    [({"function": "\ud800"}, "no JSON form"), ({"function": "x" * records.MAX_RECORD}, "bytes")],
    ids=["half a surrogate pair", "more than a line holds"],
)
def test_a_record_without_a_written_form_spoils_no_other(sink, folder, now, decided, more, why):
    one = sink()
    one.open(now)

    with pytest.raises(Unrecordable, match=why) as caught:
        one.write((decided(1), decided(2, **more)))
    one.write((decided(3),))

    assert caught.value.index == 1
    assert entries(folder)[2:] == [decided(3)]


def test_a_batch_larger_than_the_allowed_file_size_leaves_no_trace(sink, folder, now, decided):
    one = sink()
    one.open(now)
    size = (folder / "000001.jsonl").stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 700, hard))  # Python ignores SIGXFSZ: the write is cut short
    try:
        with pytest.raises(DiskFull, match="large"):
            one.write((decided(1), decided(2), decided(3)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert (folder / "000001.jsonl").stat().st_size == size
    one.write((decided(4),))
    assert [entry.call for entry in entries(folder)[2:]] == [decided(4).call]
    assert read.verify_folder(folder).holds


def test_a_full_disk_refuses_and_room_lets_it_go_on(sink, small_disk, fill, now, decided):
    one = sink(where=small_disk / "audit")
    one.open(now)
    ballast = fill(small_disk)

    with pytest.raises(DiskFull, match="No space left"):
        one.write([decided(number) for number in range(64)])
    ballast.unlink()
    one.write((decided(100),))

    assert [entry.call for entry in entries(small_disk / "audit")[2:]] == [decided(100).call]
    assert read.verify_folder(small_disk / "audit").holds


def test_a_full_disk_at_the_turn_of_a_segment_refuses_and_room_lets_it_go_on(sink, small_disk, fill, now, decided):
    one = sink(where=small_disk / "audit", segment=1)
    one.open(now)
    ballast = fill(small_disk)

    with pytest.raises(DiskFull):
        one.write((decided(1),))
    ballast.unlink()
    one.write((decided(2),))

    assert read.verify_folder(small_disk / "audit").holds
    assert [entry.call for entry in entries(small_disk / "audit") if isinstance(entry, Decided)] == [decided(2).call]


def test_a_disk_that_turns_read_only_refuses(sink, small_disk, now):
    one = sink(where=small_disk / "audit", segment=1)
    one.open(now)
    one.close()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)

    with pytest.raises(AuditError, match="ead-only"):
        sink(where=small_disk / "audit").open(now)


def test_a_failing_disk_is_not_writable(sink, now, decided):
    def fail(handle):
        raise OSError(5, "Input/output error")

    one = sink()
    one.open(now)
    one._sync = fail

    with pytest.raises(NotWritable, match="Input/output error"):
        one.write((decided(1),))


def test_segments_link_to_each_other(sink, folder, now, decided, ended):
    one = sink(segment=3000)
    one.open(now)
    for number in range(30):
        one.write((decided(number), ended(number)))
    one.checkpoint(now)

    paths = segments.listed(folder)
    report = read.verify_folder(folder)

    assert len(paths) > 5
    assert (report.holds, report.records) == (True, 2 + 60 + 1 + len(paths) - 1)


def test_a_segment_taken_out_of_the_middle_is_missed(sink, folder, now, decided):
    one = sink(segment=3000)
    one.open(now)
    for number in range(30):
        one.write((decided(number),))
    paths = segments.listed(folder)
    paths[2].unlink()

    (finding,) = read.verify_folder(folder).findings

    assert (finding.wrong, finding.segment) == (Wrong.MISSING, paths[3].name)
