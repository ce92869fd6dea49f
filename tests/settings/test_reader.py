"""Reading a settings file: typed values, or every mistake at once."""

import hashlib
import os
from datetime import date, timedelta
from ipaddress import ip_network

import pytest

from actas.settings.errors import BrokenSettings
from actas.settings.reader import read
from actas.settings.schema import many

WHOLE = """\
gateway:
  public_url: https://functions.example
  control_url: https://actas.example
  proxies: {networks: [10.1.0.0/24], header: X-Forwarded-For}
providers:
  corp: {preset: keycloak, issuer: "https://sso.example/realms/corp", audience: actas, groups: {absent: empty}}
functions:
  report: {python: "functions/report.py:handler", timeout: 10s, memory: 256MB}
  orders: {http: "http://orders.example:8080", routes: ["GET /orders/{id}"]}
roles:
  finance-reader: {arn: "arn:aws:iam::111122223333:role/finance-reader", policy: policies/finance.json}
rules:
  - id: finance-reads-reports
    who: {provider: corp, groups: [finance]}
    may: [report, "orders:GET /orders/{id}"]
    when: {mfa: true, days: mon-fri, hours: 07:00-19:00, zone: Europe/Berlin, from: 2026-01-01, networks: [10.0.0.0/8]}
    as: finance-reader
"""


@pytest.fixture
def settings_file(tmp_path):
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "finance.json").write_text("{}")
    file = tmp_path / "actas.yaml"
    file.write_text(WHOLE)
    return file


def test_a_whole_file_becomes_typed_settings(settings_file):
    loaded = read(settings_file)

    settings = loaded.usable()
    rule = settings.rules[0]
    assert loaded.mistakes == ()
    assert settings.functions["report"].timeout.time == timedelta(seconds=10)
    assert settings.functions["report"].memory.bytes == 256 * 1024 * 1024
    assert settings.providers["corp"].groups.absent == "empty"
    assert many(rule.may) == ("report", "orders:GET /orders/{id}")
    assert (rule.when.hours.start, rule.when.hours.end) == (420, 1140)
    assert rule.when.from_ == date(2026, 1, 1)
    assert rule.when.networks[0].net == ip_network("10.0.0.0/8")
    assert rule.as_ == "finance-reader"


def test_the_files_it_names_are_read_with_it_and_kept_as_they_were(settings_file):
    loaded = read(settings_file)
    (settings_file.parent / "policies" / "finance.json").write_text("changed since")

    assert [one.path for one in loaded.files] == [settings_file, settings_file.parent / "policies" / "finance.json"]
    assert loaded.content("policies/finance.json") == b"{}"
    assert loaded.files[1].digest == hashlib.sha256(b"{}").hexdigest()


def test_the_digest_changes_with_a_file_that_the_settings_name(settings_file):
    before = read(settings_file).digest
    same = read(settings_file).digest
    (settings_file.parent / "policies" / "finance.json").write_text('{"Version": "2012-10-17"}')

    assert before == same
    assert before != read(settings_file).digest


def test_broken_settings_are_not_usable(settings_file):
    settings_file.write_text(WHOLE.replace("keycloak, issuer", "keycloak, isuer"))

    with pytest.raises(BrokenSettings, match="1 mistake in the settings") as raised:
        read(settings_file).usable()

    assert [one.nearest for one in raised.value.mistakes] == ["issuer"]


UNREADABLE = [
    (
        "a file that is not there",
        None,
        "settings.unreadable-file",
        "the file cannot be read: no such file or directory",
    ),
    (
        "a file that is not UTF-8",
        b"a: 1\nb: \xff\n",
        "settings.not-utf8",
        "the file is not UTF-8: a wrong byte in line 2",
    ),
    (
        "a file that is too large",
        b"#" * (1024 * 1024 + 1),
        "settings.too-large",
        "the file is larger than 1,048,576 bytes",
    ),
]


@pytest.mark.parametrize(
    ("content", "code", "message"), [case[1:] for case in UNREADABLE], ids=[case[0] for case in UNREADABLE]
)
def test_a_file_that_cannot_be_read_is_a_mistake(tmp_path, content, code, message):
    if content is not None:
        (tmp_path / "actas.yaml").write_bytes(content)

    loaded = read(tmp_path / "actas.yaml")

    assert [(one.code, one.message) for one in loaded.mistakes] == [(code, message)]
    assert loaded.settings is None


def test_a_byte_order_mark_is_no_mistake(settings_file):
    settings_file.write_bytes(b"\xef\xbb\xbf" + WHOLE.encode())

    assert read(settings_file).mistakes == ()


def test_lines_may_end_as_on_windows(settings_file):
    settings_file.write_bytes(WHOLE.replace("\n", "\r\n").encode())

    assert read(settings_file).mistakes == ()


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_regular_file_is_refused_and_not_waited_for(tmp_path, kind):
    if kind == "folder":
        (tmp_path / "actas.yaml").mkdir()
    else:
        os.mkfifo(tmp_path / "actas.yaml")

    [one] = read(tmp_path / "actas.yaml").mistakes

    assert one.code == "settings.unreadable-file"


def test_paths_are_relative_to_the_settings_file(settings_file, monkeypatch):
    monkeypatch.chdir(settings_file.parent.parent)

    loaded = read(os.path.relpath(settings_file))

    assert loaded.mistakes == ()
    assert loaded.content("policies/finance.json") == b"{}"
    assert loaded.locate("../x") == settings_file.parent.parent / "x"


def test_the_content_of_a_secret_file_is_not_read(settings_file):
    (settings_file.parent / "secret").write_text("hunter2")
    settings_file.write_text(WHOLE.replace("timeout: 10s", "environment: {A: {file: secret}}"))

    loaded = read(settings_file)

    assert settings_file.parent / "secret" in [one.path for one in loaded.files]
    assert loaded.content("secret") is None
    assert "hunter2" not in repr(loaded)


def test_mistakes_of_others_are_added_where_nothing_is_said_yet(settings_file):
    settings_file.write_text(WHOLE.replace("keycloak, issuer", "keycloak, isuer"))
    loaded = read(settings_file)
    [said] = loaded.mistakes
    other = loaded.source.mistake("settings.never", ("providers", "corp", "audience"), "x", "Y.")
    inside = loaded.source.mistake("settings.never", ("providers", "corp", "isuer", 0), "x", "Y.")
    same = loaded.source.mistake("settings.never", ("providers", "corp", "isuer"), "x", "Y.")

    assert loaded.with_others([other, same, inside]).mistakes == (said, other)
