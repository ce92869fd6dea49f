"""A person has a name in the trail that is nobody's, until two officers open it, or the row is deleted."""

import secrets
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actas import store
from actas.audit import boxes, officers, pseudonyms
from actas.audit.boxes import Person
from actas.audit.errors import CannotOpen, OfficerUnreadable, Unrecordable
from actas.audit.pseudonyms import Pseudonyms
from actas.store.person_key import PersonKey

ISSUER = "https://idp.example"
EPOCH = timedelta(days=90)
ANA = Person(issuer=ISSUER, subject="ana-7f3a")
KEY = PersonKey(b"k" * 32)


class Clock:
    def __init__(self):
        self.now = datetime(2026, 3, 14, tzinfo=UTC)

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def three(tmp_path):
    """Three officers: their private keys by id, and the public ones."""
    found = {}
    for name in ("ana", "ben", "chidi"):
        officers.make_officer(tmp_path / f"{name}.private", tmp_path / f"{name}.public")
        one = officers.read_private(tmp_path / f"{name}.private")
        found[one.id] = one
    public = dict(officers.read_public(tmp_path / f"{name}.public") for name in ("ana", "ben", "chidi"))
    return found, public


@pytest.fixture
def people(tmp_path, clock):
    @asynccontextmanager
    async def opened(public=None, key=KEY):
        database = await store.open(tmp_path / "state")
        one = Pseudonyms(key, public or {}, epoch=EPOCH, clock=clock)
        one.attach(database)
        try:
            yield one
        finally:
            await database.close()

    return opened


@pytest.mark.anyio
async def test_the_same_person_has_the_same_name_until_the_epoch_ends(people, clock):
    async with people() as one:
        first = await one.of(ISSUER, "ana")
        clock.now += timedelta(days=1)
        second = await one.of(ISSUER, "ana")
        clock.now += EPOCH
        third = await one.of(ISSUER, "ana")

    assert first == second != third


@pytest.mark.anyio
async def test_a_name_outlives_the_process(people):
    async with people() as one:
        first = await one.of(ISSUER, "ana")
    async with people() as other:
        assert other.known(ISSUER, "ana", datetime(2026, 3, 14, tzinfo=UTC)) is None
        assert await other.of(ISSUER, "ana") == first


@pytest.mark.anyio
async def test_two_gateways_that_meet_a_person_at_once_agree(people):
    async with people() as one, people() as other:
        names = []

        async def ask(whom):
            names.append(await whom.of(ISSUER, "ana"))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, one)
            tasks.start_soon(ask, other)

    assert names[0] == names[1]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("issuer", "subject"),
    [(ISSUER + "/", "ana"), (ISSUER, "Ana"), (ISSUER, "ana "), (ISSUER + '","', "ana")],
    ids=["another issuer", "another case", "a space more", "a quotation mark"],
)
async def test_another_person_has_another_name(people, issuer, subject):
    async with people() as one:
        assert await one.of(ISSUER, "ana") != await one.of(issuer, subject)


@pytest.mark.anyio
async def test_a_known_name_is_at_hand_without_the_store(people, clock):
    async with people() as one:
        name = await one.of(ISSUER, "ana")

    assert one.known(ISSUER, "ana", clock.now) == name
    assert one.known(ISSUER, "ana", clock.now + EPOCH) is None
    assert one.known(ISSUER, "ben", clock.now) is None


@pytest.mark.anyio
async def test_however_many_ask_at_once_the_store_is_asked_once(people, monkeypatch):
    asked = []
    async with people() as one:
        ask = one._ask

        async def counted(person):
            asked.append(person)
            return await ask(person)

        monkeypatch.setattr(one, "_ask", counted)
        async with anyio.create_task_group() as tasks:
            for _ in range(50):
                tasks.start_soon(one.of, ISSUER, "ana")

    assert asked == [(ISSUER, "ana")]


