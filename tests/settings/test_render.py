"""What mistakes look like on a terminal, letter by letter, and to a program."""

import json

from actas.settings.render import as_json, render, summary

TEXT = """\
providers:
  corp: {preset: keycloak, isuer: "https://sso.example/realms/corp", lookup: {id: a, secret: hunter2}}
mode: enforced   # password: hunter3
"""

SHOWN = """\
actas.yaml:2:28: error[settings.unknown-key]: there is no key "isuer" here
    2 |   corp: {preset: keycloak, isuer: ·································, lookup: {id: a, secret: ·······
      |                            ^^^^^
  hint: Write issuer.

actas.yaml:2:94: error[settings.secret-in-file]: providers.corp.lookup.secret holds its secret in the file; a secret \
never stands there
    2 | ························, lookup: {id: a, secret: ·······}}
      |                                                   ^^^^^^^
  hint: Write {env: NAME} or {file: PATH}; if the secret was ever shared with this file, change it.

actas.yaml:3:7: error[settings.wrong-value]: mode is "enforced"; wanted: enforce or observe
    3 | mode: enforced
      |       ^^^^^^^^
  hint: Write enforce.

3 errors
"""


def test_mistakes_are_shown_with_their_line_and_without_secrets(desk, monkeypatch):
    desk.write(TEXT)
    monkeypatch.chdir(desk.folder)
    from actas.settings.reader import read

    shown = render(read("actas.yaml").mistakes)

    assert shown == SHOWN


def test_colour_is_added_and_changes_no_word(desk):
    import re

    mistakes = desk.read(TEXT).mistakes

    coloured = render(mistakes, colour=True)

    assert "\x1b[1;31m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render(mistakes)


def test_no_mistakes_are_no_text(desk, sound):
    assert render(desk.check(sound).mistakes) == ""
    assert summary(()) == "no mistakes"


def test_errors_and_warnings_are_counted(desk, sound):
    mistakes = desk.check(sound.replace("groups: [finance]", "groups: ['*', '*a'], kind: x")).mistakes

    assert summary(mistakes) == "1 error, 2 warnings"


def test_a_program_gets_one_object_a_line(desk):
    lines = as_json(desk.read(TEXT).mistakes).splitlines()

    objects = [json.loads(line) for line in lines]
    assert objects[2] == {
        "code": "settings.wrong-value",
        "severity": "error",
        "file": str(desk.file),
        "line": 3,
        "column": 7,
        "key": "mode",
        "message": 'mode is "enforced"; wanted: enforce or observe',
        "found": '"enforced"',
        "wanted": "enforce or observe",
        "nearest": "enforce",
        "hint": "Write enforce.",
    }
    assert "hunter" not in "".join(lines)
