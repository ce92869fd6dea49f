"""``actas credentials`` and ``actas env``: a role's credentials for whoever asks next."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from actas.cli import DONE
from actas.cli.aws import forms
from actas.cli.aws.taking import purse
from actas.cli.places import here

As = Annotated[str | None, Parameter(name="--as")]


def credentials(
    *,
    role: str,
    as_: As = None,
    seconds: int | None = None,
    serve: bool = False,
    gateway: str | None = None,
    settings: Path | None = None,
    state: Path | None = None,
) -> int:
    """Print a role's credentials in the form of AWS's credential_process, taken anew before they end.

    They live for minutes, are kept sealed between programs, and one process at a time takes new ones. With --serve
    they are given on loopback as a container's are, until Ctrl-C, and what is printed tells programs where.

    For example:
        actas credentials --role reader --as ana
        eval "$(actas credentials --role reader --serve)"   # in ~/.aws/config: actas configure aws --role reader

    Parameters
    ----------
    role:
        The role: its name in the settings, or its ARN.
    as_:
        Who takes it: a stored sign-in (see 'actas login') or a person of the demo.
    seconds:
        How long they shall live, 900 at least; by default as long as the role's sessions may.
    serve:
        Serve them on loopback instead of printing them.
    gateway:
        The gateway's control URL; by default that of the one that runs here.
    settings:
        The settings file of the gateway that runs here; by default actas.yaml.
    state:
        The gateway's state folder; by default that of the gateway that runs here, else that of the settings.
    """
    import anyio

    found = purse(here(settings, state), role=role, who=as_, seconds=seconds, gateway=gateway)
    if not serve:
        print(forms.process_json(anyio.run(found.credentials)))
        return DONE
    from actas.cli.aws.endpoint import Endpoint

    anyio.run(found.credentials)  # who may not take the role is told so now, not the program that asks
    with Endpoint(found) as endpoint:
        print(forms.assignments(endpoint.variables, "sh"), flush=True)
        print("Credentials are served until Ctrl-C.", file=sys.stderr)
        endpoint.wait()
    return DONE


def env(
    *,
    role: str,
    as_: As = None,
    seconds: int | None = None,
    shell: forms.Shell = "sh",
    gateway: str | None = None,
    settings: Path | None = None,
    state: Path | None = None,
) -> int:
    """Print a role's credentials as lines that a shell evaluates. They end in minutes and are not renewed.

    For example:
        eval "$(actas env --role reader --as ana)"
        actas env --role reader --shell fish | source
        actas env --role reader --shell powershell | Invoke-Expression

    Parameters
    ----------
    role:
        The role: its name in the settings, or its ARN.
    as_:
        Who takes it: a stored sign-in or a person of the demo.
    seconds:
        How long they shall live, 900 at least; by default as long as the role's sessions may.
    shell:
        The shell that reads it.
    gateway:
        The gateway's control URL; by default that of the one that runs here.
    settings:
        The settings file of the gateway that runs here; by default actas.yaml.
    state:
        The gateway's state folder; by default that of the gateway that runs here, else that of the settings.
    """
    import anyio

    found = purse(here(settings, state), role=role, who=as_, seconds=seconds, gateway=gateway)
    taken = anyio.run(found.credentials)
    places = forms.places(found.wanted.control, found.public, found.region)
    print(forms.assignments({**forms.variables(taken), **places}, shell))
    if sys.stdout.isatty():
        print('Secrets are on the screen; a shell reads them with: eval "$(actas env ...)"', file=sys.stderr)
    return DONE
