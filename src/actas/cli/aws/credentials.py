"""``actas credentials`` and ``actas env``: a role's credentials for whoever asks next."""

import sys

from actas.cli import DONE
from actas.cli.aws import forms
from actas.cli.aws.options import Options


def credentials(
    *,
    options: Options,
    serve: bool = False,
) -> int:
    """Print a role's credentials in the form of AWS's credential_process, taken anew before they end.

    They live for minutes, are kept sealed between programs, and one process at a time takes new ones. With --serve
    they are given on loopback as a container's are, until Ctrl-C, and what is printed tells programs where.

    For example:
        actas credentials --role reader --as ana
        actas credentials --role reader --serve

    Parameters
    ----------
    serve:
        Serve them on loopback instead of printing them.
    """
    import anyio

    found = options.purse()
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
    options: Options,
    shell: forms.Shell = "sh",
) -> int:
    """Print a role's credentials as lines that a shell evaluates. They end in minutes and are not renewed.

    For example:
        eval "$(actas env --role reader --as ana)"
        actas env --role reader --shell fish | source
        actas env --role reader --shell powershell | Invoke-Expression

    Parameters
    ----------
    shell:
        The shell that reads it.
    """
    import anyio

    found = options.purse()
    taken = anyio.run(found.credentials)
    places = forms.places(found.wanted.control, found.public, found.region)
    print(forms.assignments({**forms.variables(taken), **places}, shell))
    if sys.stdout.isatty():
        print('Secrets are on the screen; a shell reads them with: eval "$(actas env ...)"', file=sys.stderr)
    return DONE
