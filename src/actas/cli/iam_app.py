"""``actas iam …``: IAM policies checked, tried, explained and compared; each command is imported when it is called."""

from cyclopts import App

app = App(name="iam", help="Check, try, explain and compare IAM policies, as AWS decides them.")
COMMANDS = {
    "check": "iam_check:check",
    "simulate": "iam_simulate:simulate",
    "explain": "iam_simulate:explain",
    "expand": "iam_compare:expand",
    "diff": "iam_compare:diff",
    "who-can": "iam_account:who_can",
    "what-can": "iam_account:what_can",
}
for name, place in COMMANDS.items():
    app.command(f"actas.cli.{place}", name=name)
