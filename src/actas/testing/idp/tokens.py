"""The token endpoint: what is shown, and what is given for it."""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import unquote_plus

from actas.testing.errors import OAuthRefused
from actas.testing.idp import parameters
from actas.testing.idp.authorize import is_answered
from actas.testing.idp.authorize import scopes as read_scopes
from actas.testing.idp.facts import Shape
from actas.testing.idp.grants import REFRESH_LIFE, Device, Grant, Refresh, Shelves
from actas.testing.idp.people import DEVICE_CODE, Client

Answer = dict[str, Any]


class Minter(Protocol):
    """Makes the tokens that an answer holds."""

    def for_person(self, grant: Grant, scopes: tuple[str, ...], now: datetime) -> Answer:
        """Make the access token and, with ``openid``, the ID token."""
        ...

    def for_program(
        self, shape: Shape, client: Client, scopes: tuple[str, ...], resource: str | None, now: datetime
    ) -> Answer:
        """Make an access token for the client itself."""
        ...


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise OAuthRefused(error="invalid_client", why="only Basic client authentication is known", status=401)
    try:
        name, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # of base64 and of UTF-8
        colon = name = secret = ""
    if not colon:
        raise OAuthRefused(error="invalid_client", why="the client's credentials cannot be read", status=401)
    return unquote_plus(name), unquote_plus(secret)  # RFC 6749, section 2.3.1


def client_of(authorization: str | None, form: Mapping[str, str], clients: Mapping[str, Client]) -> Client:
    """Find the client and make it prove itself, in one way only (RFC 6749, section 2.3)."""
    name, secret = form.get("client_id", ""), form.get("client_secret")
    if authorization is not None:
        basic_name, basic_secret = _basic(authorization)
        if secret is not None or name not in ("", basic_name):
            raise OAuthRefused(error="invalid_request", why="the client authenticates in two ways at once")
        name, secret = basic_name, basic_secret
    client = clients.get(name)
    if client is None or not _proves_itself(client, secret):
        raise OAuthRefused(error="invalid_client", why="the client is not known or did not prove itself", status=401)
    return client


def _proves_itself(client: Client, secret: str | None) -> bool:
    if client.secret is None:
        return secret is None
    return secret is not None and client.secret.matches(secret)


def _from_code(form: Mapping[str, str], client: Client, shelves: Shelves, minter: Minter, now: datetime) -> Answer:
    code = shelves.codes.look(parameters.need(form, "code"), now=now)
    if code is None or code.grant.client.id != client.id:
        raise OAuthRefused(error="invalid_grant", why="the code is not known, too old, or another client's")
    if code.used:  # RFC 6749, section 4.1.2: somebody has it who should not; end what came of it
        code.grant.revoked = True
        raise OAuthRefused(error="invalid_grant", why="the code was used before")
    code.used = True
    if form.get("redirect_uri") != code.redirect:
        raise OAuthRefused(error="invalid_grant", why="redirect_uri is not the one the code was sent to")
    if not is_answered(code.challenge, form):
        raise OAuthRefused(error="invalid_grant", why="code_verifier does not answer the code's challenge")
    return _renewable(code.grant, code.grant.scopes, shelves, minter, now)


def _renewable(grant: Grant, scopes: tuple[str, ...], shelves: Shelves, minter: Minter, now: datetime) -> Answer:
    answer = minter.for_person(grant, scopes, now)
    shelves.access.put(grant, until=now + REFRESH_LIFE, handle=answer["access_token"])
    if "refresh_token" in grant.client.grants:
        answer["refresh_token"] = shelves.refreshes.put(Refresh(grant=grant), until=now + REFRESH_LIFE)
    return answer


