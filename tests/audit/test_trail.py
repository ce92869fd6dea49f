"""The room as the gateway uses it."""

import json
from contextlib import asynccontextmanager
from ipaddress import ip_address

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actas.audit import Audit, officers, read, unmask
from actas.audit.boxes import Person
from actas.audit.errors import ApprovalUnreadable, CannotOpen, NobodyThere, NotRecorded
from actas.audit.records import Counted, Erased, Reloaded, Started, Unmasked
from actas.model import clock
from actas.model.facts import Known, Missing
from actas.model.record import Decided, Ended
from actas.settings.schema import Audit as Settings
from actas.settings.schema import Jsonl
from actas.settings.values import Size

pytestmark = pytest.mark.anyio
ISSUER = "https://idp.example"
SETTINGS = Settings(reserve=Size(0))


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def running(state):
    @asynccontextmanager
    async def run(settings=SETTINGS, base=None):
        audit = Audit(settings, state, base=base)
        await audit.open()
        async with anyio.create_task_group() as tasks:
            await tasks.start(audit.run)
            try:
                yield audit
            finally:
                tasks.cancel_scope.cancel()
        await audit.close()

    return run


@pytest.fixture
def two(tmp_path):
    """Two officers, with settings that name them."""
    for name in ("ana", "ben"):
        officers.make_officer(tmp_path / f"{name}.private", tmp_path / f"{name}.public")
    ana, ben = (officers.read_private(tmp_path / f"{name}.private") for name in ("ana", "ben"))
    public = dict(officers.read_public(tmp_path / f"{name}.public") for name in ("ana", "ben"))
    return ana, ben, public, Settings(officers=("ana.public", "ben.public"), reserve=Size(0))


def entries(audit, *kinds):
    return [one.entry for one in read.since(audit.folder) if isinstance(one.entry, kinds)]


async def test_a_call_leaves_two_records_in_a_trail_that_holds(running, decided, ended):
    async with running() as audit:
        await audit.decided(decided(1))
        audit.ended(ended(1))

    report = read.verify_folder(audit.folder)
    assert entries(audit, Decided, Ended) == [decided(1), ended(1)]
    assert report.holds
    assert report.checkpoints == 1
    assert report.anchored is None


async def test_a_call_that_a_crash_left_open_is_closed_as_unknown(running, state, decided):
    crashed = Audit(SETTINGS, state)
    await crashed.open()
    crashed._sink.write((decided(1),))
    await crashed.close()

    async with running() as audit:
        pass

    (end,) = entries(audit, Ended)
    assert (end.call, end.outcome) == (decided(1).call, "unknown")
    assert [started.unknown for started in entries(audit, Started)] == [0, 1]


async def test_strangers_are_counted_by_minute_reason_and_network(running):
    async with running() as audit:
        for last in (7, 8):
            audit.stranger("identify.no-token", Known(ip_address(f"192.0.2.{last}")))
        audit.stranger("identify.token-expired", Known(ip_address("2001:db8:1:2::3")))
        audit.stranger("identify.no-token", Missing.UNKNOWN)

    found = {(one.reason, one.network, one.count) for one in entries(audit, Counted)}
    assert found == {
        ("identify.no-token", "192.0.2.0/24", 2),
        ("identify.token-expired", "2001:db8:1::/48", 1),
        ("identify.no-token", "unknown", 1),
    }


async def test_rules_that_changed_are_in_the_trail(running):
    async with running() as audit:
        audit.reloaded("0123456789abcdef")

    assert [one.generation for one in entries(audit, Reloaded)] == ["0123456789abcdef"]


async def test_the_room_tells_how_it_does(running, two, tmp_path, decided):
    async with running(two[3], base=tmp_path) as audit:
        await audit.store()
        await audit.decided(decided(1))
        state = audit.state()

    assert (state.trouble, state.queued, state.gaps, state.store_open, state.officers) == (None, 0, 0, True, 2)
    assert state.kept == 1
    assert state.busy > 0
    assert state.seq == 3


async def test_a_folder_in_the_settings_starts_where_the_settings_do(state, tmp_path):
    named = Settings(jsonl=Jsonl(path="trail"))

    assert Audit(named, state, base=tmp_path).folder == tmp_path / "trail"
    assert Audit(SETTINGS, state).folder == state / "audit"


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(subject=st.text(alphabet=st.characters(codec="utf-8"), min_size=6, max_size=30))
def test_no_record_holds_anything_of_a_person(running, two, tmp_path, decided, subject):
    email = f"{subject}@mail.example"

    async def meet():
        async with running(two[3], base=tmp_path) as audit:
            name = await audit.of(ISSUER, email)
            await audit.decided(decided(1, subject=name, actors=(await audit.of(ISSUER, subject + "!"),)))
            return audit

    audit = anyio.run(meet)

    kept = b"".join(path.read_bytes() for path in audit.folder.iterdir())
    for text in (email, subject + "!", ISSUER):
        assert text.encode() not in kept
        assert json.dumps(text).strip('"').encode() not in kept


async def test_deleting_a_persons_row_leaves_a_trail_that_verifies(running, decided):
    async with running() as audit:
        name = await audit.of(ISSUER, "ana")
        await audit.decided(decided(1, subject=name))

        erased = await unmask.erase(audit, issuer=ISSUER, subject="ana", now=clock.now())

        assert erased == 1
        assert await audit.pseudonyms.sealed(name) is None

    assert read.verify_folder(audit.folder).holds
    assert entries(audit, Decided)[0].subject == name
    assert [one.rows for one in entries(audit, Erased)] == [1]


