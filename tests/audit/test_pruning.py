"""Old segments go, the trail accounts for them itself, and whatever else is missing is still seen."""

import shutil
import stat
from datetime import timedelta

import anyio
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actas.audit import Audit, chain, checkpoints, read, records, segments, trail
from actas.audit.checkpoints import PRUNED, TYPE, Keys
from actas.audit.errors import NotPruned, TrailBroken, TrailExposed, TrailUnreadable
from actas.audit.following import Place
from actas.audit.pruning import Pruning
from actas.audit.records import Pruned
from actas.audit.render import report_text
from actas.audit.verify import Wrong
from actas.settings.schema import Audit as Settings
from actas.settings.schema import Jsonl
from actas.settings.values import Size, Span

DAY = timedelta(days=1)
DAYS = 8


@pytest.fixture
def kept(sink, folder, keys, now, decided, ended):
    """Keep a trail of eight days, a segment a day, the last of them today; its head is signed."""
    one = sink(segment=700)
    one.open(now - DAYS * DAY)
    for day in range(DAYS - 1, -1, -1):
        at = now - day * DAY
        one.write((decided(day, at=at, received_at=at), ended(day, at=at)))
    one.keep_public(keys.public())
    one.checkpoint(now)
    return one


@pytest.fixture
def pruning(folder):
    def make(**more):
        return Pruning(**({"folder": folder, "archive": None, "places": ()} | more))

    return make


@pytest.fixture
def prune(kept, pruning, keys, now):
    """Prune what is from before so many days ago, in the order that the room has."""

    def do(days, **more):
        one = pruning(**more)
        plan = one.plan(now - days * DAY)
        assert plan is not None
        one.keep_copies(plan)
        kept.write((one.record(plan, keys, now),))
        kept.checkpoint(now)
        one.remove(plan)
        return plan

    return do


def names(folder):
    return [path.name for path in segments.listed(folder)]


def wrong(folder, **more):
    return [(one.wrong, one.seq) for one in read.verify_folder(folder, **more).findings]


def test_what_is_left_holds_and_says_what_went(prune, folder, now):
    before = names(folder)
    plan = prune(3)

    report = read.verify_folder(folder)
    assert report.holds
    assert names(folder)[: len(before) - len(plan.paths)] == before[len(plan.paths) :]
    assert set(names(folder)).isdisjoint(path.name for path in plan.paths)
    assert report.first == plan.head.seq + 1
    assert (report.pruned.seq, report.pruned.hash, report.pruned.before) == (*vars_of(plan.head), now - 3 * DAY)
    assert f"records up to {plan.head.seq} were pruned on 2026-03-14T09:26:53Z" in report_text(report)


def vars_of(head):
    return head.seq, head.hash


def test_a_segment_goes_when_the_next_one_was_opened_before_the_time_and_no_sooner(kept, pruning, folder, now):
    opened = records.decode(chain.parse(next(segments.lines(segments.listed(folder)[3]))).record)

    just = pruning().plan(opened.at)
    not_yet = pruning().plan(opened.at - timedelta(microseconds=1))

    assert [path.name for path in just.paths] == names(folder)[:3]
    assert [path.name for path in not_yet.paths] == names(folder)[:2]


def test_the_segment_that_is_written_never_goes(kept, pruning, folder, now):
    plan = pruning().plan(now + 1000 * DAY)

    assert [path.name for path in plan.paths] == names(folder)[:-1]


def test_no_more_go_at_once_than_was_asked(kept, pruning, now):
    assert len(pruning().plan(now - DAY, 2).paths) == 2


def test_nothing_goes_where_nothing_is_that_old(kept, pruning, now):
    assert pruning().plan(now - 1000 * DAY) is None


def test_a_trail_of_one_segment_stays(sink, folder, pruning, now):
    sink().open(now)

    assert pruning().plan(now + DAY) is None


def test_a_gateway_goes_on_with_a_pruned_trail(prune, kept, sink, folder, now, decided, ended):
    prune(3)
    kept.close()
    after = sink(segment=700)
    after.open(now)
    after.write((decided(77), ended(77)))
    after.checkpoint(now)

    assert wrong(folder) == []


