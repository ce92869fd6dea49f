"""Files that are their owner's alone: what is read, what is refused, and that nothing is ever half written."""

import os
import stat

import pytest

from actas import private_files
from actas.private_files import NotPrivate, read, write


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "kept"
    write(path, b"secret")
    return path


def test_what_is_written_is_read_and_is_its_owners_alone(file):
    assert read(file, limit=6) == b"secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["kept"]


def test_what_is_not_there_is_nothing(tmp_path):
    assert read(tmp_path / "none", limit=6) is None
    assert read(tmp_path / "no-folder" / "none", limit=6) is None


@pytest.mark.parametrize(
    ("mode", "refused"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True), (0o660, True)]
)
def test_a_file_that_others_may_use_is_refused(file, mode, refused):
    file.chmod(mode)

    if refused:
        with pytest.raises(NotPrivate, match=f"others may use it, its mode is {mode:04o} and must be 0600"):
            read(file, limit=6)
    else:
        assert read(file, limit=6) == b"secret"


def test_a_link_is_not_followed(file):
    link = file.with_name("link")
    link.symlink_to(file)

    for refused in (lambda: read(link, limit=6), lambda: private_files.look(link)):
        with pytest.raises(NotPrivate, match="it is a link"):
            refused()
    private_files.look(file)


def test_a_pipe_holds_nobody_up(tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)

    with pytest.raises(NotPrivate, match="another kind of thing"):
        read(tmp_path / "pipe", limit=6)


def test_a_folder_is_no_file_and_a_file_no_folder(file):
    file.parent.chmod(0o700)

    with pytest.raises((NotPrivate, OSError)):
        read(file.parent, limit=6)
    with pytest.raises(NotPrivate, match="another kind of thing"):
        private_files.look(file, stat.S_IFDIR)
    private_files.look(file.parent, stat.S_IFDIR)


def test_a_file_of_another_user_is_refused(file):
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(file, 12345, -1)

    with pytest.raises(NotPrivate, match="it belongs to another user"):
        read(file, limit=6)


def test_a_file_is_read_up_to_its_limit(file):
    with pytest.raises(OSError, match="it is longer than 5 bytes") as wrong:
        read(file, limit=5)

    assert private_files.why(wrong.value) == "it is longer than 5 bytes"
    assert private_files.why(NotPrivate("it is a link")) == "it is a link"
    assert private_files.why(OSError()) == "it cannot be read"


def test_a_write_that_fails_leaves_the_file_as_it_was(file):
    with pytest.raises(TypeError):
        write(file, "no bytes")

    assert read(file, limit=6) == b"secret"
    assert [path.name for path in file.parent.iterdir()] == ["kept"]
