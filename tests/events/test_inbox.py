"""An event is heard once, with all that follows from it, or not at all."""

from datetime import timedelta

import anyio
import msgspec
import pytest

from actas.events.cuts import QUEUE as CUTS
from actas.events.errors import Backlogged
from actas.events.jobs import QUEUE, Delivered
from actas.settings.schema_event_sources import EventClient
from actas.settings.schema_keys import SecretRef
from actas.settings.schema_roles import AwsBase, CutSessions, RoleSettings
from actas.store import heard_rows
from actas.store.outbox import Done

pytestmark = pytest.mark.anyio


async def jobs(room):
    """Work on every delivery that waits; give them in order."""
    seen = []

    async def work(job):
        seen.append((job.key, job.lane, msgspec.json.decode(job.body, type=Delivered)))
        return Done()

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: room.outbox.run(QUEUE, work, at_once=1))
            while (now := await room.outbox.counts(QUEUE)).waiting + now.running:  # noqa: ASYNC110 - nobody tells
                await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()
    return seen


async def rows(room):
    async with room.store.read() as connection:
        return await heard_rows.latest(connection, after=-1, most=100, source=None)


async def test_an_event_that_comes_twice_runs_its_function_once(gateway, settings, on, event):
    async with gateway(settings(on())) as room:
        first = await room.hear(event("e1"))
        again = await room.hear(event("e1"))
        seen = await jobs(room)

    assert (first.fresh, first.repeated, again.fresh, again.repeated) == (1, 0, 0, 1)
    assert len(seen) == 1


async def test_the_same_event_from_two_ways_at_once_is_new_to_one_of_them(gateway, settings, on, event):
    found = []

    async with gateway(settings(on())) as room:

        async def hear():
            found.append(await room.hear(event("e1"), event("e2")))

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(hear)
        seen = await jobs(room)

    assert sum(one.fresh for one in found) == 2
    assert len(seen) == 2


async def test_each_function_that_wants_an_event_has_a_delivery_with_a_key_of_its_own(gateway, settings, on, event):
    async with gateway(settings(on(), on(run="tell"), on(event="signed-in", run="greet"))) as room:
        await room.hear(event("e1"))
        seen = await jobs(room)

    assert sorted(one.function for _, _, one in seen) == ["deprovision", "tell"]
    assert len({key for key, _, _ in seen}) == 2


async def test_a_function_is_told_what_was_asked_for_and_nothing_more(gateway, settings, on, event):
    async with gateway(settings(on(payload=("role", "subject", "group")))) as room:
        await room.hear(event("e1", roles=("admin",), session="s1", client="app"))
        ((_, _, told),) = await jobs(room)

    assert told.data == {"role": "admin", "subject": "ana", "group": None}


async def test_a_subject_s_events_share_a_lane_at_one_function_and_others_do_not(gateway, settings, on, event):
    async with gateway(settings(on())) as room:
        await room.hear(event("e1"), event("e2"), event("e3", subject="ben"), event("e4", subject=None))
        lanes = [lane for _, lane, _ in await jobs(room)]

    assert lanes[0] == lanes[1]
    assert len(set(lanes)) == 3
    assert lanes[3] is None
    assert "ana" not in str(lanes)


async def test_a_subject_s_deliveries_to_one_function_are_in_order_whichever_entries_ask_for_them(
    gateway, settings, on, event
):
    entries = on(), on(event="user-disabled"), on(event="user-disabled", run="tell")
    async with gateway(settings(*entries)) as room:
        await room.hear(event("e1"), event("e2", kind="user-disabled"), event("e3"))
        seen = await jobs(room)

    lanes = {}
    for _, lane, one in seen:
        lanes.setdefault(lane, []).append((one.function, one.kind))
    assert sorted(lanes.values()) == [
        [("deprovision", "role-revoked"), ("deprovision", "user-disabled"), ("deprovision", "role-revoked")],
        [("tell", "user-disabled")],
    ]


async def test_nobody_is_named_in_the_database(gateway, settings, on, event, tmp_path):
    secret = "somebody-with-a-name"
    async with gateway(settings(on(payload=("subject",)))) as room:
        await room.hear(event("e1", subject=secret, session=secret, actor=secret, roles=(secret,)))

    found = b"".join(path.read_bytes() for path in tmp_path.glob("state.db*"))
    assert found
    assert secret.encode() not in found


async def test_what_an_event_ends_is_ended_when_it_is_heard(gateway, settings, event):
    async with gateway(settings()) as room:
        before = room.marks.refuses(provider="corp", subject="ana", session=None, issued_at=event("x").happened_at)
        await room.hear(event("e1"))
        at = event("x").happened_at
        tick = timedelta(microseconds=1)
        after = [
            room.marks.refuses(provider="corp", subject=who, session=None, issued_at=when)
            for who, when in (("ana", at), ("ana", at + tick), ("ben", at))
        ]

    assert (before, after) == (False, [True, False, False])