def test_pruning_again_forgets_what_said_so_before(prune, folder):
    first, second = prune(5), prune(2)

    report = read.verify_folder(folder)
    assert (report.holds, report.first) == (True, second.head.seq + 1)
    assert second.first == first.head.seq + 1


def test_more_gone_than_was_said_is_a_hole(prune, folder):
    plan = prune(5)
    gone, left = segments.listed(folder)[:2]
    gone.unlink()

    first = chain.parse(next(segments.lines(left))).seq
    assert wrong(folder) == [(Wrong.MISSING, plan.head.seq + 1)]
    (found,) = read.verify_folder(folder).findings
    assert f"records {plan.head.seq + 1} to {first - 1} are not here" in found.says
    assert f"pruned were those up to record {plan.head.seq}" in found.says


def test_without_the_keys_nothing_that_is_said_accounts_for_what_is_missing(prune, folder, tmp_path):
    prune(3)
    (folder / "keys.json").rename(tmp_path / "keys.json")

    assert wrong(folder) == [(Wrong.MISSING, 1)]
    assert wrong(folder, keys=tmp_path / "keys.json") == []


def test_deleting_without_saying_so_is_a_hole(kept, folder):
    for path in segments.listed(folder)[:3]:
        path.unlink()

    assert wrong(folder) == [(Wrong.MISSING, 1)]
    assert read.verify_folder(folder).pruned is None


def test_a_hole_in_the_middle_and_a_cut_end_are_told_from_pruning(prune, folder):
    prune(5)
    files = segments.listed(folder)
    middle, last = files[1], files[-1]
    lost = [chain.parse(line).seq for line in segments.lines(middle)]
    middle.unlink()

    assert wrong(folder) == [(Wrong.MISSING, lost[0])]
    last.unlink()
    assert Wrong.CUT in {kind for kind, _ in wrong(folder)}


def test_the_end_that_says_so_cannot_be_cut_off(prune, folder, tmp_path):
    head = tmp_path / "elsewhere.json"
    prune(5)
    shutil.copy(folder / "head.json", head)
    for path in segments.listed(folder)[-2:]:
        path.unlink()
    (folder / "head.json").unlink()

    kinds = {kind for kind, _ in wrong(folder, anchors=[head])}
    assert kinds >= {Wrong.MISSING, Wrong.CUT}


def claim(kept, keys, now, seq, digest, *, typ=PRUNED):
    head = chain.Head(seq, digest)
    token = keys.sign(chain=kept.chain, head=head, at=now, typ=typ)
    return Pruned(at=now, segment=1, seq=seq, hash=digest, before=now, token=token)


@pytest.mark.parametrize("how", ["another key", "another type", "another head", "no token"])
def test_a_claim_that_no_gateway_signed_accounts_for_nothing(how, kept, keys, folder, now, tmp_path):
    files = segments.listed(folder)
    last = chain.parse(list(segments.lines(files[2]))[-1])
    mallory = Keys(tmp_path / "mallory.json")
    mallory.rotate(now)
    made = {
        "another key": lambda: claim(kept, mallory, now, last.seq, last.hash),
        "another type": lambda: claim(kept, keys, now, last.seq, last.hash, typ=TYPE),
        "another head": lambda: msgspec.structs.replace(
            claim(kept, keys, now, last.seq - 1, last.prev), seq=last.seq, hash=last.hash
        ),
        "no token": lambda: msgspec.structs.replace(claim(kept, keys, now, last.seq, last.hash), token="a.b.c"),
    }[how]()
    kept.write((made,))
    for path in files[:3]:
        path.unlink()

    found = dict(wrong(folder))
    assert found.pop(Wrong.MISSING) == 1
    assert set(found) == {Wrong.FORGED}


def test_a_claim_must_be_of_the_record_that_the_first_one_left_follows(kept, keys, folder, now):
    files = segments.listed(folder)
    last = chain.parse(list(segments.lines(files[2]))[-1])
    kept.write((claim(kept, keys, now, last.seq, "0" * 64),))
    for path in files[:3]:
        path.unlink()

    assert set(dict(wrong(folder))) == {Wrong.MISSING, Wrong.FORGED}


