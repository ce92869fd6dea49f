"""Feed the settings reader whatever there is: only mistakes may come out, and nothing of a secret.

Run it as ``python fuzz/fuzz_settings.py [corpus folder] [libFuzzer arguments]``.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["actas.settings"]):
    from actas.settings.checks import FACTS, PresetFacts, Surroundings, check
    from actas.settings.errors import BrokenSettings
    from actas.settings.reader import parse
    from actas.settings.render import as_json, render
    from actas.settings.starter import example

FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-settings-"))
AROUND = Surroundings(
    presets={
        "keycloak": PresetFacts(needs=("issuer", "audience"), carries=frozenset(FACTS), lookup="keycloak-admin"),
        "oidc": PresetFacts(needs=("issuer", "audience")),
    },
    admin_actions=("sessions.revoke",),
)
SECRET = "hunter2-hunter2"
SEEDS = (
    example(),
    "a: [b, {c: 'd'}]\n",
    "providers: {p: {preset: oidc, issuer: https://id.example, audience: a, lookup: {id: i, secret: {env: S}}}}\n",
    "functions: {f: {lambda: 'arn:aws:lambda:eu-west-1:111122223333:function:f', routes: ['GET /{a+}']}}\n",
    "rules: [{id: r, who: {groups: [g]}, may_not: '*', when: {days: sat-mon, hours: 22:00-06:00, zone: UTC}}]\n",
    f"functions: {{f: {{environment: {{A: {SECRET}, B: |\n  {SECRET}\n  }}}}}}\n",
    "x: &a !!str |\n  y\n<<: *a\n---\n%YAML 1.1\n",
)


def TestOneInput(data: bytes) -> None:  # noqa: N802 - libFuzzer's name
    """Read, check and show; raise where something else than a mistake comes out."""
    loaded = check(parse(data, path=FOLDER / "actas.yaml", shown="actas.yaml"), AROUND)
    shown = render(loaded.mistakes) + as_json(loaded.mistakes)
    if (loaded.settings is None) != loaded.broken and loaded.settings is None:
        raise AssertionError("settings without a shape are not broken")
    if loaded.settings is None and not loaded.mistakes:
        raise AssertionError("no settings, and nobody says why")
    try:
        loaded.usable()
    except BrokenSettings as broken:
        if not broken.mistakes:
            raise AssertionError("broken without a mistake") from broken
    environment = f"environment: {{A: {SECRET}".encode()
    if environment in data and data.count(SECRET.encode()) == 1 and SECRET in shown:
        raise AssertionError("a secret was repeated")


def main() -> None:
    """Fuzz, beginning from seeds of our own where no corpus is named."""
    if not any(not one.startswith("-") for one in sys.argv[1:]):
        corpus = FOLDER / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(SEEDS):
            (corpus / f"seed-{number}").write_text(seed, encoding="utf-8")
        sys.argv.append(str(corpus))
    atheris.Setup(sys.argv, TestOneInput)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
