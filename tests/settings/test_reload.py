"""The running gateway sees a saved file: sound states are swapped in, broken ones change nothing."""

import os
import shutil
from datetime import UTC, datetime

import anyio
import pytest

from actas.settings.checks import check
from actas.settings.errors import BrokenSettings, SecretMissing
from actas.settings.reader import read
from actas.settings.reload import Watch

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Seen:
    """What a gateway would be told."""

    def __init__(self, desk, around):
        self.taken = []
        self.broken = []
        self.refuse = None
        self.watch = Watch(
            load=lambda: check(read(desk.file), around),
            on_change=self._take,
            on_broken=self.broken.append,
            every=0.05,
        )

    async def _take(self, loaded):
        if self.refuse is not None:
            raise self.refuse
        self.taken.append(loaded)


@pytest.fixture
def seen(desk, sound, around):
    (desk.folder / "p.json").write_text(
        '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}}'
    )
    desk.write(sound)
    seen = Seen(desk, around)
    seen.watch.start()
    return seen


async def until(true):
    with anyio.fail_after(10):
        while not true():  # noqa: ASYNC110 - the watch has no event to wait for
            await anyio.sleep(0.01)


async def test_a_saved_rule_is_taken_into_use(desk, sound, seen):
    desk.write(sound.replace("finance-reads", "finance-looks"))

    assert await seen.watch.look()

    assert [one.usable().rules[0].id for one in seen.taken] == ["finance-looks"]
    assert seen.watch.state.generation == 2
    assert seen.watch.current is seen.taken[0]


async def test_while_it_runs_changes_are_seen_by_themselves(desk, sound, seen):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(seen.watch.run)
        desk.write(sound.replace("finance-reads", "one"))
        await until(lambda: seen.watch.state.generation == 2)
        desk.write(sound.replace("finance-reads", "two"))
        await until(lambda: seen.watch.state.generation == 3)
        tasks.cancel_scope.cancel()

    assert [one.usable().rules[0].id for one in seen.taken] == ["one", "two"]


async def test_a_file_that_is_the_same_changes_nothing(desk, sound, seen):
    desk.write(sound)
    os.utime(desk.file, (1, 1))

    assert not await seen.watch.look()
    assert seen.watch.state.generation == 1


async def test_a_file_put_in_the_place_of_the_old_one_is_seen(desk, sound, seen):
    new = desk.folder / ".actas.yaml.swp"
    new.write_text(sound.replace("finance-reads", "renamed"))
    new.rename(desk.file)

    assert await seen.watch.look()
    assert seen.taken[0].usable().rules[0].id == "renamed"


