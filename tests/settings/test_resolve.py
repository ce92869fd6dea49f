"""Secrets come from the environment and from files, and from nowhere else."""

import os

import pytest

from actas.settings.errors import SecretEmpty, SecretMissing, SecretUnreadable
from actas.settings.resolve import LARGEST, check_secrets, resolve
from actas.settings.schema import SecretRef


def fetch(folder, environment=None, **where):
    return resolve(SecretRef(**where), key="providers.p.lookup.secret", folder=folder, environment=environment or {})


def test_a_variable_gives_its_value(tmp_path):
    assert fetch(tmp_path, {"S": "hunter2 "}, env="S").secret.reveal() == "hunter2 "


def test_a_variable_that_is_not_set_is_missing(tmp_path):
    with pytest.raises(
        SecretMissing, match=r"^the secret of providers\.p\.lookup\.secret is not there: environment vari"
    ):
        fetch(tmp_path, {"T": "hunter2"}, env="S")


def test_a_variable_without_a_value_is_empty(tmp_path):
    with pytest.raises(SecretEmpty):
        fetch(tmp_path, {"S": ""}, env="S")


def test_a_variable_that_is_no_text_is_unreadable(tmp_path):
    with pytest.raises(SecretUnreadable, match="not UTF-8"):
        fetch(tmp_path, {"S": os.fsdecode(b"\xff")}, env="S")


@pytest.mark.parametrize(
    ("content", "wanted"), [(b"hunter2", "hunter2"), (b"hunter2\n", "hunter2"), (b"a\r\n", "a"), (b"a\n\n", "a\n")]
)
def test_a_file_gives_its_text_without_the_last_line_break(tmp_path, content, wanted):
    (tmp_path / "secret").write_bytes(content)
    (tmp_path / "secret").chmod(0o600)

    one = fetch(tmp_path, file="secret")

    assert one.secret.reveal() == wanted
    assert one.doubt is None


REFUSED = [
    ("a file that is not there", None, SecretMissing, "file secret"),
    ("an empty file", b"", SecretEmpty, "file secret"),
    ("a file with a line break alone", b"\n", SecretEmpty, "file secret"),
    ("a file that is no text", b"\xff", SecretUnreadable, "not UTF-8"),
    ("a file that is too large", b"x" * (LARGEST + 1), SecretUnreadable, "larger than 65,536 bytes"),
]


@pytest.mark.parametrize(("content", "error", "why"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_file_that_holds_no_secret_is_refused(tmp_path, content, error, why):
    if content is not None:
        (tmp_path / "secret").write_bytes(content)

    with pytest.raises(error, match=why):
        fetch(tmp_path, file="secret")


def test_the_largest_secret_is_taken(tmp_path):
    (tmp_path / "secret").write_bytes(b"x" * LARGEST)

    assert len(fetch(tmp_path, file="secret").secret.reveal()) == LARGEST


def test_a_folder_and_a_pipe_are_no_secrets(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    for name in (".", "pipe"):
        with pytest.raises(SecretUnreadable, match=r"regular file|directory"):
            fetch(tmp_path, file=name)


@pytest.mark.parametrize(
    ("mode", "doubt"),
    [
        (0o600, None),
        (0o640, None),
        (0o644, "everybody on this machine may read it"),
        (0o620, "others than its owner may write it"),
    ],
)
def test_a_file_that_others_can_get_at_is_doubtful(tmp_path, mode, doubt):
    (tmp_path / "secret").write_text("hunter2")
    (tmp_path / "secret").chmod(mode)

    assert fetch(tmp_path, file="secret").doubt == doubt


def test_checking_tells_all_secrets_that_are_not_there(desk, sound):
    (desk.folder / "open").write_text("hunter2")
    (desk.folder / "open").chmod(0o644)
    text = sound.replace('handler"}', 'handler", environment: {A: {env: NOT_SET}, B: {file: open}, C: {env: SET}}}')

    loaded = check_secrets(desk.read(text), {"SET": "hunter3"})

    assert [(one.code, one.severity, one.key) for one in loaded.mistakes] == [
        ("settings.secret-missing", "error", "functions.report.environment.A"),
        ("settings.secret-open", "warning", "functions.report.environment.B"),
    ]
    assert "hunter" not in repr(loaded.mistakes)


def test_no_error_holds_the_secret(tmp_path):
    (tmp_path / "secret").write_bytes(b"hunter2\xff")

    with pytest.raises(SecretUnreadable) as raised:
        fetch(tmp_path, file="secret")

    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