def _from_refresh(form: Mapping[str, str], client: Client, shelves: Shelves, minter: Minter, now: datetime) -> Answer:
    refresh = shelves.refreshes.look(parameters.need(form, "refresh_token"), now=now)
    if refresh is None or refresh.grant.client.id != client.id or refresh.grant.revoked:
        raise OAuthRefused(error="invalid_grant", why="the refresh token is not known, ended, or another client's")
    if refresh.used:
        refresh.grant.revoked = True
        raise OAuthRefused(error="invalid_grant", why="the refresh token was used before; the sign-in has ended")
    asked = tuple(form["scope"].split(" ")) if "scope" in form else refresh.grant.scopes
    if not set(asked) <= set(refresh.grant.scopes):  # RFC 6749, section 6: never more than was granted
        raise OAuthRefused(error="invalid_scope", why="more scopes are asked for than were granted")
    refresh.used = True
    return _renewable(refresh.grant, asked, shelves, minter, now)


def _from_device(form: Mapping[str, str], client: Client, shelves: Shelves, minter: Minter, now: datetime) -> Answer:
    device = shelves.devices.look(parameters.need(form, "device_code"), now=now)
    if device is None or device.client.id != client.id:
        raise OAuthRefused(error="expired_token", why="the device code is not known or too old")
    if device.challenge is not None and not is_answered(device.challenge, form):
        raise OAuthRefused(error="invalid_grant", why="code_verifier does not answer the device's challenge")
    polled, device.polled = device.polled, now
    if polled is not None and now - polled < device.interval:  # RFC 8628, section 3.5
        device.interval += timedelta(seconds=5)
        raise OAuthRefused(error="slow_down", why="the device asks more often than it may")
    return _of_state(device, shelves, minter, now)


def _of_state(device: Device, shelves: Shelves, minter: Minter, now: datetime) -> Answer:
    match device.state:
        case "pending":
            raise OAuthRefused(error="authorization_pending", why="nobody has signed in yet")
        case "denied":
            raise OAuthRefused(error="access_denied", why="the person said no")
        case "used":
            raise OAuthRefused(error="invalid_grant", why="the device code was used before")
        case Grant() as grant:
            device.state = "used"
            return _renewable(grant, grant.scopes, shelves, minter, now)


def exchange(
    form: Mapping[str, str], authorization: str | None, *, shape: Shape, clients: Mapping[str, Client],
    shelves: Shelves, minter: Minter, now: datetime,
) -> Answer:  # fmt: skip
    """Answer one token request."""
    client = client_of(authorization, form, clients)
    grant_type = parameters.need(form, "grant_type")
    if grant_type not in client.grants:
        known = grant_type in {"authorization_code", "refresh_token", "client_credentials", DEVICE_CODE}
        error = "unauthorized_client" if known else "unsupported_grant_type"
        raise OAuthRefused(error=error, why="this client may not use this grant type")
    match grant_type:
        case "authorization_code":
            return _from_code(form, client, shelves, minter, now)
        case "refresh_token":
            return _from_refresh(form, client, shelves, minter, now)
        case "client_credentials":
            if client.secret is None:  # RFC 6749, section 4.4: confidential clients only
                raise OAuthRefused(error="unauthorized_client", why="a public client cannot act for itself")
            resource = form.get("resource") or form.get("audience")
            return minter.for_program(shape, client, read_scopes(form, client), resource, now)
        case _:
            return _from_device(form, client, shelves, minter, now)


def revoke(form: Mapping[str, str], authorization: str | None, *, clients: Mapping[str, Client], shelves: Shelves,
           now: datetime) -> None:  # fmt: skip
    """End the grant behind a token; an unknown token is no error (RFC 7009, section 2.2)."""
    client = client_of(authorization, form, clients)
    token = parameters.need(form, "token")
    refresh = shelves.refreshes.look(token, now=now)
    grant = refresh.grant if refresh else shelves.access.look(token, now=now)
    if grant is not None and grant.client.id != client.id:
        raise OAuthRefused(error="invalid_grant", why="the token is another client's")
    if grant is not None:
        grant.revoked = True
