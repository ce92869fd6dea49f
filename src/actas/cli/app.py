"""The list of commands; each is imported when it is called."""

from cyclopts import App

from actas import __version__

app = App(
    name="actas",
    help="Who may run which function, when, and as whom.",
    version=__version__,
    help_format="plaintext",
)
app.command("actas.cli.up:up")
app.command("actas.cli.serve:serve")
app.command("actas.cli.call:call")
