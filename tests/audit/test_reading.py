"""What people and programs are shown of a trail."""

import csv
import io
import json
import shutil
from datetime import timedelta

import pytest

from actas.audit import chain, read, records, render, segments, verify
from actas.audit.errors import AnchorUnreadable, KeyUnreadable, LineUnreadable, TrailUnreadable
from actas.audit.records import Checkpoint, Counted, Erased, Gap, Opened, Reloaded, Started, Unmasked
from actas.audit.verify import Wrong


@pytest.fixture
def written(sink, folder, keys, now, decided, ended):
    """Three calls and a nested one, over several segments, each signed."""
    one = sink(segment=1500)
    one.open(now)
    one.keep_public(keys.public())
    for number in range(3):
        one.write((decided(number), ended(number)))
        one.checkpoint(now)
    one.write((decided(3, root=decided(1).call, depth=1), ended(3)))
    one.close()
    return folder


def test_a_copy_of_the_head_kept_elsewhere_proves_the_trail_up_to_it(written, tmp_path):
    (tmp_path / "receipts").mkdir()
    shutil.copy(written / "head.json", tmp_path / "receipts" / "monday.json")

    report = read.verify_folder(written, anchors=[tmp_path / "receipts"])

    assert report.holds
    assert report.checkpoints == 3
    assert report.anchored.source == "monday.json"
    assert report.anchored.seq < report.last.seq


def test_the_head_beside_the_trail_must_fit_but_proves_nothing_to_others(written):
    report = read.verify_folder(written)
    for path in segments.listed(written)[2:]:
        path.unlink()
    shortened = read.verify_folder(written)

    assert (report.holds, report.anchored) == (True, None)
    assert [one.wrong for one in shortened.findings] == [Wrong.CUT]


def test_a_head_signed_by_somebody_else_is_refused(written, tmp_path, now):
    from actas.audit.checkpoints import Keys

    other = Keys(tmp_path / "other.json")
    other.rotate(now)
    head = json.loads((written / "head.json").read_bytes())
    head["token"] = other.sign(chain=head["chain"], head=chain.Head(head["seq"], head["hash"]), at=now)
    (tmp_path / "forged.json").write_text(json.dumps(head))

    with pytest.raises(AnchorUnreadable):
        read.verify_folder(written, anchors=[tmp_path / "forged.json"])


@pytest.mark.parametrize("key", ["seq", "hash", "chain"])
def test_a_head_whose_text_is_not_what_was_signed_is_refused(written, tmp_path, key):
    head = json.loads((written / "head.json").read_bytes())
    head[key] = {"seq": 1, "hash": "0" * 64, "chain": "0" * 32}[key]
    (tmp_path / "forged.json").write_text(json.dumps(head))

    with pytest.raises(AnchorUnreadable, match="another head"):
        read.verify_folder(written, anchors=[tmp_path / "forged.json"])


def test_signatures_by_other_keys_than_those_kept_elsewhere_do_not_hold(written, tmp_path, now):
    from actas.audit.checkpoints import Keys

    other = Keys(tmp_path / "other.json")
    other.rotate(now)
    (tmp_path / "keys.json").write_bytes(other.public())
    (written / "head.json").unlink()

    report = read.verify_folder(written, keys=tmp_path / "keys.json")

    assert {one.wrong for one in report.findings} == {Wrong.FORGED}
    assert len(report.findings) == 3


def test_keys_that_are_asked_for_must_be_there(written, tmp_path):
    with pytest.raises(KeyUnreadable):
        read.verify_folder(written, keys=tmp_path / "nothing.json")


def test_keys_are_kept_when_new_ones_are_made(keys, now, tmp_path):
    from actas import jose
    from actas.audit.checkpoints import checker

    head = chain.Head(7, "a" * 64)
    old = keys.sign(chain="c" * 32, head=head, at=now)
    keys.rotate(now + timedelta(days=400))
    new = keys.sign(chain="c" * 32, head=head, at=now)

    check = checker(jose.KeySet.from_json(keys.public()))

    assert old != new
    for token in (old, new):
        assert check(Checkpoint(at=now, seq=7, hash="a" * 64, token=token)) is None
    assert check(Checkpoint(at=now, seq=8, hash="a" * 64, token=old)) is not None


