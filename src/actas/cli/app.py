"""The list of commands; each is imported when it is called."""

from cyclopts import App, Group

from actas import __version__

GROUPS = {
    "Try it, set it up": {
        "up": ("up:up", "Run a whole demonstration: gateway, identity provider, functions, rules."),
        "init": ("check:init", "Write a first settings file."),
        "check": ("check:check", "Report every mistake in the settings."),
        "serve": ("serve:serve", "Run the gateway."),
        "saml": (
            "saml:app",
            "Try a SAML sign-in, find out what is wrong with one, and show and rotate our own keys.",
        ),
        "schema": ("check:schema", "Print the JSON Schema of the settings file."),
        "completion": ("completion:completion", "Print the completion script for a shell."),
    },
    "Sign in and call": {
        "login": ("login_command:login", "Sign in at an identity provider."),
        "logout": ("login_command:logout", "Forget a sign-in."),
        "call": ("call:call", "Call a function and print what it gives back."),
        "logs": ("logs:logs", "Show what functions printed."),
    },
    "Why, and what if": {
        "who": ("explain:who", "Say who a token is, step by step."),
        "explain": ("explain:explain", "Say whether somebody may call a function, why, and what it would take."),
        "roles": ("aws.roles:app", "List the roles that somebody may take, and why."),
        "test": ("scenarios:scenarios", "Try scenarios against the rules."),
        "iam": ("iam_app:app", "Check, try, explain and compare IAM policies, as AWS decides them."),
    },
    "A role for AWS's own tools": {
        "configure": ("aws.profiles:app", "Let AWS's own tools take roles through the gateway."),
        "exec": ("aws.running:run", "Run a command as a role."),
        "env": ("aws.credentials:env", "Print a role's credentials for a shell."),
        "credentials": ("aws.credentials:credentials", "Give a role's credentials as AWS's credential_process does."),
    },
    "What happened, and ending it": {
        "audit": ("audit:app", "Read the trail, prove it, and, for officers, learn whom it speaks of."),
        "events": ("events:app", "See what was heard of people, and prove that nothing is missing."),
        "trail": ("trail:app", "Compare the trail with what others wrote down."),
        "sessions": ("sessions:app", "End sessions before their time."),
    },
}
COMMANDS = {name: found for commands in GROUPS.values() for name, found in commands.items()}


def build(named: str | None = None) -> App:
    """Make the application; the command that is *named* tells its whole help, the others a line, not imported."""
    app = App(
        name="actas",
        help="Who may run which function, when, and as whom.",
        version=__version__,
        help_format="plaintext",
        suppress_keyboard_interrupt=False,  # Ctrl-C has our exit codes
    )
    app["--help"].group = app["--version"].group = Group("This command", sort_key=len(GROUPS))
    for first, (title, commands) in enumerate(GROUPS.items()):
        group = Group(title, sort_key=first)
        for second, (name, (place, told)) in enumerate(commands.items()):
            more = {} if name == named else {"help": told}
            app.command(f"actas.cli.{place}", name=name, group=group, sort_key=second, **more)
    return app


app = build()
