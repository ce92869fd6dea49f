"""What only a start can take is refused by a reload, and everything else is not."""

import pytest
import yaml

from actas.settings.errors import NeedsRestart
from actas.wiring.load import load
from actas.wiring.start import covered, same, secret_files

SOUND = {
    "gateway": {"listen": "127.0.0.1:0", "control_listen": "127.0.0.1:0"},
    "providers": {"corp": {"preset": "oidc", "issuer": "https://sso.example", "audience": "actas"}},
    "functions": {"report": {"python": "code/report.py:handler"}},
    "rules": [{"id": "all", "who": {"provider": "corp"}, "may": ["report"]}],
}


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "report.py").write_text("def handler(event, context):\n    return event\n")
    for name in ("code/token", "code/other", "token"):
        (tmp_path / name).write_text("t")
        (tmp_path / name).chmod(0o600)

    def make(**more):
        file = tmp_path / "actas.yaml"
        file.write_text(yaml.safe_dump({**SOUND, **more}))
        loaded = load(file, weak=True)
        loaded.usable()
        return loaded

    return make


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("public_url", "http://127.0.0.1:9700"),
        ("control_url", "http://127.0.0.1:9701"),
        ("listen", "127.0.0.1:9702"),
        ("control_listen", "127.0.0.1:9703"),
        ("state", "elsewhere"),
        ("isolation", "weak"),
        ("account", "111122223333"),
        ("region", "eu-west-1"),
        ("grace", "7s"),
        ("saml_keys", "60d"),
        ("limits", {"sessions": 7, "sessions_per_subject": 1}),
        ("limits", {"sessions_per_subject": 7}),
        ("limits", {"processes": 7, "processes_per_subject": 1}),
        ("limits", {"processes_per_subject": 7}),
    ],
)
def test_a_key_that_is_read_at_the_start_cannot_change(key, value, settings):
    before = settings().usable()
    after = settings(gateway={**SOUND["gateway"], key: value}).usable()

    with pytest.raises(NeedsRestart) as refused:
        same(before, after)

    assert refused.value.keys[0].startswith(f"gateway.{key}")


def test_the_trail_cannot_move_while_it_is_written(settings):
    with pytest.raises(NeedsRestart):
        same(settings().usable(), settings(audit={"jsonl": {"path": "elsewhere"}}).usable())


def test_everything_else_can_change(settings):
    same(
        settings().usable(),
        settings(
            gateway={**SOUND["gateway"], "limits": {"body": "1MB", "rate": {"subject": 7}, "connections": 7}},
            roles={"reader": {"arn": "arn:aws:iam::111122223333:role/reader"}},
            rules=[{**SOUND["rules"][0], "as": "reader"}],
        ).usable(),
    )


def using(file):
    return {"functions": {"report": {**SOUND["functions"]["report"], "environment": {"TOKEN": {"file": file}}}}}


def test_a_secret_beside_the_code_that_no_process_was_kept_from_needs_a_start(settings):
    before = settings(**using("code/token"))
    hidden = tuple(secret_files(before, before.usable()))
    after = settings(**using("code/other"))

    covered(before, before.usable(), hidden)
    with pytest.raises(NeedsRestart) as refused:
        covered(after, after.usable(), hidden)

    assert refused.value.keys == ("functions.report.environment.TOKEN",)


def test_a_secret_that_lies_elsewhere_does_not(settings):
    loaded = settings(**using("token"))

    covered(loaded, loaded.usable(), ())