def test_a_folder_without_a_trail_is_said_to_be_one(tmp_path):
    for folder in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(TrailUnreadable):
            read.verify_folder(folder)


def test_a_half_written_line_is_no_damage_while_a_gateway_writes(sink, folder, now, decided):
    one = sink()
    one.open(now)
    one.write((decided(1),))
    path = folder / "000001.jsonl"
    with path.open("ab") as file:
        file.write(b'{"seq":4')
    while_written = read.verify_folder(folder)
    one.close()

    assert while_written.holds
    assert [found.wrong for found in read.verify_folder(folder).findings] == [Wrong.CUT]


def test_the_end_of_a_trail_is_shown_over_segments(written):
    every = list(read.since(written))

    assert read.tail(written, 5) == every[-5:]
    assert read.tail(written, 1000) == every
    assert read.tail(written, 0) == []


def test_the_records_after_one_are_given(written):
    every = list(read.since(written))

    for seq in (0, 1, 5, every[-1].seq):
        assert list(read.since(written, seq)) == [one for one in every if one.seq > seq]


def test_a_call_is_shown_with_the_calls_it_is_the_root_of(written, decided, ended):
    found = [one.entry for one in read.show(written, decided(1).call)]

    assert found == [decided(1), ended(1), decided(3, root=decided(1).call, depth=1)]
    assert read.show(written, "nobody") == []


def test_a_call_is_shown_with_the_gap_it_fell_into(sink, folder, now):
    gap = Gap(at=now, since=now, because="audit.disk-full", late=0, lost=1, calls=("06H0",))
    one = sink()
    one.open(now)
    one.write((gap, Reloaded(at=now, generation="06H0")))

    assert [found.entry for found in read.show(folder, "06H0")] == [gap]


def test_a_segment_that_does_not_open_is_said_to_be_no_trail(written):
    path = segments.listed(written)[1]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))

    with pytest.raises(TrailUnreadable, match="does not open"):
        list(read.since(written, 3))


def test_a_long_list_of_findings_is_cut_and_counted():
    report = verify.verify([("000001.jsonl", [b"x\n"] * (verify.MAX_FINDINGS + 5))])

    assert "  and 5 more\n" in render.report_text(report)


def test_a_time_is_given_without_its_end(written, now):
    assert list(read.between(written, now, now + timedelta(seconds=1))) == list(read.since(written))
    assert list(read.between(written, end=now)) == []


def test_a_spreadsheet_has_one_line_a_call(written):
    table = list(csv.DictReader(io.StringIO("".join(render.csv_lines(read.since(written))))))

    assert len(table) == 4
    assert table[0]["outcome"] == "answered"
    assert table[0]["reasons"] == "group-member"
    assert table[0]["ended_at"]


