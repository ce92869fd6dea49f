"""The key that finds people is made once and kept private."""

import threading

import pytest

from actas.store import person_key
from actas.store.errors import StoreExposed, StoreUnavailable
from actas.store.person_key import PersonKey


def test_the_key_is_made_once_and_read_thereafter(tmp_path):
    first, second = (person_key.read(tmp_path / "keys" / "persons.key") for _ in range(2))

    assert first.row("i", "s", 1) == second.row("i", "s", 1)
    assert (tmp_path / "keys" / "persons.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["persons.key"]


def test_several_that_make_it_at_once_agree(tmp_path):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(person_key.read(tmp_path / "k").mark("corp", "s", None)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_key_that_others_can_read_is_refused(tmp_path):
    person_key.read(tmp_path / "k")
    (tmp_path / "k").chmod(0o644)

    with pytest.raises(StoreExposed):
        person_key.read(tmp_path / "k")


@pytest.mark.parametrize("text", [b"", b"zz", b"ab" * 31, b"ab" * 33, b"\xff" * 64], ids=repr)
def test_a_file_that_is_no_key_is_refused(tmp_path, text):
    (tmp_path / "k").write_bytes(text)
    (tmp_path / "k").chmod(0o600)

    with pytest.raises(StoreUnavailable):
        person_key.read(tmp_path / "k")


def test_a_row_and_a_watermark_of_one_person_do_not_show_that_they_belong_together():
    key = PersonKey(b"k" * 32)

    assert len({key.row("i", "s", 1), key.row("i", "s", 2), key.mark("i", "s", None), key.mark("i", None, "s")}) == 4