async def test_a_change_of_the_same_length_at_the_same_time_is_seen(desk, sound, seen):
    before = desk.file.stat()
    with desk.file.open("r+") as file:
        file.write(sound.replace("finance-reads", "finance-raeds"))
    os.utime(desk.file, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert await seen.watch.look()
    assert seen.taken[0].usable().rules[0].id == "finance-raeds"


async def test_a_link_that_is_turned_to_another_folder_is_seen(desk, sound, around):
    for version, rule in (("v1", "one"), ("v2", "two")):
        (desk.folder / version).mkdir()
        (desk.folder / version / "actas.yaml").write_text(sound.replace("finance-reads", rule))
        shutil.copy(desk.folder / "report.py", desk.folder / version)
    (desk.folder / "now").symlink_to("v1")
    desk.file = desk.folder / "now" / "actas.yaml"
    seen = Seen(desk, around)
    seen.watch.start()

    (desk.folder / "next").symlink_to("v2")
    (desk.folder / "next").rename(desk.folder / "now")

    assert await seen.watch.look()
    assert seen.taken[0].usable().rules[0].id == "two"


async def test_a_broken_file_keeps_the_old_settings_and_says_so(desk, sound, seen):
    desk.write(sound.replace("may: [report, orders]", "may: [report, order]"))

    assert not await seen.watch.look()

    assert seen.taken == []
    assert seen.watch.current.usable().rules[0].id == "finance-reads"
    assert [one.message for one in seen.watch.state.broken] == ['there is no function "order"']
    assert seen.watch.state.generation == 1
    assert len(seen.broken) == 1


async def test_a_corrected_file_is_taken_and_the_complaint_ends(desk, sound, seen):
    desk.write("rules: [")
    await seen.watch.look()
    desk.write(sound.replace("finance-reads", "corrected"))

    assert await seen.watch.look()

    assert seen.watch.state.broken is None
    assert seen.watch.state.broken_since is None


async def test_a_file_put_back_as_it_was_ends_the_complaint_without_a_change(desk, sound, seen):
    desk.write("rules: [")
    await seen.watch.look()
    desk.write(sound)

    assert not await seen.watch.look()

    assert seen.taken == []
    assert seen.watch.state.broken is None
    assert seen.watch.state.generation == 1


async def test_a_file_that_is_gone_keeps_the_old_settings(desk, sound, seen):
    desk.file.unlink()
    await seen.watch.look()
    gone = seen.watch.state.broken
    desk.write(sound.replace("finance-reads", "back"))

    assert [one.code for one in gone] == ["settings.unreadable-file"]
    assert await seen.watch.look()
    assert seen.watch.state.broken is None


async def test_half_a_file_is_never_taken(desk, sound, seen):
    """Half a file may be valid, and lack the rules that forbid."""
    seen.watch.settle = 0.4
    whole = sound + "  - {id: never, who: {provider: corp, groups: [temps]}, may_not: [orders]}\n"

    async def save_slowly():
        with desk.file.open("w") as file:
            for line in whole.splitlines(keepends=True):
                file.write(line)
                file.flush()
                await anyio.sleep(0.02)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(seen.watch.run)
        tasks.start_soon(save_slowly)
        await until(lambda: seen.watch.state.generation == 2)
        tasks.cancel_scope.cancel()

    assert [[rule.id for rule in one.usable().rules] for one in seen.taken] == [["finance-reads", "never"]]


async def test_a_policy_that_the_settings_name_is_watched_too(desk, sound, seen):
    desk.write(sound.replace('role/reader"}', 'role/reader", policy: p.json}'))
    await seen.watch.look()
    before = len(seen.taken)
    (desk.folder / "p.json").write_text(
        '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}'
    )

    assert await seen.watch.look()

    assert (before, len(seen.taken)) == (1, 2)
    assert b"GetObject" in seen.taken[1].content("p.json")


async def test_a_secret_that_is_changed_is_told_like_the_rest(desk, sound, seen):
    secret = desk.folder / "secret"
    secret.write_text("one")
    desk.write(sound.replace('handler"}', 'handler", environment: {A: {file: secret}}}'))
    await seen.watch.look()
    secret.write_text("two")

    assert await seen.watch.look()
    assert not await seen.watch.look()


async def test_what_the_gateway_refuses_is_not_taken(desk, sound, seen):
    seen.refuse = SecretMissing(key="k", where="environment variable S")
    desk.write(sound.replace("finance-reads", "other"))

    assert not await seen.watch.look()

    assert [one.code for one in seen.watch.state.broken] == ["settings.secret-missing"]
    assert seen.watch.current.usable().rules[0].id == "finance-reads"


async def test_a_file_that_comes_later_than_the_settings_that_want_it_is_found(desk, sound, seen):
    desk.write(sound.replace("report.py", "later.py"))
    await seen.watch.look()
    wanted = seen.watch.state.broken
    (desk.folder / "later.py").write_text("")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(seen.watch.run)
        await until(lambda: seen.watch.state.generation == 2)
        tasks.cancel_scope.cancel()

    assert [one.code for one in wanted] == ["settings.no-such-file"]
    assert len(seen.broken) == 1


async def test_warnings_do_not_stop_a_change(desk, sound, seen):
    desk.write(sound.replace("groups: [finance]", "groups: ['fin*']"))

    assert await seen.watch.look()
    assert seen.watch.current.mistakes[0].severity == "warning"


def test_broken_settings_are_not_started_with(desk, sound, around):
    desk.write(sound.replace("as: reader", "as: nobody"))

    with pytest.raises(BrokenSettings, match='there is no role "nobody"'):
        Seen(desk, around).watch.start()


async def test_the_state_says_since_when_it_is_broken(desk, sound, seen):
    times = iter([datetime(2026, 6, 1, 12, minute, tzinfo=UTC) for minute in range(60)])
    seen.watch.clock = lambda: next(times)
    desk.write("rules: [")
    await seen.watch.look()
    first = seen.watch.state.broken_since
    desk.write("mode: enforced")
    await seen.watch.look()

    assert first is not None
    assert seen.watch.state.broken_since == first
    assert len(seen.broken) == 2
