"""``actas iam …``: IAM policies checked, tried, explained and compared."""

from collections.abc import Callable

from cyclopts import App

from actas.cli.iam_account import what_can, who_can
from actas.cli.iam_check import check
from actas.cli.iam_compare import diff, expand
from actas.cli.iam_simulate import explain, simulate

app = App(name="iam", help="Check, try, explain and compare IAM policies, as AWS decides them.")
COMMANDS: dict[str, Callable[..., int]] = {
    "check": check,
    "simulate": simulate,
    "explain": explain,
    "expand": expand,
    "diff": diff,
    "who-can": who_can,
    "what-can": what_can,
}
for name, command in COMMANDS.items():
    app.command(command, name=name)
