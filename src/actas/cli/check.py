"""``actas check``, ``actas schema`` and ``actas init``: the settings file, before anything runs."""

import sys
from pathlib import Path

from actas.cli import ASKED_WRONGLY, DONE, output
from actas.cli.errors import AlreadyThere, CannotWrite
from actas.cli.places import here

NEXT = """
Next:
  {step}edit actas.yaml     say who your identity provider is: preset and issuer
  actas check          every mistake, each with what to do
  actas serve          then, in another terminal:
  actas login --client CLIENT
  actas call hello"""


def check(settings: Path | None = None, *, json: bool = False) -> int:
    """Report every mistake in the settings file and the files it names, all at once. Nothing is started.

    For example:
        actas check
        actas check /etc/actas/actas.yaml --json

    Parameters
    ----------
    settings:
        The settings file; by default that of the gateway that runs here, else actas.yaml.
    json:
        Print one JSON object a mistake.
    """
    from actas.model import clock
    from actas.settings.render import as_json, render, summary
    from actas.wiring.load import load

    found = load(here(settings).found(), weak=True, today=clock.now().date())
    if json:
        print(as_json(found.mistakes), end="")
    elif found.mistakes:
        print(render(found.mistakes, colour=sys.stdout.isatty()), end="")
    else:
        print(summary(found.mistakes))
    return ASKED_WRONGLY if found.broken else DONE


def schema() -> int:
    """Print the JSON Schema of the settings file, for editors.

    For example:
        actas schema > actas.schema.json
    """
    from actas.settings.jsonschema import schema_json

    print(schema_json(), end="")
    return DONE


def init(folder: Path = Path(), *, json: bool = False) -> int:
    """Write a commented settings file, a first function and a policy into a folder.

    For example:
        actas init
        actas init gateway

    Parameters
    ----------
    folder:
        Where to write; nothing that is there already is touched.
    json:
        Print one JSON object a file.
    """
    from actas.settings.starter import starter

    files = starter()
    for name in files:
        if (folder / name).exists():
            raise AlreadyThere(file=folder / name)
    for name, text in files.items():
        _write(folder / name, text)
        print(output.json_line({"file": str(folder / name)}) if json else folder / name)
    step = "" if folder == Path() else f"cd {folder}; "
    print(NEXT.format(step=step), file=sys.stderr)
    return DONE


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    except OSError as wrong:
        raise CannotWrite(file=file, why=wrong.strerror or "the system refuses") from wrong
