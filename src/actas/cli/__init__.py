"""The `actas` command. Heavy packages are imported by the command that needs them."""

import sys

from actas.errors import ActasError

DONE, DENIED, ASKED_WRONGLY, CANNOT_TELL = 0, 1, 2, 3


def main() -> None:
    """Run the command and end with its exit code: 0 done or allowed, 1 denied, 2 asked wrongly, 3 could not tell."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command with *arguments*; give its exit code."""
    from cyclopts import CycloptsError

    from actas.cli.app import app
    from actas.cli.output import error_text

    try:
        result = app(arguments, result_action="return_value", exit_on_error=False, print_error=False)
    except CycloptsError as wrong:
        print(error_text("cli.usage", str(wrong).strip(), "See 'actas --help' for what there is."), file=sys.stderr)
        return ASKED_WRONGLY
    except ActasError as wrong:
        return _failed(wrong)
    except BaseExceptionGroup as several:
        return _several(several)
    except KeyboardInterrupt:
        return DONE
    except BrokenPipeError:
        sys.stderr.close()
        return DONE
    return result if isinstance(result, int) else DONE


def _several(group: BaseExceptionGroup[BaseException]) -> int:
    """Show what went wrong where tasks ran side by side; what we did not foresee is raised again."""
    ours, others = group.split(ActasError)
    if others is not None and others.subgroup(lambda one: not isinstance(one, KeyboardInterrupt)):
        raise group
    if ours is None:
        return DONE
    first: BaseException = ours
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    assert isinstance(first, ActasError)
    return _failed(first)


def _failed(wrong: ActasError) -> int:
    from actas.cli.errors import CliError
    from actas.cli.output import error_text
    from actas.settings.errors import BrokenSettings

    if isinstance(wrong, BrokenSettings):
        from actas.settings.render import render

        print(render(wrong.mistakes, colour=sys.stderr.isatty()), file=sys.stderr)
    else:
        print(error_text(wrong.code, str(wrong), wrong.hint), file=sys.stderr)
    if isinstance(wrong, CliError):
        return wrong.exit_code
    return ASKED_WRONGLY if wrong.code.startswith("settings.") else CANNOT_TELL