def test_a_claim_of_records_that_are_here_must_be_true_of_them(kept, keys, folder, now):
    last = chain.parse(list(segments.lines(segments.listed(folder)[2]))[-1])
    kept.write((claim(kept, keys, now, last.seq, "0" * 64),))

    assert [kind for kind, _ in wrong(folder)] == [Wrong.FORGED]


def test_a_claim_of_records_to_come_is_none(kept, keys, folder, now):
    kept.write((claim(kept, keys, now, 10_000, "0" * 64),))

    assert [kind for kind, _ in wrong(folder)] == [Wrong.FORGED]


@pytest.mark.parametrize("deleted", [0, 1, 2, 3])
def test_a_crash_while_segments_go_leaves_a_trail_that_holds_and_is_finished_later(
    deleted, kept, pruning, keys, folder, now
):
    one = pruning()
    plan = one.plan(now - 3 * DAY)
    kept.write((one.record(plan, keys, now),))
    kept.checkpoint(now)
    for path in plan.paths[:deleted]:
        path.unlink()

    assert wrong(folder) == []
    again = one.plan(now - 3 * DAY)
    assert again.paths == plan.paths[deleted:]
    one.remove(again)
    assert wrong(folder) == []


def test_a_head_kept_elsewhere_of_the_last_record_that_went_proves_it(prune, folder, tmp_path, keys, kept, now):
    plan = prune(3)
    for name, digest in (("true", plan.head.hash), ("false", "0" * 64)):
        head = chain.Head(plan.head.seq, digest)
        token = keys.sign(chain=kept.chain, head=head, at=now)
        said = checkpoints.HeadFile(chain=kept.chain, seq=head.seq, hash=digest, at=now, token=token)
        (tmp_path / f"{name}.json").write_bytes(msgspec.json.encode(said))

    assert read.verify_folder(folder, anchors=[tmp_path / "true.json"]).anchored.seq == plan.head.seq
    assert wrong(folder, anchors=[tmp_path / "false.json"]) == [(Wrong.REWRITTEN, plan.head.seq)]


@pytest.mark.parametrize("line", [0, 1, -1], ids=["the first line", "a line", "the last line"])
def test_what_does_not_hold_is_not_pruned_away(line, kept, pruning, folder, now):
    victim = segments.listed(folder)[2]
    lines = list(segments.lines(victim))
    lines[line] = lines[line].replace(b"2026", b"2025", 1)
    victim.write_bytes(b"".join(lines))

    with pytest.raises((NotPruned, TrailBroken)):
        pruning().plan(now - 3 * DAY)
    assert len(names(folder)) > DAYS - 1


def test_a_segment_that_was_exchanged_as_a_whole_is_not_pruned_away(kept, pruning, folder, now):
    files = segments.listed(folder)
    files[1].unlink()

    with pytest.raises(NotPruned):
        pruning().plan(now - 3 * DAY)


def test_what_no_signed_head_covers_stays(kept, pruning, keys, folder, now):
    early = chain.parse(next(segments.lines(segments.listed(folder)[1])))
    token = keys.sign(chain=kept.chain, head=early.head, at=now)
    said = checkpoints.HeadFile(chain=kept.chain, seq=early.seq, hash=early.hash, at=now, token=token)
    (folder / "head.json").write_bytes(msgspec.json.encode(said))

    with pytest.raises(NotPruned, match="the last signed head is of record"):
        pruning().plan(now - 3 * DAY)


@pytest.mark.parametrize("what", ["no head", "half a head", "a head that another key signed"])
def test_without_a_good_head_nothing_goes(what, kept, pruning, folder, now, tmp_path):
    head = folder / "head.json"
    if what == "no head":
        head.unlink()
    elif what == "half a head":
        head.write_bytes(head.read_bytes()[:40])
    else:
        mallory = Keys(tmp_path / "mallory.json")
        mallory.rotate(now)
        said = msgspec.json.decode(head.read_bytes(), type=checkpoints.HeadFile)
        token = mallory.sign(chain=said.chain, head=chain.Head(said.seq, said.hash), at=now)
        head.write_bytes(msgspec.json.encode(msgspec.structs.replace(said, token=token)))

    with pytest.raises(NotPruned, match=r"head\.json cannot be read, or its signature does not hold"):
        pruning().plan(now - 3 * DAY)