@pytest.mark.anyio
async def test_one_who_hangs_up_while_asking_does_not_take_the_others_along(people):
    async with people() as one:
        names = []

        async def ask():
            names.append(await one.of(ISSUER, "ana"))

        async with anyio.create_task_group() as tasks:
            with anyio.move_on_after(0):
                await one.of(ISSUER, "ana")
            for _ in range(3):
                tasks.start_soon(ask)

    assert len(names) == 3
    assert len(set(names)) == 1


@pytest.mark.anyio
async def test_no_more_people_are_remembered_than_there_is_room_for(people, clock, monkeypatch):
    monkeypatch.setattr(pseudonyms, "REMEMBERED", 3)
    async with people() as one:
        for number in range(10):
            await one.of(ISSUER, str(number))

    assert [one.known(ISSUER, str(number), clock.now) is not None for number in range(10)] == [False] * 7 + [True] * 3


@pytest.mark.anyio
async def test_an_erased_person_is_nobody_and_comes_back_under_another_name(people, clock):
    async with people() as one:
        names = [await one.of(ISSUER, "ana")]
        clock.now += EPOCH
        names.append(await one.of(ISSUER, "ana"))
        kept = await one.of(ISSUER, "ben")

        assert await one.erase(ISSUER, "ana") == 2

        assert [await one.sealed(name) for name in names] == [None, None]
        assert await one.sealed(kept) is not None
        assert await one.of(ISSUER, "ana") not in names
        assert await one.erase(ISSUER, "chidi") == 0


@pytest.mark.anyio
async def test_a_person_erased_by_another_process_is_forgotten_here(people, clock):
    async with people() as one, people() as other:
        await one.of(ISSUER, "ana")
        await one.of(ISSUER, "ben")
        await other.erase(ISSUER, "ana")

        await one.forget_erased()

        assert one.known(ISSUER, "ana", clock.now) is None


@pytest.mark.anyio
async def test_without_the_key_nobody_can_tell_whose_a_row_is(people, tmp_path):
    async with people() as one, people(key=PersonKey(b"j" * 32)) as other:
        assert await one.of(ISSUER, "ana") != await other.of(ISSUER, "ana")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(subject=st.text(min_size=4, max_size=40).filter(lambda text: text.strip()))
def test_nothing_of_a_person_stands_in_the_store(people, three, tmp_path, subject):
    shown = f"{subject}@mail.example"

    async def meet():
        async with people(three[1]) as one:
            return await one.of(ISSUER, shown)

    name = anyio.run(meet)

    stored = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir())
    assert name.encode() in stored
    assert shown.encode("utf-8", "surrogatepass") not in stored
    assert b"idp.example" not in stored


def test_a_person_and_a_private_key_do_not_print(three):
    officer = next(iter(three[0].values()))

    assert "ana" not in repr(ANA)
    assert "private" not in repr(officer)
    assert repr(officers.PrivateFile(id="a", private=b"secret")) == "PrivateFile(a)"


def test_any_two_officers_open_a_row(three):
    private, public = three
    row = boxes.seal(ANA, "p1", public, random=secrets.token_bytes)

    for one in private.values():
        for other in private.values():
            if one is not other:
                halves = (
                    boxes.half(row, "p1", one.id, other.id, one.private),
                    boxes.half(row, "p1", other.id, one.id, other.private),
                )
                assert boxes.join(row, "p1", *halves) == ANA


def test_one_officer_alone_opens_nothing(three):
    private, public = three
    row = boxes.seal(ANA, "p1", public, random=secrets.token_bytes)
    ana, ben, chidi = private.values()
    halves = [boxes.half(row, "p1", ana.id, other.id, ana.private) for other in (ben, chidi)]

    with pytest.raises(CannotOpen):
        boxes.half(row, "p1", ana.id, ana.id, ana.private)
    with pytest.raises(CannotOpen):
        boxes.half(row, "p1", ben.id, ana.id, ana.private)
    for one, other in [(halves[0], halves[0]), (halves[0], halves[1]), (halves[0], bytes(32))]:
        with pytest.raises(CannotOpen):
            boxes.join(row, "p1", one, other)


