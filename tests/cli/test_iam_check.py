"""``actas iam check``: every finding with its place, in four forms, and an exit code that a CI can rely on."""

import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas import __version__
from actas.cli import run
from actas.cli.iam_files import guess
from actas.cli.iam_findings import Checked, github, json_lines, sarif, text
from actas.iam.finding import Finding

CLEAN = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "lambda:ListFunctions", "Resource": "*"}]}'
)
WARNED = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:SendMesage"], "Resource": "*"}
  ]
}
"""
REFUSED = CLEAN.replace("Allow", "Maybe")
SUGGESTED = CLEAN.replace('"lambda:ListFunctions"', '["lambda:ListFunctions", "lambda:ListFunctions"]')


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def made(document, name="policy.json"):
        (tmp_path / name).write_text(document)
        return name

    return made


def finding(**more):
    facts = {
        "code": "unknown-action",
        "severity": "warning",
        "message": "There is no action sqs:SendMesage.",
        "path": "Statement[0].Action[1]",
        "fix": "Write sqs:SendMessage.",
        "line": 4,
        "column": 55,
    }
    return Finding(**facts | more)


def checked(*findings, file="policy.json", document=WARNED):
    return Checked(file=file, kind="identity", text=document, findings=findings)


def test_a_finding_is_shown_with_its_line_and_what_to_do():
    assert text([checked(finding())]) == (
        "policy.json:4:55: warning[unknown-action]: There is no action sqs:SendMesage.\n"
        '    4 |     {"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:SendMesage"], "Resource": "*"}\n'
        "      |                                                       ^^^^^^^^^^^^^^^^\n"
        "  at: Statement[0].Action[1]\n"
        "  fix: Write sqs:SendMessage.\n"
        "\n"
        "1 warning in 1 file"
    )


def test_a_finding_without_a_place_has_no_excerpt():
    whole = finding(line=None, column=None, path="")

    assert text([checked(whole)]).splitlines()[:2] == [
        "policy.json: warning[unknown-action]: There is no action sqs:SendMesage.",
        "  fix: Write sqs:SendMessage.",
    ]


def test_of_a_long_line_the_part_around_the_place_is_shown():
    document = json.dumps({"Statement": [{"Action": ["sqs:SendMessage"] * 20 + ["sqs:Nothing"]}]})
    column = document.index('"sqs:Nothing"') + 1

    _, line, carets, *_ = text([checked(finding(line=1, column=column), document=document)]).splitlines()

    assert len(line) <= 108
    assert line[carets.index("^") :].startswith('"sqs:Nothing"')
    assert carets.count("^") == len('"sqs:Nothing"')


def test_what_a_file_holds_gives_no_orders_to_the_terminal():
    shown = text([checked(finding(message="\x1b[2J"), file="a\x1bb", document="\n\n\n\x1b]0;x\x07")])

    assert "\x1b" not in shown
    assert "\x07" not in shown


def test_nothing_to_say_is_said():
    assert text([checked(), checked()]) == "nothing to say in 2 files"


def test_an_annotation_is_escaped_as_workflow_commands_are():
    odd = finding(severity="suggestion", message="50 %\nof it", fix="Fix.")

    assert github([checked(odd, file="a,b:c.json")]) == (
        "::notice file=a%2Cb%3Ac.json,line=4,col=55,title=unknown-action::50 %25%0Aof it Fix."
    )


def test_a_sarif_log_has_rules_and_places():
    log = json.loads(
        sarif([checked(finding(), finding(code="advice", severity="suggestion", line=None), file="a b.json")])
    )

    (one,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert one["tool"]["driver"]["version"] == __version__
    assert [rule["id"] for rule in one["tool"]["driver"]["rules"]] == ["advice", "unknown-action"]
    first, second = one["results"]
    assert (first["ruleId"], first["ruleIndex"], first["level"]) == ("unknown-action", 1, "warning")
    assert first["message"]["text"] == "There is no action sqs:SendMesage. Write sqs:SendMessage."
    assert first["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "a%20b.json"},
                "region": {"startLine": 4, "startColumn": 55},
            },
            "logicalLocations": [{"fullyQualifiedName": "Statement[0].Action[1]"}],
        }
    ]
    assert second["level"] == "note"
    assert "region" not in second["locations"][0]["physicalLocation"]


CODES = [
    ("nothing to say", CLEAN, [], 0),
    ("a suggestion", SUGGESTED, [], 0),
    ("a suggestion that counts", SUGGESTED, ["--fail-on", "suggestion"], 1),
    ("a warning", WARNED, [], 0),
    ("a warning that counts", WARNED, ["--fail-on", "warning"], 1),
    ("a warning that is not looked for", WARNED, ["--fail-on", "warning", "--depth", "grammar"], 0),
    ("an error", REFUSED, [], 1),
    ("a policy of another kind", CLEAN, ["--kind", "trust"], 1),
    ("no JSON at all", "{", [], 1),
    ("two forms at once", CLEAN, ["--json", "--sarif"], 2),
    ("a kind that there is not", CLEAN, ["--kind", "wish"], 2),
]


@pytest.mark.parametrize(("document", "options", "code"), [row[1:] for row in CODES], ids=[row[0] for row in CODES])
def test_the_exit_code_says_how_it_is(write, capsys, document, options, code):
    assert run(["iam", "check", write(document), *options]) == code


def test_a_file_that_is_not_there_is_asked_wrongly(write, capsys):
    assert run(["iam", "check", write(CLEAN), "nowhere.json"]) == 2
    assert "error[cli.bad-file]: nowhere.json" in capsys.readouterr().err


def test_without_a_file_it_is_asked_wrongly(capsys):
    assert run(["iam", "check"]) == 2


def test_all_files_are_looked_at(write, capsys):
    assert run(["iam", "check", write(REFUSED, "one.json"), write(WARNED, "two.json"), "--json"]) == 1

    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["file"], row["severity"], row["line"]) for row in rows][:2] == [
        ("one.json", "error", 1),
        ("two.json", "warning", 4),
    ]
    assert set(rows[0]) == {"file", "kind", "line", "column", "path", "severity", "code", "message", "fix"}


@pytest.mark.parametrize("form", ["--json", "--github"])
def test_where_there_is_nothing_to_say_a_list_of_findings_is_empty(write, capsys, form):
    assert run(["iam", "check", write(CLEAN), form]) == 0
    assert capsys.readouterr().out == ""


def test_a_dash_is_standard_input(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(REFUSED.encode())))

    assert run(["iam", "check", "-"]) == 1
    assert capsys.readouterr().out.startswith("-:1:")


STATEMENTS = [
    ("identity", {"Action": "s3:*", "Resource": "*"}),
    ("resource", {"Principal": "*", "Action": "s3:*", "Resource": "*"}),
    ("resource", {"NotPrincipal": {"AWS": "111122223333"}, "Action": "s3:*", "NotResource": "*"}),
    ("trust", {"Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}),
    ("trust", {"principal": "*", "Action": ["sts:AssumeRole", "sts:TagSession"]}),
    ("resource", {"Principal": "*", "Action": "sns:Publish"}),
]


@pytest.mark.parametrize(("kind", "statement"), STATEMENTS)
def test_the_kind_is_guessed_from_what_the_statements_name(kind, statement):
    assert guess(json.dumps({"Statement": statement}).encode()) == kind
    assert guess(json.dumps({"Statement": [statement]}).encode()) == kind


@pytest.mark.parametrize("document", ["", "{", "[]", '{"Statement": 7}', '{"Statement": [7]}', "[" * 5000, "\ud800"])
def test_what_is_no_policy_is_taken_for_an_identity_policy(document):
    assert guess(document.encode(errors="surrogatepass")) == "identity"


@given(document=st.text(max_size=60), line=st.integers(-1, 4), column=st.integers(0, 80), message=st.text(max_size=20))
def test_whatever_a_file_and_a_finding_hold_there_is_something_to_show(document, line, column, message):
    one = checked(finding(line=line, column=column, message=message), document=document)

    assert all(letter.isprintable() or letter == "\n" for letter in text([one]))
    assert json.loads(json_lines([one]))["message"] == message
    assert json.loads(sarif([one]))["runs"][0]["results"][0]["message"]["text"].startswith(message)
    assert len(github([one]).splitlines()) <= 1 or any(
        letter in message for letter in "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
    )


@given(document=st.binary(max_size=60) | st.builds(lambda value: json.dumps(value).encode(), st.recursive(
    st.none() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["Statement", "Principal", "Action", "Resource"]), inner, max_size=4),
)))  # fmt: skip
def test_whatever_a_file_holds_it_has_a_kind(document):
    assert guess(document) in {"identity", "resource", "trust"}
