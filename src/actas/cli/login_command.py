"""``actas login`` and ``actas logout``: sign in as a person, and forget it again."""

import os
import sys
from pathlib import Path
from typing import Literal

from actas.cli import CANNOT_TELL, DONE
from actas.cli.errors import NoSuchProvider


def login(
    name: str = "me",
    *,
    provider: str | None = None,
    client: str | None = None,
    client_secret_env: str | None = None,
    device: bool = False,
    browser: bool = True,
    in_file: bool = False,
    settings: Path | None = None,
    state: Path = Path(".actas"),
) -> int:
    """Sign in at an identity provider and keep the sign-in under a name, for '--as NAME'.

    Opens the provider's sign-in page in a browser (authorization code with PKCE, answered on loopback); with --device
    on another device. Tokens are kept in the system's keyring, or in files of mode 0600 where there is none.

    Examples:
        actas login
        actas login ana --provider corp --client actas-cli
        actas login --device

    Parameters
    ----------
    name:
        What to call the sign-in.
    provider:
        The provider's name in the settings; may be left out where there is one.
    client:
        The client id to sign in with; may be left out where the settings name exactly one.
    client_secret_env:
        The environment variable that holds the client's secret, for a confidential client.
    device:
        Sign in on another device.
    browser:
        Open a browser; --no-browser only prints the address.
    in_file:
        Keep the tokens in files even where there is a keyring.
    settings:
        The settings file; by default that of the gateway that runs here, else actas.yaml.
    state:
        The folder where sign-ins are listed.
    """
    import webbrowser
    from functools import partial

    import anyio

    from actas.cli import login as flows
    from actas.cli.asking import settings_file
    from actas.model.secret import Secret
    from actas.wiring.load import load

    found = load(settings_file(settings, state), weak=True).usable().providers
    chosen = provider if provider is not None else next(iter(found), None) if len(found) == 1 else None
    if chosen is None or chosen not in found:
        raise NoSuchProvider(found=provider, known=tuple(found))
    secret = os.environ.get(client_secret_env) if client_secret_env else None
    asks = flows.client_for(
        chosen, found[chosen], client_id=client, client_secret=None if secret is None else Secret(secret)
    )
    say = partial(print, file=sys.stderr)
    keep: Literal["file"] | None = "file" if in_file else None
    if device:
        signed_in = anyio.run(partial(flows.sign_in_by_device, asks, name, state, say=say, keep_in=keep))
    else:
        opener = webbrowser.open if browser else None
        signed_in = anyio.run(partial(flows.sign_in, asks, name, state, opener=opener, say=say, keep_in=keep))
    print(f"signed in at {signed_in.provider} as {signed_in.name}")
    return DONE


def logout(name: str = "me", *, state: Path = Path(".actas")) -> int:
    """Forget a sign-in, and tell the provider so.

    Example:
        actas logout ana

    Parameters
    ----------
    name:
        The sign-in's name.
    state:
        The folder where sign-ins are listed.
    """
    import anyio

    from actas.cli.signins import sign_out

    told = anyio.run(sign_out, name, state)
    print(f"forgot {name}" if told else f"forgot {name}; the provider could not be told")
    return DONE if told else CANNOT_TELL
