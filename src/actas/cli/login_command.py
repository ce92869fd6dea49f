"""``actas login`` and ``actas logout``: sign in as a person, and forget it again."""

import os
import sys
from typing import Literal

from actas.cli import CANNOT_TELL, DONE, output
from actas.cli.errors import NoSecret, NoSuchProvider
from actas.cli.options import HERE, Where
from actas.model.secret import Secret


def login(
    name: str = "me",
    *,
    provider: str | None = None,
    client: str | None = None,
    client_secret_env: str | None = None,
    device: bool = False,
    browser: bool = True,
    in_file: bool = False,
    where: Where = HERE,
    json: bool = False,
) -> int:
    """Sign in at an identity provider and keep the sign-in under a name, for '--as NAME'.

    Opens the provider's sign-in page in a browser (authorization code with PKCE, answered on loopback); with --device
    on another device. At a SAML provider the gateway's own page does it, and the token is the gateway's. Tokens are
    kept in the system's keyring, or in files of mode 0600 where there is none.

    For example:
        actas login
        actas login ana --provider corp --client actas-cli
        actas login --device
        actas login --provider ping

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
    json:
        Print one JSON object.
    """
    import webbrowser
    from functools import partial

    import anyio

    from actas.cli import login as flows
    from actas.cli.login_saml import sign_in_by_saml
    from actas.identify.presets import SAML_PRESETS
    from actas.wiring.load import load

    place = where.here()
    usable = load(place.found(), weak=True).usable()
    found = usable.providers
    chosen = _chosen(provider, tuple(found))
    say = partial(print, file=sys.stderr)
    opener = webbrowser.open if browser else None
    keep: Literal["file"] | None = "file" if in_file else None
    if found[chosen].preset in SAML_PRESETS and not device:
        by_saml = partial(sign_in_by_saml, chosen, usable.gateway.control_url, name, place.state)
        signed_in = anyio.run(partial(by_saml, opener=opener, say=say, keep_in=keep))
    else:
        asks = flows.client_for(chosen, found[chosen], client_id=client, client_secret=_secret(client_secret_env))
        flow = partial(flows.sign_in_by_device, asks) if device else partial(flows.sign_in, asks, opener=opener)
        signed_in = anyio.run(partial(flow, name=name, state=place.state, say=say, keep_in=keep))
    told = {"signed_in": signed_in.name, "provider": signed_in.provider}
    print(output.json_line(told) if json else f"signed in at {signed_in.provider} as {signed_in.name}")
    return DONE


def _chosen(named: str | None, known: tuple[str, ...]) -> str:
    if named is None and len(known) == 1:
        return known[0]
    if named not in known:
        raise NoSuchProvider(found=named, known=known)
    return named


def _secret(variable: str | None) -> Secret | None:
    if variable is None:
        return None
    if not (found := os.environ.get(variable)):
        raise NoSecret(variable=variable)
    return Secret(found)


def logout(name: str = "me", *, browser: bool = True, where: Where = HERE, json: bool = False) -> int:
    """Forget a sign-in, and tell the provider so; a SAML provider is told by your browser.

    For example:
        actas logout ana

    Parameters
    ----------
    name:
        The sign-in's name.
    browser:
        Open a browser where one must tell the provider; --no-browser only prints the address.
    json:
        Print one JSON object.
    """
    import webbrowser
    from functools import partial

    import anyio

    from actas.cli.signins import sign_out

    opener = webbrowser.open if browser else None
    say = partial(print, file=sys.stderr)
    told = anyio.run(partial(sign_out, name, where.here().state, say=say, opener=opener))
    text = f"forgot {name}" if told else f"forgot {name}; the provider could not be told"
    print(output.json_line({"forgot": name, "provider_told": told}) if json else text)
    return DONE if told else CANNOT_TELL
