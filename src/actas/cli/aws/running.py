"""``actas exec``: run a command as a role."""

import os
import signal
import subprocess
from collections.abc import Mapping
from typing import Annotated, NoReturn

from cyclopts import Parameter

from actas.cli.aws import forms
from actas.cli.aws.endpoint import Endpoint
from actas.cli.aws.errors import NoCommand
from actas.cli.aws.options import Options
from actas.cli.aws.taking import Purse


def run(
    *command: Annotated[str, Parameter(allow_leading_hyphen=True)],
    options: Options,
    serve: bool = False,
) -> int:
    """Run a command with a role's credentials in its environment, and end as it ends.

    The command finds credentials of this role and no others. They end in minutes; a program that runs longer is given
    them with --serve, on loopback, where every AWS SDK asks again by itself.

    For example:
        actas exec --role reader --as ana -- aws lambda invoke --function-name report out.json
        actas exec --role reader --serve -- python nightly.py

    Parameters
    ----------
    command:
        The command and its arguments, behind two dashes.
    serve:
        Renew them while the command runs.
    """
    import anyio

    if not command:
        raise NoCommand(found=None)
    found = options.purse()
    taken = anyio.run(found.credentials)
    if serve:
        with Endpoint(found) as endpoint:
            return _attended(command, environment(os.environ, {**endpoint.variables, **_no_files()}))
    mine = environment(os.environ, {**forms.variables(taken), **_places(found)})
    return _in_our_place(command, mine)


def environment(ours: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Give the command our environment, without any way to other credentials."""
    return {name: value for name, value in ours.items() if name not in forms.OTHER_WAYS} | dict(given)


def _places(found: Purse) -> dict[str, str]:
    return forms.places(found.wanted.control, found.public, found.region)


def _no_files() -> dict[str, str]:
    """Hide the files into which a program looks before it asks on loopback."""
    names = ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "BOTO_CONFIG")
    return dict.fromkeys(names, os.devnull)


def _in_our_place(command: tuple[str, ...], environment: Mapping[str, str]) -> NoReturn:
    # Python ignores these two, and what is ignored stays so over exec: the command would not end with its pipe.
    before = {one: signal.signal(one, signal.SIG_DFL) for one in (signal.SIGPIPE, signal.SIGXFSZ)}
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606 - running it is what was asked for
    except (OSError, ValueError) as wrong:
        raise NoCommand(found=command[0], why=getattr(wrong, "strerror", None) or "its name is malformed") from wrong
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _attended(command: tuple[str, ...], environment: Mapping[str, str]) -> int:
    """Run it beside us, pass on the signals we get, and end as it ends."""
    try:
        child = subprocess.Popen(command, env=dict(environment))  # noqa: S603 - running it is what was asked for
    except (OSError, ValueError) as wrong:
        raise NoCommand(found=command[0], why=getattr(wrong, "strerror", None) or "its name is malformed") from wrong
    passed = (signal.SIGTERM, signal.SIGHUP)
    before = {one: signal.signal(one, lambda number, _frame: child.send_signal(number)) for one in passed}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells the command itself
    try:
        code = child.wait()
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    return code if code >= 0 else 128 - code