def test_what_goes_lies_in_the_archive_first_and_holds_there_and_with_what_is_left(prune, folder, tmp_path):
    archive = tmp_path / "archive"
    before = {path.name: path.read_bytes() for path in segments.listed(folder)}
    plan = prune(5, archive=archive)
    more = prune(3, archive=archive)

    gone = [path.name for path in (*plan.paths, *more.paths)]
    assert names(archive) == gone
    assert all((archive / name).read_bytes() == before[name] for name in gone)
    assert {stat.S_IMODE(path.stat().st_mode) for path in segments.listed(archive)} == {0o600}
    alone, whole = read.verify_folder(archive), read.verify_folder(folder, archive=archive)
    assert (alone.holds, alone.first, alone.last) == (True, 1, more.head)
    assert (whole.holds, whole.first, whole.pruned) == (True, 1, None)


def test_an_archive_with_another_trail_stops_it(kept, pruning, folder, tmp_path, now):
    archive = tmp_path / "archive"
    segments.make_folder(archive)
    (archive / "000001.jsonl").write_bytes(b"another")
    one = pruning(archive=archive)

    with pytest.raises(NotPruned, match=r"the archive has another 000001\.jsonl"):
        one.keep_copies(one.plan(now - 3 * DAY))


def test_an_archive_that_others_can_read_is_refused(kept, pruning, tmp_path, now):
    archive = tmp_path / "archive"
    archive.mkdir(mode=0o755)
    archive.chmod(0o755)
    one = pruning(archive=archive)

    with pytest.raises(TrailExposed):
        one.keep_copies(one.plan(now - 3 * DAY))


def test_what_somebody_who_keeps_a_copy_has_not_taken_stays(kept, pruning, tmp_path, folder, now):
    file = tmp_path / "copy.json"
    one = pruning(places=(file,))

    assert one.plan(now - 3 * DAY) is None  # it has not begun
    file.write_bytes(msgspec.json.encode(Place(chain=kept.chain, segment=3, offset=9, seq=5)))
    assert [path.name for path in one.plan(now - 3 * DAY).paths] == names(folder)[:2]
    file.write_bytes(msgspec.json.encode(Place(chain="0" * 32, segment=3, offset=9, seq=5)))
    assert one.plan(now - 3 * DAY) is None
    file.write_bytes(b"{")
    assert one.plan(now - 3 * DAY) is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(0, DAYS), max_size=DAYS))
def test_whatever_else_is_deleted_the_rest_holds_only_if_it_is_an_end_that_the_trail_accounts_for(
    pruned_once, tmp_path_factory, gone
):
    folder, reach = pruned_once
    copy = tmp_path_factory.mktemp("copy") / "audit"
    shutil.copytree(folder, copy)
    files = segments.listed(copy)
    left = [place for place in range(len(files)) if place not in gone]
    for place in gone & set(range(len(files))):
        files[place].unlink()
    if not left:
        return

    is_end = left == list(range(left[0], len(files)))
    assert read.verify_folder(copy).holds == (is_end and left[0] <= reach)


@pytest.fixture
def pruned_once(kept, pruning, keys, folder, now):
    """Say that segments go, and leave them: how many is told."""
    if not (folder.parent / "said").exists():
        one = pruning()
        plan = one.plan(now - 4 * DAY)
        kept.write((one.record(plan, keys, now),))
        kept.checkpoint(now)
        (folder.parent / "said").write_text(str(len(plan.paths)))
    return folder, int((folder.parent / "said").read_text())


class Turned:
    """A clock that tests turn."""

    def __init__(self, at):
        self.at = at

    def __call__(self):
        return self.at


@pytest.fixture
def old(tmp_path, now, decided, ended):
    """Make a room over a trail of eight days."""

    def make(**more):
        wanted = Settings(reserve=Size(0), jsonl=Jsonl(segment=Size(700)), **more)
        clock = Turned(now - DAYS * DAY)
        audit = Audit(wanted, tmp_path / "state", clock, base=tmp_path)
        audit._open(0)
        for day in range(DAYS - 1, -1, -1):
            clock.at = now - day * DAY
            audit._sink.write((decided(day, at=clock.at), ended(day, at=clock.at)))
        audit._sink.checkpoint(clock.at)
        audit._sink.close()
        return Audit(wanted, tmp_path / "state", clock, base=tmp_path)

    return make