SESSIONS = [
    ("it, and what names none", {"session": "s"}, [True, True, False, False]),
    ("it alone, where nobody is named", {"session": "s", "subject": None}, [True, False, False, False]),
    ("everything of a subject, where none is named", {}, [True, True, True, False]),
]


@pytest.mark.parametrize(("about", "ends"), [case[1:] for case in SESSIONS], ids=[case[0] for case in SESSIONS])
async def test_the_end_of_a_session_ends(gateway, settings, event, about, ends):
    """Many providers' access tokens name no session: theirs may be the one that has ended."""
    async with gateway(settings()) as room:
        at = event("x").happened_at
        rests = [("ana", "s"), ("ana", None), ("ana", "other"), ("ben", None)]
        held = [
            room.marks.of(provider="corp", subject=who, session=session, issued_at=at, began=at)
            for who, session in rests
        ]
        await room.hear(event("e1", kind="session-revoked", **about))

        assert [room.marks.ended(marks) for marks in held] == ends
        assert [
            room.marks.refuses(provider="corp", subject=who, session=session, issued_at=at) for who, session in rests
        ] == ends


BY_ADDRESS = {"subject": None, "named": ("email:Ana@People.Example", "phone_number:+49301234567")}
EVIDENCE = [("ana@people.example", "s"), ("ana@people.example", None), ("ben@people.example", None), ("", None)]
ADDRESSED = [
    ("somebody disabled", "user-disabled", {}, "address", [True, True, False, True]),
    ("all of somebody's sessions", "session-revoked", {}, "address", [True, True, False, True]),
    ("one session", "session-revoked", {"session": "other"}, "session", [False, True, False, True]),
    ("a session that is named", "session-revoked", {"session": "s"}, "session", [True, True, False, True]),
]


@pytest.mark.parametrize(
    ("kind", "about", "ended", "ends"), [case[1:] for case in ADDRESSED], ids=[case[0] for case in ADDRESSED]
)
async def test_who_is_named_by_an_address_loses_access(gateway, settings, event, kind, about, ended, ends):
    """By tokens that are verified anew or remembered, and by sealed sessions; what bears no address may be theirs."""
    async with gateway(settings(address="email")) as room:
        at = event("x").happened_at
        who = [
            {"provider": "corp", "subject": "a1", "session": session, "issued_at": at, "address": address}
            for address, session in EVIDENCE
        ]
        held = [room.marks.of(began=at, **one) for one in who]
        await room.hear(event("e1", kind=kind, **BY_ADDRESS, **about))
        async with room.store.read() as connection:
            (row,) = await heard_rows.latest(connection, after=-1, most=9, source=None)

        assert [room.marks.refuses(**one) for one in who] == ends
        assert [room.marks.ended(marks) for marks in held] == ends
        assert (row.ended, room.inbox.unmatched.total()) == (ended, 0)


@pytest.mark.parametrize("kind", ["user-disabled", "session-revoked", "role-revoked"])
async def test_who_is_named_in_a_way_that_nothing_bears_is_counted_and_shown(gateway, settings, event, kind):
    async with gateway(settings()) as room:
        at = event("x").happened_at
        one = event("e1", kind=kind, **BY_ADDRESS)
        await room.hear(one)
        await room.hear(one)  # again: counted once
        async with room.store.read() as connection:
            (row,) = await heard_rows.latest(connection, after=-1, most=9, source=None)
        refused = room.marks.refuses(provider="corp", subject="a1", session=None, issued_at=at, address="")

        assert (row.ended, dict(room.inbox.unmatched), refused) == ("nobody", {"hr": 1}, False)

    async with gateway(settings(unmatched="everybody")) as room:
        await room.hear(event("e2", kind=kind, **BY_ADDRESS))
        assert room.marks.refuses(provider="corp", subject="a1", session=None, issued_at=at)


async def test_another_gateway_knows_what_was_ended_as_soon_as_it_reads(gateway, settings, event):
    async with gateway(settings()) as here, gateway(settings()) as there:
        await here.hear(event("e1"))
        await there.marks.read(there.store)

        assert there.marks.refuses(provider="corp", subject="ana", session=None, issued_at=event("x").happened_at)


