"""The `actas` command. Heavy packages are imported by the command that needs them."""

import os
import sys

from actas.errors import ActasError

DONE, DENIED, ASKED_WRONGLY, CANNOT_TELL = 0, 1, 2, 3


def main() -> None:
    """Run the command and end with its exit code: 0 done or allowed, 1 denied, 2 asked wrongly, 3 could not tell."""
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while the command was still being imported
        code = CANNOT_TELL
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _nobody_listens()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run the command with *arguments*; give its exit code."""
    from cyclopts import CycloptsError

    from actas.cli.app import build

    app = build(arguments[0] if arguments else None)
    as_json = "--json" in arguments
    try:
        result = app(arguments, result_action="return_value", exit_on_error=False, print_error=False)
    except CycloptsError as wrong:
        _tell("cli.usage", str(wrong).strip(), "See 'actas --help', and 'actas COMMAND --help'.", as_json=as_json)
        return ASKED_WRONGLY
    except ActasError as wrong:
        return _failed(wrong, as_json=as_json)
    except BaseExceptionGroup as several:
        return _several(several, arguments, as_json=as_json)
    except KeyboardInterrupt:
        return _interrupted(arguments)
    except BrokenPipeError:
        _nobody_listens()
        return DONE
    return result if isinstance(result, int) else DONE


def _interrupted(arguments: list[str]) -> int:
    """Ctrl-C is how a command ends that goes on until then; any other has not come to its answer."""
    return DONE if {"up", "serve", "--follow"} & set(arguments) else CANNOT_TELL


def _nobody_listens() -> None:
    """Whoever read our output has seen enough; nothing must complain about that when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(code: str, message: str, hint: str, *, as_json: bool) -> None:
    from actas.cli.output import error_json, error_text

    print((error_json if as_json else error_text)(code, message, hint), file=sys.stderr)


def _several(group: BaseExceptionGroup[BaseException], arguments: list[str], *, as_json: bool) -> int:
    """Show what went wrong where tasks ran side by side; what we did not foresee is raised again."""
    ours, others = group.split(ActasError)
    if others is not None and others.subgroup(lambda one: not isinstance(one, KeyboardInterrupt)):
        raise group
    if ours is None:
        return _interrupted(arguments)
    first: BaseException = ours
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    assert isinstance(first, ActasError)
    return _failed(first, as_json=as_json)


def _failed(wrong: ActasError, *, as_json: bool) -> int:
    from actas.cli.errors import CliError
    from actas.settings.errors import BrokenSettings

    if isinstance(wrong, BrokenSettings):
        from actas.settings import render

        as_text = render.render(wrong.mistakes, colour=sys.stderr.isatty())
        print(render.as_json(wrong.mistakes) if as_json else as_text, end="", file=sys.stderr)
    else:
        _tell(wrong.code, str(wrong), wrong.hint, as_json=as_json)
    if isinstance(wrong, CliError):
        return wrong.exit_code
    return ASKED_WRONGLY if wrong.code.startswith(("settings.", "iam.")) else CANNOT_TELL