def test_a_row_cannot_be_passed_off_as_another_persons(three):
    private, public = three
    row = boxes.seal(ANA, "p1", public, random=secrets.token_bytes)
    ana, ben, _ = private.values()

    with pytest.raises(CannotOpen):
        boxes.half(row, "p2", ana.id, ben.id, ana.private)


def test_a_key_made_later_opens_nothing(three, tmp_path):
    _, public = three
    row = boxes.seal(ANA, "p1", public, random=secrets.token_bytes)
    officers.make_officer(tmp_path / "d.private", tmp_path / "d.public")
    late = officers.read_private(tmp_path / "d.private")

    with pytest.raises(CannotOpen, match="not sealed to these two"):
        boxes.half(row, "p1", late.id, next(iter(public)), late.private)


@pytest.mark.parametrize("count", [0, 1])
def test_with_fewer_than_two_officers_a_row_holds_no_person(three, count):
    public = dict(list(three[1].items())[:count])

    row = boxes.seal(ANA, "p1", public, random=secrets.token_bytes)

    assert len(row) < 20


def test_the_length_of_a_row_does_not_tell_people_apart(three):
    rows = [
        boxes.seal(Person(issuer=ISSUER, subject="a" * length), "p1", three[1], random=secrets.token_bytes)
        for length in (1, 15)
    ]

    assert len(rows[0]) == len(rows[1])


@pytest.mark.anyio
async def test_a_subject_without_a_written_form_is_refused(people, three):
    async with people(three[1]) as one:
        with pytest.raises(Unrecordable):
            await one.of(ISSUER, "\ud800")


@given(row=st.binary(max_size=300))
def test_a_damaged_row_is_refused_and_nothing_else(row):
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    with pytest.raises(CannotOpen):
        boxes.half(row, "p1", "a", "b", X25519PrivateKey.from_private_bytes(b"k" * 32))
    with pytest.raises(CannotOpen):
        boxes.join(row, "p1", bytes(32), bytes(32))


def test_an_officers_private_key_is_readable_by_its_owner_alone(tmp_path):
    officers.make_officer(tmp_path / "private", tmp_path / "public")

    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o600


def test_an_officers_files_are_never_overwritten(tmp_path):
    officers.make_officer(tmp_path / "private", tmp_path / "public")

    with pytest.raises(OfficerUnreadable, match="exists"):
        officers.make_officer(tmp_path / "private", tmp_path / "public2")


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"\xff", b'{"kind":"actas-officer-public","id":"x","public":"AAAA"}'], ids=repr
)
def test_a_file_that_is_no_officers_is_refused(tmp_path, text):
    (tmp_path / "file").write_bytes(text)

    with pytest.raises(OfficerUnreadable):
        officers.read_public(tmp_path / "file")
    with pytest.raises(OfficerUnreadable):
        officers.read_private(tmp_path / "file")


def test_an_officers_key_under_another_id_is_refused(tmp_path):
    name = officers.make_officer(tmp_path / "private", tmp_path / "public")
    for file, read in (("private", officers.read_private), ("public", officers.read_public)):
        path = tmp_path / file
        path.write_bytes(path.read_bytes().replace(name.encode(), b"0" * 16))

        with pytest.raises(OfficerUnreadable, match="id"):
            read(path)


@pytest.mark.anyio
async def test_a_crowd_that_comes_at_once_costs_a_few_transactions_and_each_has_a_name(people, monkeypatch):
    batches = []
    async with people() as one:
        write = one._writing._work

        async def counted(fresh):
            batches.append(len(fresh))
            return await write(fresh)

        monkeypatch.setattr(one._writing, "_work", counted)
        names = {}

        async def ask(subject):
            names[subject] = await one.of(ISSUER, subject)

        async with anyio.create_task_group() as tasks:
            for number in range(200):
                tasks.start_soon(ask, f"person-{number}")

        assert len(set(names.values())) == 200
        assert sum(batches) == 200
        assert len(batches) < 20
        for subject, name in names.items():
            assert await one.of(ISSUER, subject) == name