def test_a_spreadsheet_also_has_the_calls_without_an_end(decided, ended):
    found = [read.Numbered(seq=1, entry=decided(1)), read.Numbered(seq=2, entry=ended(7))]

    table = list(csv.DictReader(io.StringIO("".join(render.csv_lines(found)))))

    assert [(row["call"][-1], row["function"], row["outcome"]) for row in table] == [
        ("7", "", "answered"),
        ("1", "report", ""),
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_is_taken_for_a_formula(decided, start):
    found = [read.Numbered(seq=1, entry=decided(1, function=f"{start}1+1"))]

    (row,) = csv.DictReader(io.StringIO("".join(render.csv_lines(found))))

    assert row["function"] == f"'{start}1+1"


def test_a_report_says_its_verdict_first(written, tmp_path):
    shutil.copy(written / "head.json", tmp_path / "monday.json")
    report = read.verify_folder(written, anchors=[tmp_path / "monday.json"])

    first, second, third = render.report_text(report).splitlines()

    assert first == "holds"
    assert second == f"  {report.records} records of chain {report.chain}, 1 to {report.records}; 3 signed heads hold"
    assert third == f"  proved up to record {report.anchored.seq} by monday.json; what follows is not anchored yet"


def test_a_report_names_what_is_wrong_and_where(written):
    path = segments.listed(written)[0]
    path.write_bytes(path.read_bytes().replace(b"report", b"payout", 1))

    text = render.report_text(read.verify_folder(written))

    assert text.startswith("does not hold\n  000001.jsonl:3  record 3 is not what its hash was made of  [changed]\n")
    assert text.endswith("whoever may write these files could have rewritten them\n")


def test_a_report_as_data_can_be_written_as_json(written):
    data = json.loads(json.dumps(render.report_data(read.verify_folder(written))))

    assert data["holds"] is True
    assert data["last"]["seq"] == data["records"]


def entries_of_every_type(now, decided, ended):
    return [
        decided(1),
        decided(1, verdict="deny", role=None),
        ended(1),
        ended(1, outcome="failed", error="invoke.took-too-long"),
        Opened(at=now, chain="c" * 32, segment=2, open_calls=("a",)),
        Started(at=now, cut_bytes=7, cut_sha256="0" * 64, unknown=2),
        Checkpoint(at=now, seq=7, hash="a" * 64, token="t"),
        Gap(at=now, since=now, because="audit.disk-full", late=1, lost=2, calls=("a", "b")),
        Counted(at=now, reason="identify.no-token", network="192.0.2.0/24", count=3),
        Reloaded(at=now, generation="g"),
        Unmasked(at=now, pseudonym="p1", officers=("a", "b"), reason="incident 7"),
        Erased(at=now, rows=2),
    ]


def test_each_record_has_one_form_that_is_read_back(now, decided, ended):
    for entry in entries_of_every_type(now, decided, ended):
        assert records.decode(records.encode(entry)) == entry


def test_each_record_is_said_in_one_line(now, decided, ended):
    for number, entry in enumerate(entries_of_every_type(now, decided, ended)):
        numbered = read.Numbered(seq=number, entry=entry)

        assert "\n" not in render.entry_text(numbered)
        assert json.loads(json.dumps(render.entry_data(numbered)))["type"]


@pytest.mark.parametrize(
    "text",
    [
        b"{}",
        b"[]",
        b'{"type":"unheard-of"}',
        b'{"type":"erased","at":"2026-03-14T09:26:53Z","rows":1,"more":2}',
        b'{"type":"erased","rows":1,"at":"2026-03-14T09:26:53Z"}',
        b'{"type":"erased","at":"2026-03-14T09:26:53Z","rows": 1}',
        b'{"type":"erased","at":"2026-03-14T09:26:53Z","rows":1,"rows":1}',
        b'{"type":"erased","at":"2026-03-14T09:26:53Z"}',
        b'{"type":"ended","call":"a","at":"2026-03-14T09:26:53Z","outcome":"x","name":"Ana"}',
        b"\xff",
        b"[" * 5000,
    ],
    ids=[
        "no type",
        "no object",
        "an unknown type",
        "a field more",
        "another order",
        "a space",
        "a field twice",
        "a field less",
        "a field more in a call",
        "no UTF-8",
        "depth",
    ],
)
def test_a_record_in_any_other_form_is_refused(text):
    with pytest.raises(LineUnreadable):
        records.decode(text)


def test_a_trail_that_somebody_made_up_does_not_move_the_cursor(decided):
    text = render.entry_text(read.Numbered(seq=1, entry=decided(1, function="\x1b[2Jreport")))

    assert text.isprintable()
    assert "[2Jreport" in text


def test_the_folder_of_another_sink_is_an_anchor(written, tmp_path):
    shutil.copytree(written, tmp_path / "other")

    assert read.verify_folder(written, anchors=[tmp_path / "other"]).anchored.source == "head.json"


def test_a_report_of_a_gap_says_what_came_late(now):
    gap = Gap(at=now, since=now, because="audit.disk-full", late=2, lost=1)
    line, _ = chain.link(chain.genesis("c" * 32), records.encode(Opened(at=now, chain="c" * 32, segment=1)))
    head = chain.parse(line).head
    second, _ = chain.link(head, records.encode(gap))

    text = render.report_text(verify.verify([("000001.jsonl", [line, second])]))

    assert "gap before record 3: from 2026-03-14T09:26:53Z the trail could not be written (audit.disk-full)" in text
    assert "2 records came late, 1 are lost" in text
