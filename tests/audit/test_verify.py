"""Whatever is done to a trail after it was written, `verify` names it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.audit import chain, records, segments, verify
from actas.audit.chain import Head
from actas.audit.records import Checkpoint, Gap, Opened
from actas.audit.verify import Anchor, Wrong

CHAIN = "0123456789abcdef" * 2


@pytest.fixture(scope="session")
def trail(now_always, decided, ended):
    """Nine lines: a segment's first record, then four calls."""
    entries = [Opened(at=now_always, chain=CHAIN, segment=1)]
    for number in range(4):
        entries += [decided(number), ended(number)]
    return tuple(linked(entries))


@pytest.fixture(scope="session")
def now_always(decided):
    return decided(0).at


def linked(entries, head=None):
    head = head or chain.genesis(CHAIN)
    for entry in entries:
        line, head = chain.link(head, records.encode(entry))
        yield line


def found(lines, **more):
    report = verify.verify([("000001.jsonl", lines)], **more)
    return [(one.wrong, one.seq) for one in report.findings]


def replaced(lines, old, new):
    return [*lines[:3], lines[3].replace(old, new), *lines[4:]]


def hash_of(line):
    return chain.parse(line).hash


def test_a_trail_as_it_was_written_holds(trail):
    report = verify.verify([("000001.jsonl", trail)])

    assert report.holds
    assert (report.chain, report.records, report.first, report.last.seq) == (CHAIN, 9, 1, 9)
    assert report.anchored is None


def test_the_hash_of_a_line_is_the_sha256_of_its_bytes_up_to_its_hash(trail):
    import hashlib

    text, _, rest = trail[3].rpartition(b',"hash":"')

    assert hashlib.sha256(text).hexdigest().encode() == rest[:64]
    assert b'"prev":"' + hash_of(trail[2]).encode() in text


CASES = [
    ("a record whose text was changed", lambda t: replaced(t, b"report", b"payout"), Wrong.CHANGED, 4),
    ("a record whose hash was edited", lambda t: [*t[:3], t[3][:-9] + b"000000" + t[3][-3:], *t[4:]], Wrong.CHANGED, 4),
    ("a record whose number was changed", lambda t: replaced(t, b'"seq":4', b'"seq":7'), Wrong.CHANGED, 4),
    ("a record that was taken out", lambda t: [*t[:3], *t[4:]], Wrong.MISSING, 4),
    ("two records that changed places", lambda t: [*t[:3], t[4], t[3], *t[5:]], Wrong.REORDERED, 4),
    ("a record that stands there twice", lambda t: [*t[:4], t[3], *t[4:]], Wrong.DUPLICATED, 4),
    ("a line that is no record", lambda t: [*t[:3], b"{}\n", *t[4:]], Wrong.UNREADABLE, 4),
    ("a line of another encoding", lambda t: [*t[:3], t[3].decode().encode("utf-16"), *t[4:]], Wrong.CUT, 4),
    ("spaces that change nothing", lambda t: replaced(t, b'":"', b'": "'), Wrong.UNREADABLE, 4),
    ("a last line without its end", lambda t: [*t[:8], t[8][:-20]], Wrong.CUT, 9),
    ("the first record taken out", lambda t: t[1:], Wrong.MISSING, 1),
]  # fmt: skip


