"""What programs ask a provider: discovery, keys, tokens, userinfo, revocation, and the end of a session."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from actas.testing.errors import OAuthRefused
from actas.testing.idp import parameters, tokens
from actas.testing.idp.authorize import answer
from actas.testing.idp.facts import Paths, Shape
from actas.testing.idp.html import message
from actas.testing.idp.http import form, json
from actas.testing.idp.people import DEVICE_CODE
from actas.testing.idp.provider import Provider
from actas.testing.idp.shapes.oidc import profile

_MEMBERS = {
    "authorization_endpoint": "authorize",
    "token_endpoint": "token",
    "userinfo_endpoint": "userinfo",
    "device_authorization_endpoint": "device",
    "revocation_endpoint": "revoke",
    "end_session_endpoint": "end_session",
}


def discovery(provider: Provider, shape: Shape) -> dict[str, Any]:
    """Write the document of OpenID Connect Discovery 1.0, section 3 (and RFC 8414)."""
    issuer, where = provider.issuer_of(shape.name), addresses(shape.paths, provider, shape)
    found = {member: where[name] for member, name in _MEMBERS.items() if name in where}
    scopes = sorted({scope for client in provider.clients.values() for scope in client.scopes})
    said: dict[str, Any] = {
        "issuer": provider.faults.discovery_issuer or issuer,
        "jwks_uri": where["keys"],
        **found,
        "response_types_supported": ["code"] if "authorize" in where else [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [provider.keys.algorithm],
    }
    if "authorize" not in where:
        return said
    return said | {
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials", DEVICE_CODE],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "authorization_response_iss_parameter_supported": provider.faults.response_issuer != "",
        "scopes_supported": scopes,
    }


def addresses(paths: Paths, provider: Provider, shape: Shape) -> dict[str, str]:
    """Give the address of each endpoint that the shape has."""
    issuer, base = provider.issuer_of(shape.name), provider.base_of(shape.name)
    named = {name: getattr(paths, name) for name in ("keys", *_MEMBERS.values())}
    return {name: path.format(issuer=issuer, base=base) for name, path in named.items() if path}


class Endpoints:
    """Answers programs."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def discovery(self, _request: Request, shape: Shape) -> Response:
        """Say where everything is."""
        faults = self._provider.faults
        if faults.discovery_redirect is not None:
            return RedirectResponse(faults.discovery_redirect, 302)
        if faults.discovery_body is not None:
            return Response(faults.discovery_body, media_type="application/json")
        return json(discovery(self._provider, shape))

    async def keys(self, _request: Request, shape: Shape) -> Response:
        """Publish the keys."""
        if self._provider.faults.keys_body is not None:
            return Response(self._provider.faults.keys_body, media_type="application/json")
        return json(self._provider.jwks(shape.name))

    async def token(self, request: Request, shape: Shape) -> Response:
        """Give tokens for what is shown."""
        said = await form(request)
        given = tokens.exchange(
            said,
            request.headers.get("authorization"),
            shape=shape,
            clients=self._provider.clients,
            shelves=self._provider.shelves,
            minter=self._provider,
            now=self._provider.now(),
        )
        return json(given)

    async def revoke(self, request: Request, _shape: Shape) -> Response:
        """End the sign-in behind a token."""
        tokens.revoke(
            await form(request),
            request.headers.get("authorization"),
            clients=self._provider.clients,
            shelves=self._provider.shelves,
            now=self._provider.now(),
        )
        return json({})

    async def userinfo(self, request: Request, _shape: Shape) -> Response:
        """Say who the bearer of an access token is (OpenID Connect Core 1.0, section 5.3)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        now = self._provider.now()
        grant = self._provider.shelves.access.look(token, now=now)
        if scheme.lower() != "bearer" or grant is None or grant.revoked:
            return json({"error": "invalid_token"}, status=401, headers={"WWW-Authenticate": "Bearer"})
        return json({"sub": grant.person.id, **profile(self._provider.facts_of(grant, now, grant.scopes))})

    async def end_session(self, request: Request, _shape: Shape) -> Response:
        """End a sign-in and send the browser on, if the client registered where to."""
        said = parameters.read(request.scope["query_string"]) if request.method == "GET" else await form(request)
        client = self._provider.clients.get(said.get("client_id", ""))
        there = said.get("post_logout_redirect_uri")
        if there is None or client is None:
            return message("Signed out", "You can close this page.")
        if there not in client.after_sign_out:
            raise OAuthRefused(error="invalid_request", why="post_logout_redirect_uri is not registered")
        return RedirectResponse(answer(there, {"state": said.get("state")}), 303)
