"""Where the state is kept: a file, or the PostgreSQL that a secret names."""

import pytest

from actas.settings.errors import DatabaseUnfit
from actas.wiring import database, load

GOOD = [
    ("postgresql://ana:secret@db.example/actas", "postgresql+asyncpg://ana:secret@db.example/actas"),
    ("postgres://db.example:5433/actas", "postgresql+asyncpg://db.example:5433/actas"),
    ("postgresql://db.example/actas?sslmode=require", "postgresql+asyncpg://db.example/actas?ssl=require"),
    ("postgresql://ana@/actas?host=%2Frun%2Fpg", "postgresql+asyncpg://ana@/actas?host=%2Frun%2Fpg"),
]
BAD = ["mysql://db.example/actas", "db.example/actas", "", "postgresql://[::1/actas", "postgresql://db.example:x/actas"]


@pytest.mark.parametrize(("text", "wanted"), GOOD, ids=["a user", "another port", "TLS", "a socket"])
def test_a_url_as_everybody_writes_it_is_taken(text, wanted):
    assert database.of_text(text) == wanted


@pytest.mark.parametrize("text", BAD, ids=["another database", "no scheme", "nothing", "half an address", "no port"])
def test_anything_else_is_refused_and_not_repeated(text):
    with pytest.raises(DatabaseUnfit) as refused:
        database.of_text(text)

    assert "example" not in str(refused.value)


@pytest.mark.parametrize(
    ("secret", "codes"),
    [
        ("postgresql://ana:hunter2@db.example/actas", []),
        ("mysql://ana:hunter2@db.example/actas", ["settings.bad-database"]),
        (None, ["settings.secret-missing"]),
    ],
    ids=["a URL", "another database", "no secret"],
)
def test_the_check_says_what_is_wrong_with_it_and_never_the_password(tmp_path, secret, codes):
    if secret is not None:
        (tmp_path / "url").write_text(secret)
        (tmp_path / "url").chmod(0o600)
    file = tmp_path / "actas.yaml"
    file.write_text("gateway: {database: {file: url}}\n")

    found = [one for one in load.load(file).mistakes if one.severity == "error"]

    assert [one.code for one in found] == codes
    assert "hunter2" not in repr(found)