@pytest.mark.anyio
async def test_a_command_prunes_where_no_gateway_runs(old, now):
    audit = old()
    async with audit.attended():
        plan = await audit.prunable(now - 3 * DAY)
        await audit.prune(plan)

    report = read.verify_folder(audit.folder)
    assert (report.holds, report.first) == (True, plan.head.seq + 1)


@pytest.mark.anyio
async def test_a_command_prunes_beside_a_gateway_that_keeps_the_record(old, now, tmp_path):
    gateway = old()
    await gateway.open()
    async with anyio.create_task_group() as tasks:
        await tasks.start(gateway.run)
        command = Audit(Settings(reserve=Size(0)), tmp_path / "state", lambda: now)
        async with command.attended():
            plan = await command.prunable(now - 3 * DAY)
            await command.prune(plan)
        tasks.cancel_scope.cancel()
    await gateway.close()

    report = read.verify_folder(gateway.folder)
    assert (report.holds, report.first) == (True, plan.head.seq + 1)


@pytest.mark.anyio
async def test_the_records_of_the_last_day_stay_whatever_is_asked(old, now):
    audit = old()

    plan = await audit.prunable(now + 100 * DAY)

    left = [line for path in segments.listed(audit.folder)[len(plan.paths) :] for line in segments.lines(path)]
    times = [records.decode(chain.parse(line).record).at for line in left]
    assert plan == await audit.prunable(now - DAY)
    assert min(times) == now - DAY


@pytest.mark.anyio
async def test_a_gateway_prunes_by_itself_what_is_older_than_the_settings_keep(old, now, monkeypatch):
    monkeypatch.setattr(trail, "PRUNED_AFTER", 0.01)
    audit = old(keep=Span.read("3d"), archive="archive")
    await audit.open()
    going = (await audit.prunable(now - 3 * DAY)).paths
    async with anyio.create_task_group() as tasks:
        await tasks.start(audit.run)
        with anyio.fail_after(20):
            while any(path.exists() for path in going):  # noqa: ASYNC110 - another task does it
                await anyio.sleep(0.01)
        state = audit.state()
        tasks.cancel_scope.cancel()
    await audit.close()

    report = read.verify_folder(audit.folder)
    assert (report.holds, report.first > 1, state.unpruned) == (True, True, None)
    assert read.verify_folder(audit.folder, archive=audit.folder.parents[1] / "archive").first == 1


@pytest.mark.anyio
async def test_a_gateway_that_cannot_prune_says_so_and_goes_on(old, monkeypatch, decided):
    monkeypatch.setattr(trail, "PRUNED_AFTER", 0.01)
    audit = old(keep=Span.read("3d"))
    segments.listed(audit.folder)[1].unlink()
    await audit.open()
    async with anyio.create_task_group() as tasks:
        await tasks.start(audit.run)
        with anyio.fail_after(20):
            while audit.state().unpruned is None:  # noqa: ASYNC110 - another task finds it
                await anyio.sleep(0.01)
        await audit.decided(decided(99))
        state = audit.state()
        tasks.cancel_scope.cancel()
    await audit.close()

    assert (state.unpruned.code, state.trouble) == ("audit.not-pruned", None)
    assert len(segments.listed(audit.folder)) >= DAYS - 1


@pytest.mark.anyio
async def test_a_gateway_without_a_span_keeps_everything(old, monkeypatch):
    monkeypatch.setattr(trail, "PRUNED_AFTER", 0.01)
    audit = old()
    await audit.open()
    async with anyio.create_task_group() as tasks:
        await tasks.start(audit.run)
        await anyio.sleep(0.05)
        tasks.cancel_scope.cancel()
    await audit.close()

    assert audit.keeps_since is None
    assert read.verify_folder(audit.folder).first == 1


def test_a_segment_that_goes_while_it_is_looked_at_is_no_accident(kept, pruning, folder, now, monkeypatch):
    listed = segments.listed(folder)
    monkeypatch.setattr(segments, "listed", lambda _folder: listed)
    assert kept is not None
    assert pruning().plan(now - 3 * DAY) is not None

    listed[1].unlink()
    with pytest.raises(TrailUnreadable):
        pruning().plan(now - 3 * DAY)