@pytest.mark.parametrize(("tamper", "wrong", "seq"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_was_done_to_one_record_is_named(trail, tamper, wrong, seq):
    assert found(tamper(list(trail))) == [(wrong, seq)]


def test_several_missing_records_are_one_finding(trail):
    report = verify.verify([("000001.jsonl", [*trail[:2], *trail[6:]])])

    assert [one.says for one in report.findings] == ["records 3 to 6 are not here"]


def test_a_record_written_anew_with_its_own_hash_is_named_by_the_one_that_follows(trail, decided):
    forged, _ = chain.link(chain.parse(trail[2]).head, records.encode(decided(3, verdict="deny")))

    assert found([*trail[:3], forged, *trail[4:]]) == [(Wrong.CHANGED, 4)]


def test_a_trail_rewritten_to_its_end_holds_by_itself_but_not_against_an_anchor(trail, decided, ended):
    anchor = Anchor(source="receipt", seq=9, hash=hash_of(trail[8]))
    head = chain.parse(trail[2]).head
    rewritten = [*trail[:3], *linked([decided(9), *(ended(n) for n in range(5))], head)]

    assert found(rewritten) == []
    assert found(rewritten, anchors=[anchor]) == [(Wrong.REWRITTEN, 9)]
    assert found(trail, anchors=[anchor]) == []


def test_a_cut_end_is_seen_by_an_anchor_only(trail):
    anchor = Anchor(source="receipt", seq=9, hash=hash_of(trail[8]))

    assert found(trail[:6]) == []
    assert found(trail[:6], anchors=[anchor]) == [(Wrong.CUT, 9)]


def test_the_report_says_up_to_which_anchor_the_trail_is_proved(trail):
    anchors = [Anchor(source=f"receipt-{n}", seq=n, hash=hash_of(trail[n - 1])) for n in (3, 7, 5)]

    assert verify.verify([("000001.jsonl", trail)], anchors=anchors).anchored.source == "receipt-7"


def test_an_anchor_behind_a_wrong_record_proves_only_what_stands_before(trail):
    anchors = [Anchor(source=f"receipt-{n}", seq=n, hash=hash_of(trail[n - 1])) for n in (3, 7)]
    lines = [*trail[:3], trail[3].replace(b"report", b"payout"), *trail[4:]]

    report = verify.verify([("000001.jsonl", lines)], anchors=anchors)

    assert report.anchored.source == "receipt-3"
    assert not report.holds


def test_a_missing_segment_is_named(trail):
    report = verify.verify([("000001.jsonl", trail[:3]), ("000003.jsonl", trail[6:])])

    assert [(one.wrong, one.seq, one.segment) for one in report.findings] == [(Wrong.MISSING, 4, "000003.jsonl")]


def test_the_segments_of_two_chains_do_not_make_one(trail, now_always):
    head = chain.parse(trail[-1]).head
    other = list(linked([Opened(at=now_always, chain="f" * 32, segment=2)], head))

    assert found([*trail, *other]) == [(Wrong.FOREIGN, 10)]


def test_a_first_record_that_follows_something_else_is_named(now_always):
    lines = list(linked([Opened(at=now_always, chain=CHAIN, segment=1)], Head(0, "0" * 64)))

    assert found(lines) == [(Wrong.CHANGED, 1)]


def test_gaps_are_told_apart_from_tampering(trail, now_always):
    gap = Gap(at=now_always, since=now_always, because="audit.disk-full", late=1, lost=0)
    lines = [*trail, *linked([gap], chain.parse(trail[-1]).head)]

    report = verify.verify([("000001.jsonl", lines)])

    assert report.holds
    assert report.gaps == ((10, gap),)


def test_a_checkpoint_must_be_of_the_record_before_it(trail, now_always):
    head = chain.parse(trail[-1]).head
    right = Checkpoint(at=now_always, seq=head.seq, hash=head.hash, token="t")
    wrong = Checkpoint(at=now_always, seq=head.seq - 1, hash=hash_of(trail[-2]), token="t")

    assert found([*trail, *linked([right], head)]) == []
    assert found([*trail, *linked([wrong], head)]) == [(Wrong.FORGED, 10)]


def test_a_checkpoint_whose_signature_does_not_hold_is_named(trail, now_always):
    head = chain.parse(trail[-1]).head
    lines = [*trail, *linked([Checkpoint(at=now_always, seq=head.seq, hash=head.hash, token="t")], head)]

    assert found(lines, check_token=lambda entry: "it is forged") == [(Wrong.FORGED, 10)]
    assert verify.verify([("1", lines)], check_token=lambda entry: None).checkpoints == 1


def test_no_more_findings_are_listed_than_a_reader_can_bear(trail):
    report = verify.verify([("000001.jsonl", [b"x\n"] * (verify.MAX_FINDINGS + 5))])

    assert (len(report.findings), report.more_findings) == (verify.MAX_FINDINGS, 5)


def test_a_record_that_no_gateway_writes_is_named_though_its_hash_holds(trail):
    line, head = chain.link(chain.parse(trail[2]).head, b'{"type":"decided","name":"Ana"}')

    assert found([*trail[:3], line]) == [(Wrong.UNREADABLE, 4)]
    assert chain.parse(line).head == head


def test_a_line_longer_than_any_that_a_gateway_writes_is_named(trail):
    assert found([*trail[:3], b"x" * (chain.MAX_LINE + 1) + b"\n"]) == [(Wrong.UNREADABLE, 4)]


def test_a_hole_of_any_size_is_one_finding(trail, decided):
    line, _ = chain.link(Head(10**12, "0" * 64), records.encode(decided(1)))

    report = verify.verify([("000001.jsonl", [*trail[:3], line])])

    assert [one.says for one in report.findings] == [f"records 4 to {10**12} are not here"]


def test_an_anchor_before_the_first_record_that_is_here_proves_nothing(trail):
    anchors = [Anchor(source="receipt", seq=1, hash=hash_of(trail[0]))]

    assert verify.verify([("000001.jsonl", trail[3:])], anchors=anchors).anchored is None


@given(data=st.data())
def test_no_changed_byte_goes_unseen(trail, data):
    whole = bytearray(b"".join(trail))
    where = data.draw(st.integers(0, len(whole) - 1))
    whole[where] ^= data.draw(st.integers(1, 255))

    report = verify.verify([("000001.jsonl", bytes(whole).splitlines(keepends=True))])

    assert not report.holds


@given(data=st.data())
def test_no_order_but_the_written_one_goes_unseen(trail, data):
    lines = data.draw(st.lists(st.sampled_from(trail), max_size=14))

    report = verify.verify([("000001.jsonl", lines)])

    assert report.holds == (tuple(lines) == trail[: len(lines)])


@given(junk=st.binary(max_size=300))
def test_no_junk_but_a_named_finding(junk):
    report = verify.verify([("000001.jsonl", junk.splitlines(keepends=True))])

    assert report.holds == (not junk)


def test_segments_are_read_in_the_order_of_their_numbers(tmp_path):
    for number in (10, 9, 1_000_000):
        (tmp_path / segments.name_of(number)).touch()
    (tmp_path / "head.json").touch()

    assert [path.name for path in segments.listed(tmp_path)] == ["000009.jsonl", "000010.jsonl", "1000000.jsonl"]
