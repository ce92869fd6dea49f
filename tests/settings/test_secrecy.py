"""Nothing that may be a secret is quoted, wherever the mistake is."""

import pytest

from actas.settings.render import as_json, render
from actas.settings.secrecy import looks_secret, names_secret, quoted

HIDDEN = [
    ("a literal secret", "providers: {p: {preset: oidc, lookup: {id: a, secret: hunter2}}}"),
    ("a list of them", "providers: {p: {preset: oidc, lookup: {id: a, secret: [hunter2]}}}"),
    ("a mapping of them", "providers: {p: {preset: oidc, lookup: {id: a, secret: {env: A, text: hunter2}}}}"),
    ("beside another mistake", "providers: {p: {presett: oidc, lookup: {id: a, secret: hunter2}}}"),
    ("under an unknown key", "gateway: {grase: hunter2}"),
    ("inside an unknown key", "gateway: {grase: {a: [hunter2]}}"),
    ("under a second key of the same name", "gateway: {a: 1}\nproviders: {p: {secret: x, secret: hunter2}}"),
    ("in the environment", "functions: {f: {pyton: x, environment: {A: hunter2}}}"),
    ("in a comment", "gateway: {grase: 1} # hunter2"),
    ("in text over two lines", 'functions: {f: {environment: {A: "hunter1\n  hunter2"}, pyton: x}}'),
    ("in a block", "functions:\n  f:\n    environment:\n      A: |\n        hunter2\n    pyton: x"),
    ("in a file that is no YAML", "providers: {p: {lookup: {secret: hunter2}}"),
    ("in a file that is no YAML, on its own line", "secret:\n  hunter2\n- x"),
    ("a token for the kind of token", "providers: {p: {preset: oidc, token: hunter2}}"),
    ("after an alias", "functions: {f: {environment: {A: &hunter hunter2, B: *hunter}}}"),
    ("after a tag", "functions: {f: {environment: {A: !!str hunter2}}}"),
    ("a URL with a password", "gateway: {region: 'https://ana:hunter2@db.example'}"),
    ("a token in an innocent place", "gateway: {region: eyJhbGciOiJub25lIn0.hunter2}"),
]  # fmt: skip


@pytest.mark.parametrize("text", [case[1] for case in HIDDEN], ids=[case[0] for case in HIDDEN])
def test_a_secret_is_not_repeated(desk, text):
    mistakes = desk.read(text).mistakes

    assert mistakes
    assert "hunter2" not in render(mistakes)
    assert "hunter2" not in as_json(mistakes)
    assert "hunter2" not in repr(mistakes)


def test_what_is_no_secret_is_shown(desk):
    mistakes = desk.read("gateway: {region: Frankfurt, state: here}").mistakes

    assert 'region is "Frankfurt"' in render(mistakes)
    assert "state: here" in render(mistakes)


NAMES = [
    ("API_KEY", True),
    ("DB_PASSWORD", True),
    ("dbPasswd", True),
    ("GITHUB_TOKEN", True),
    ("CLIENT_SECRET", True),
    ("AWS_CREDENTIALS", True),
    ("KEY", True),
    ("SSH_PRIVATE_KEY", True),
    ("MONKEY", False),
    ("PORT", False),
    ("TABLE_NAME", False),
    ("KEYBOARD", False),
    ("AUTHOR", False),
]


@pytest.mark.parametrize(("name", "wanted"), NAMES)
def test_which_names_sound_secret(name, wanted):
    assert names_secret(name) is wanted


VALUES = [
    ("eyJhbGciOiJSUzI1NiJ9.eyJ", True),
    ("-----BEGIN PRIVATE KEY-----", True),
    ("AKIAIOSFODNN7EXAMPLE", True),
    ("postgres://ana:pw@db.example/x", True),
    ("https://db.example/x", False),
    ("hello", False),
]


@pytest.mark.parametrize(("value", "wanted"), VALUES)
def test_which_values_look_secret(value, wanted):
    assert looks_secret(value) is wanted


def test_a_quotation_is_one_short_line():
    assert quoted("a\nb") == '"a b"'
    assert quoted("a\x1b[31mb") == '"a?[31mb"'
    assert quoted("x" * 80) == f'"{"x" * 80}"'
    assert quoted("x" * 81) == f'"{"x" * 79}…"'
