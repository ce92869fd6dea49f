"""``actas saml …``: a sign-in tried without a browser, what is wrong with it, our metadata and our keys."""

from collections.abc import Callable

from cyclopts import App

from actas.cli.saml_doctor import doctor
from actas.cli.saml_dry_run import dry_run
from actas.cli.saml_ours import metadata, rotate

app = App(name="saml", help="Try a SAML sign-in, find out what is wrong with one, and show and rotate our own keys.")
COMMANDS: dict[str, Callable[..., int]] = {
    "dry-run": dry_run,
    "doctor": doctor,
    "metadata": metadata,
    "rotate": rotate,
}
for name, command in COMMANDS.items():
    app.command(command, name=name)
