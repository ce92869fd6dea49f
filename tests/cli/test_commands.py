"""Every command: what it answers, where, in which form, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from xml.etree import ElementTree as ET

import pytest

from actas.cli.app import COMMANDS, build

ASKING = ("who", "explain", "check", "test", "call", "login", "logout", "logs", "init")
AUDIT = ("verify", "tail", "show", "officer", "approve", "unmask", "erase", "prune")


def command(*arguments, folder, **options):
    """Run the command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "actas", *map(str, arguments)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": ""},
        preexec_fn=_hear_ctrl_c,  # noqa: PLW1509 - it takes no lock
        **options,
    )


def _hear_ctrl_c():
    """Undo what a shell does to what it runs in the background: a program begun with `&` ignores Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_or_lists_its_own(actas, name):
    said = actas(name, "--help")

    assert (said.code, said.err) == (0, "")
    assert f"actas {name}" in said.out
    assert "For example:" in said.out or "Commands" in said.out


@pytest.mark.parametrize("name", [*AUDIT, "export"])
def test_every_audit_command_has_help_with_an_example(actas, name):
    said = actas("audit", name, "--help")

    assert "For example:" in said.out
    assert f"actas audit {name}" in said.out


@pytest.mark.parametrize("name", [*((one,) for one in ASKING), *(("audit", one) for one in AUDIT)], ids=" ".join)
def test_every_command_that_answers_can_answer_in_json(actas, name):
    assert "--json" in actas(*name, "--help").out


def test_the_list_of_commands_imports_none_of_them():
    code = "import sys; from actas.cli.app import build; build(); print(*[m for m in sys.modules if 'actas.cli' in m])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert sorted(done.stdout.split()) == ["actas.cli", "actas.cli.app"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_command(actas, shell):
    said = actas("completion", shell)

    assert said.code == 0
    assert all(name in said.out for name in COMMANDS)


def test_the_bash_completion_is_taken_by_bash(actas, tmp_path):
    (tmp_path / "actas").write_text(actas("completion", "bash").out)

    assert subprocess.run(["bash", "-n", tmp_path / "actas"], check=False).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [(("cal",), '"call"'), (("call", "hello", "--rol", "x"), "--role"), (("audit", "verfy"), '"verify"')],
    ids=["a command", "an option", "a command of audit"],
)
def test_a_slip_of_the_pen_is_answered_with_the_nearest_word(actas, arguments, nearest):
    said = actas(*arguments)

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error[cli.usage]: ")
    assert f"Did you mean {nearest}?" in said.err


def test_an_error_is_data_too(actas):
    said = actas("frobnicate", "--json")

    assert (said.code, said.out) == (2, "")
    assert json.loads(said.err)["error"]["code"] == "cli.usage"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("check",), "cli.no-settings"),
        (("serve",), "cli.no-settings"),
        (("up", "nowhere"), "cli.no-settings"),
        (("explain", "hello", "--as", "ana"), "cli.no-settings"),
        (("who", "--as", "ana"), "cli.no-settings"),
        (("test", "scenarios.yaml"), "cli.no-settings"),
        (("login",), "cli.no-settings"),
        (("audit", "erase", "--issuer", "x", "--subject", "y"), "cli.no-settings"),
        (("audit", "prune"), "cli.no-settings"),
        (("audit", "verify"), "cli.no-trail"),
        (("audit", "tail"), "cli.no-trail"),
        (("audit", "show", "01M8"), "cli.no-trail"),
        (("audit", "export"), "cli.no-trail"),
        (("logs",), "cli.no-logs"),
        (("call", "hello"), "cli.no-gateway"),
        (("logout", "ana"), "cli.not-signed-in"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else one,
)
def test_in_an_empty_folder_a_command_says_what_is_missing(actas, tmp_path, arguments, code):
    said = actas(*arguments, folder=tmp_path)

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"error[{code}]: ")


BROKEN = """
providers: {corp: {preset: keyclock, issuer: https://sso.example.com/realms/corp, audience: actas}}
functions: {hello: {python: hello.py:handler, timeuot: 3s}}
rules: [{id: a, who: {provider: crop}, may: [hello]}]
"""


def test_broken_settings_show_all_their_mistakes(actas, tmp_path):
    (tmp_path / "actas.yaml").write_text(BROKEN)

    said = actas("check", folder=tmp_path)
    as_data = actas("check", "--json").lines
    asked = actas("explain", "hello", "--claims", "claims.json")

    for slip in ("keyclock", "timeuot", "crop"):
        assert slip in said.out
        assert slip in asked.err
        assert slip in json.dumps(as_data)
    assert (said.code, asked.code) == (2, 2)
    assert asked.out == ""
    assert "error" in {one["severity"] for one in as_data}
    assert all(one["line"] > 1 and one["hint"] for one in as_data)


def test_what_init_writes_has_no_mistake(actas, tmp_path):
    said = actas("init", folder=tmp_path)

    assert said.code == 0
    assert said.out == "actas.yaml\nfunctions/hello.py\npolicies/reader.json\n"
    assert "actas check" in said.err
    assert (actas("check").code, actas("check").out) == (0, "no mistakes\n")
    assert actas("init").err.startswith("error[cli.already-there]: actas.yaml is there already")
    assert actas("init", "other", "--json").lines[0] == {"file": "other/actas.yaml"}


def test_a_place_where_nothing_can_be_written_is_no_traceback(actas, tmp_path):
    (tmp_path / "file").write_text("")

    said = actas("init", "file/below", folder=tmp_path)

    assert (said.code, said.err.split(":")[0]) == (2, "error[cli.cannot-write]")


def test_explain_says_yes_and_no_with_the_exit_code(at_bench):
    yes, no = at_bench("explain", "hello", "--as", "ben"), at_bench("explain", "payroll", "--as", "ben")

    assert (yes.code, yes.out.splitlines()[0], yes.err) == (0, "allow", "")
    assert (no.code, no.out.splitlines()[0], no.err) == (1, "deny", "")
    assert "what it would take" in no.out
    assert at_bench("explain", "payroll", "--as", "ben", "--json").data["verdict"] == "deny"


@pytest.mark.parametrize("option", [("--at", "25:00"), ("--at", "soon"), ("--from", "1.2"), ("--at", "2026-13-01")])
def test_a_time_or_address_that_is_none_is_asked_wrongly(at_bench, option):
    said = at_bench("explain", "hello", "--as", "ana", *option)

    assert (said.code, said.err.split(":")[0]) == (2, "error[cli.bad-moment]")


def test_who_says_each_step_and_every_right(at_bench):
    said = at_bench("who", "--as", "ana")

    assert (said.code, said.out.splitlines()[0], said.err) == (0, "believed", "")
    assert "may call now\n" in said.out
    assert "ey" + "J" not in said.out
    assert {one["target"] for one in at_bench("who", "--as", "ana", "--json").data["rights"] if one["allowed"]} >= {
        "hello"
    }


def test_who_tells_a_token_that_is_not_believed(at_bench, bench):
    token = bench.idp.token(person="ana", audience="somebody-else")

    said = at_bench("who", token)

    assert (said.code, said.out.splitlines()[0]) == (3, "not believed")
    assert "[identify.wrong-audience]" in said.out
    assert token not in said.out


def test_claims_are_supposed_and_not_believed(at_bench, bench):
    now = 4_000_000_000
    claims = {"iss": bench.idp.issuer, "aud": "actas", "sub": "s", "iat": now, "exp": now + 60, "groups": ["finance"]}
    file = bench.folder / "claims.json"
    file.write_text(json.dumps(claims))

    said = at_bench("who", "--claims", file)

    assert said.out.splitlines()[0] == "supposed: nothing was verified"
    assert at_bench("who", "--claims", file, "--json").data["believed"] is False
    assert at_bench("explain", "payroll", "--claims", file).code == 0
    file.write_text(json.dumps({**claims, "iss": "https://elsewhere.example"}))
    assert at_bench("who", "--claims", file).err.startswith("error[cli.bad-file]: ")


SCENARIOS = """
scenarios:
  - {says: finance runs <payroll>, who: {provider: corp, groups: [finance]}, call: payroll, expect: allow}
  - {says: anybody runs payroll, who: {provider: corp}, call: payroll, expect: allow}
"""


def test_scenarios_are_tried_and_reported_for_a_ci(at_bench, tmp_path):
    file, report = tmp_path / "scenarios.yaml", tmp_path / "report.xml"
    file.write_text(SCENARIOS)

    said = at_bench("test", file, "--junit", report)

    assert said.code == 1
    assert said.out.startswith("ok    finance runs <payroll>\nFAIL  anybody runs payroll\n      ")
    assert said.out.endswith("1 passed, 1 failed\n")
    assert [one["passed"] for one in at_bench("test", file, "--json").lines] == [True, False]
    suite = ET.fromstring(report.read_bytes())
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.get("name") for case in suite.iter("testcase")] == ["finance runs <payroll>", "anybody runs payroll"]


def test_a_scenario_with_an_unknown_key_is_asked_wrongly(at_bench, tmp_path):
    file = tmp_path / "scenarios.yaml"
    file.write_text(SCENARIOS.replace("expect", "expects"))

    assert at_bench("test", file).code == 2


def test_the_trail_of_the_gateway_that_runs_here_is_read(at_bench, bench):
    call = at_bench("call", "hello", "--as", "ana", "--json").data["call"]

    tail = at_bench("audit", "tail", "--json")
    shown = at_bench("audit", "show", call, "--json")

    assert (tail.code, shown.code) == (0, 0)
    assert {one["call"] for one in shown.lines} == {call}
    assert "decided" in {one["type"] for one in shown.lines}
    assert call in at_bench("audit", "export").out
    assert at_bench("audit", "export", "--form", "csv").out.startswith("call,at,")
    assert bench.idp.people["ana"].id not in at_bench("audit", "export").out
    assert at_bench("audit", "show", "01M84C84M479M51VY2W0WKQGFR").err.startswith("error[cli.no-such-call]: ")


def test_the_trail_holds_or_it_does_not(at_bench, bench, tmp_path):
    import shutil

    at_bench("call", "hello", "--as", "ana")
    assert (at_bench("audit", "verify").code, at_bench("audit", "verify").out.split("\n")[0]) == (0, "holds")
    copy = tmp_path / "audit"
    shutil.copytree(bench.state / "audit", copy, ignore=shutil.ignore_patterns("lock"))
    segment = next(copy.glob("*.jsonl"))
    segment.write_text(segment.read_text().replace('"allow"', '"deny"', 1))

    said = at_bench("audit", "verify", copy)

    assert (said.code, said.out.splitlines()[0]) == (1, "does not hold")
    assert at_bench("audit", "verify", copy, "--json").data["holds"] is False


def test_what_a_function_printed_is_found_by_its_call(at_bench):
    call = at_bench("call", "hello", "--as", "ana", "--payload", '{"name": "Ana"}', "--json").data["call"]

    said = at_bench("logs", "hello", "--call", call, "--json")

    assert [one["line"] for one in said.lines] == ["greeting Ana"]
    assert at_bench("logs", "nothing").err.startswith("error[cli.no-logs]: there are no logs of nothing")


def test_an_officer_never_writes_over_a_key(actas, tmp_path):
    said = actas("audit", "officer", "dalia.2026", folder=tmp_path)

    assert said.code == 0
    assert said.out.startswith("officer ")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["dalia.2026.key", "dalia.2026.pub"]
    assert (tmp_path / "dalia.2026.key").stat().st_mode & 0o777 == 0o600
    assert actas("audit", "officer", "dalia.2026").err.startswith("error[cli.already-there]: ")


def test_somebody_is_erased_who_was_there_and_nobody_twice(at_bench, bench):
    at_bench("call", "hello", "--as", "femi")
    who = ("--issuer", bench.idp.issuer, "--subject", bench.idp.people["femi"].id)

    first, second = at_bench("audit", "erase", *who), at_bench("audit", "erase", *who, "--json")

    assert (first.code, first.out) == (0, "erased 1 row\n")
    assert (second.code, second.data) == (3, {"erased": 0})


def test_the_state_follows_the_settings_from_any_folder(actas, bench, tmp_path):
    said = actas("call", "hello", "--as", "ana", "--settings", bench.folder / "actas.yaml", folder=tmp_path)

    assert (said.code, said.out) == (0, '{"hello": "you"}\n')
    assert actas("explain", "hello", "--as", "ana", "--state", bench.state).code == 0


def test_a_pipe_that_closes_early_is_no_mistake(bench):
    with command("audit", "export", folder=bench.folder) as process:
        process.stdout.close()
        said = process.stderr.read()

    assert (process.returncode, said) == (0, b"")


def test_a_port_that_is_taken_is_said_to_be_so(actas, tmp_path):
    actas("init", folder=tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        listen = f"gateway:\n  listen: 127.0.0.1:{port}\n  control_listen: 127.0.0.1:0\n"
        text = (tmp_path / "actas.yaml").read_text().replace("gateway:\n", listen)
        (tmp_path / "actas.yaml").write_text(text)
        with command("serve", folder=tmp_path) as process:
            try:
                err = process.communicate(timeout=60)[1]
            finally:
                process.kill()

    assert process.returncode in (2, 3)
    assert b"Traceback" not in err
    assert str(port).encode() in err


def test_a_call_that_is_interrupted_has_not_come_to_its_answer(bench, at_bench):
    with command("call", "slow", "--as", "ana", folder=bench.folder) as process:
        ends = time.monotonic() + 30
        while not any(one.get("function") == "slow" for one in at_bench("audit", "tail", "--json").lines):
            assert time.monotonic() < ends
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)

    assert (process.returncode, out) == (3, b"")
    assert b"Traceback" not in err


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_serve_ends_when_it_is_told_and_withdraws_what_it_announced(actas, tmp_path, told):
    listen = "gateway:\n  listen: 127.0.0.1:0\n  control_listen: 127.0.0.1:0\n"
    (tmp_path / "actas.yaml").write_text(f"{listen}providers: {{}}\nfunctions: {{}}\nrules: []\n")
    place = tmp_path / ".actas" / "up.json"
    with command("serve", folder=tmp_path) as process:
        ends = time.monotonic() + 30
        while not place.exists():
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < ends
            time.sleep(0.02)
        settings = json.loads(place.read_text())["settings"]
        time.sleep(0.2)
        process.send_signal(told)
        out, err = process.communicate(timeout=30)

    assert (process.returncode, out) == (0, b"")
    assert err.startswith(b"Ready: calls on http://127.0.0.1:")
    assert b"Traceback" not in err
    assert settings == str(tmp_path / "actas.yaml")
    assert not place.exists()


def test_the_application_is_built_without_a_name():
    assert build() is not build("call")