async def test_two_officers_unmask_a_person_and_the_trail_has_it(running, two, tmp_path):
    ana, ben, public, named = two
    async with running(named, base=tmp_path) as audit:
        name = await audit.of(ISSUER, "chidi")
        approval = await unmask.approve(audit, name, officer=ana, partner=(ben.id, public[ben.id]), reason="incident 7")
        person = await unmask.unmask(audit, unmask.read_approval(approval.written()), officer=ben, now=clock.now())

    (record,) = entries(audit, Unmasked)
    assert person == Person(issuer=ISSUER, subject="chidi")
    assert (record.pseudonym, record.officers, record.reason) == (name, (ana.id, ben.id), "incident 7")


async def test_a_person_is_unmasked_beside_no_gateway_too(running, two, tmp_path, state):
    ana, ben, public, named = two
    async with running(named, base=tmp_path) as audit:
        name = await audit.of(ISSUER, "chidi")

    beside = Audit(named, state, base=tmp_path)
    async with beside.attended():
        partner = (ben.id, public[ben.id])
        approval = await unmask.approve(beside, name, officer=ana, partner=partner, reason="incident 7")
        person = await unmask.unmask(beside, approval, officer=ben, now=clock.now())

    assert person.subject == "chidi"
    assert len(entries(beside, Unmasked)) == 1
    assert read.verify_folder(beside.folder).holds


async def test_a_person_is_unmasked_from_another_process_by_the_gateway_that_runs(running, two, tmp_path, state):
    ana, ben, public, named = two
    async with running(named, base=tmp_path) as audit:
        name = await audit.of(ISSUER, "chidi")
        beside = Audit(named, state, base=tmp_path)
        async with beside.attended():
            partner = (ben.id, public[ben.id])
            approval = await unmask.approve(beside, name, officer=ana, partner=partner, reason="incident 7")
            await unmask.unmask(beside, approval, officer=ben, now=clock.now())

    assert len(entries(audit, Unmasked)) == 1


async def test_nothing_is_learned_that_cannot_be_recorded(running, two, tmp_path, state, monkeypatch, sink, now):
    from actas.audit import errands

    ana, ben, public, named = two
    async with running(named, base=tmp_path) as audit:
        name = await audit.of(ISSUER, "chidi")
    monkeypatch.setattr(errands, "LIMIT", 0.3)
    holder = sink(where=audit.folder)
    holder.open(now)

    async with audit.attended():
        approval = await unmask.approve(audit, name, officer=ana, partner=(ben.id, public[ben.id]), reason="incident 7")
        with pytest.raises(NotRecorded):
            await unmask.unmask(audit, approval, officer=ben, now=clock.now())


@pytest.mark.parametrize("change", ["reason", "pseudonym", "by", "to"])
async def test_an_approval_holds_for_what_it_says_and_nothing_else(running, two, tmp_path, change):
    import msgspec

    ana, ben, public, named = two
    async with running(named, base=tmp_path) as audit:
        name, other = await audit.of(ISSUER, "chidi"), await audit.of(ISSUER, "dana")
        approval = await unmask.approve(audit, name, officer=ana, partner=(ben.id, public[ben.id]), reason="incident 7")
        values = {"reason": "curiosity", "pseudonym": other, "by": ben.id, "to": ana.id}
        forged = msgspec.structs.replace(approval, **{change: values[change]})

        with pytest.raises(CannotOpen):
            await unmask.unmask(audit, forged, officer=ben, now=clock.now())

    assert entries(audit, Unmasked) == []


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "two\nlines"], ids=["none", "blank", "endless", "two lines"])
async def test_an_unmasking_needs_a_reason(running, two, tmp_path, reason):
    ana, ben, public, named = two
    async with running(named, base=tmp_path) as audit:
        name = await audit.of(ISSUER, "chidi")

        with pytest.raises(CannotOpen, match="reason"):
            await unmask.approve(audit, name, officer=ana, partner=(ben.id, public[ben.id]), reason=reason)


async def test_an_officer_cannot_be_the_second_person_too(running, two, tmp_path):
    ana, _, public, named = two
    async with running(named, base=tmp_path) as audit:
        name = await audit.of(ISSUER, "chidi")

        with pytest.raises(CannotOpen):
            await unmask.approve(audit, name, officer=ana, partner=(ana.id, public[ana.id]), reason="incident 7")


async def test_an_erased_person_cannot_be_unmasked(running, two, tmp_path):
    ana, ben, public, named = two
    async with running(named, base=tmp_path) as audit:
        name = await audit.of(ISSUER, "chidi")
        await unmask.erase(audit, issuer=ISSUER, subject="chidi", now=clock.now())

        with pytest.raises(NobodyThere):
            await unmask.approve(audit, name, officer=ana, partner=(ben.id, public[ben.id]), reason="incident 7")


@given(text=st.one_of(st.text(), st.binary().map(lambda some: "actas-approval-" + some.hex())))
def test_a_text_that_is_no_approval_is_refused(text):
    with pytest.raises(ApprovalUnreadable):
        unmask.read_approval(text)