async def test_a_cursor_is_kept_with_its_events(gateway, settings, event):
    async with gateway(settings()) as room:
        async with room.store.write() as connection:
            await heard_rows.claim(connection, "hr", "me", timedelta(seconds=5))
        await room.hear(event("e1"), cursor="c1")
        await room.hear(cursor="c2", missed=True)
        async with room.store.read() as connection:
            reached = await heard_rows.reached(connection, "hr")

    assert (reached.cursor, reached.missed) == ("c2", 1)


async def test_one_gateway_asks_a_source_until_it_stops_asking(gateway, settings):
    async def claim(room, who, lasts):
        async with room.store.write() as connection:
            return await heard_rows.claim(connection, "hr", who, lasts)

    async with gateway(settings()) as room:
        long, over = timedelta(hours=1), timedelta(microseconds=-1)
        found = [await claim(room, "one", long), await claim(room, "two", long), await claim(room, "one", over)]
        found.append(await claim(room, "two", long))
        async with room.store.write() as connection:
            await heard_rows.release(connection, "hr", "two")
        found.append(await claim(room, "one", long))

    assert found == [True, False, True, True, True]


async def test_a_source_has_to_keep_its_events_while_too_much_waits_and_access_ends_all_the_same(
    gateway, settings, on, event
):
    async with gateway(settings(on(), backlog=3)) as room:
        await room.hear(*(event(f"e{number}") for number in range(4)))
        await anyio.sleep(0.3)
        with pytest.raises(Backlogged) as full:
            await room.hear(event("late", subject="ben"))
        kept = [one.finder for one in await rows(room)]
        ended = room.marks.refuses(provider="corp", subject="ben", session=None, issued_at=event("x").happened_at)
        await jobs(room)
        await anyio.sleep(0.3)
        after = await room.hear(event("late", subject="ben"))

    assert (full.value.waiting, full.value.allowed, len(kept), ended) == (4, 3, 4, True)
    assert after.fresh == 1


async def test_what_was_heard_says_how_much_followed_from_it(gateway, settings, on, event):
    async with gateway(settings(on(), on(run="tell"))) as room:
        await room.hear(
            event("e1"),
            event("e2", kind="signed-in"),
            event("e3", kind="signed-out", session="s1"),
            event("e4", kind="group-left", subject=None),
        )
        found = sorted((one.kind, one.deliveries, one.ended) for one in await rows(room))

    assert found == [
        ("group-left", 0, "provider"), ("role-revoked", 2, "subject"), ("signed-in", 0, ""),
        ("signed-out", 0, "session"),
    ]  # fmt: skip


async def test_what_our_own_clients_caused_starts_nothing_unless_asked_for_and_ends_access(
    gateway, settings, on, event
):
    async with gateway(settings(on(), on(run="log", own=True), own_clients="robot")) as room:
        await room.hear(event("e1", actor="robot"), event("e2", client="robot"), event("e3", client="app"))
        seen = [one.function for _, _, one in await jobs(room)]
        ended = room.marks.refuses(provider="corp", subject="ana", session=None, issued_at=event("x").happened_at)

    assert sorted(seen) == ["deprovision", "log", "log", "log"]
    assert ended


@pytest.mark.parametrize(("client", "runs"), [("asker", 0), ("app", 1)], ids=["its own", "another"])
async def test_the_sign_ins_of_the_client_that_asks_run_nothing(gateway, settings, on, event, client, runs):
    asks = EventClient(id="asker", secret=SecretRef(env="S"))
    async with gateway(settings(on(event="signed-in"), client=asks)) as room:
        await room.hear(event("e1", kind="signed-in", client=client))
        seen = await jobs(room)

    assert len(seen) == runs


async def test_a_role_that_is_cut_has_one_job_a_second_for_the_kinds_that_cut_it(gateway, settings, event):
    cutting = CutSessions(by=AwsBase(chain=True), on="role-revoked")
    role = RoleSettings(arn="arn:aws:iam::111122223333:role/biller", broker="aws-web-identity", cut=cutting)
    wanted = msgspec.structs.replace(settings(), roles={"biller": role})
    async with gateway(wanted) as room:
        await room.hear(event("e1"), event("e2"), event("e3", kind="signed-out"), event("e4", kind="role-granted"))
        waiting = (await room.outbox.counts(QUEUE)).waiting, (await room.outbox.counts(CUTS)).waiting

    assert waiting == (0, 1)


async def test_on_postgresql_it_is_the_same(gateway, settings, on, event, fresh_postgresql):
    async with gateway(settings(on()), url=fresh_postgresql) as room:
        found = [await room.hear(event("e1"), event("e2"), cursor="c"), await room.hear(event("e1"))]
        seen = await jobs(room)

    assert [(one.fresh, one.repeated) for one in found] == [(2, 0), (0, 1)]
    assert len(seen) == 2
