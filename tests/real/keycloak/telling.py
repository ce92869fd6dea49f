"""What a realm needs for its events to be heard, set up as an administrator would, and what it lists itself."""

from collections.abc import Callable
from datetime import datetime

import httpx
from keycloak.server import Keycloak

CLIENT, CLIENT_SECRET = "actas-events", "actas-events-secret"
HOOK_SECRET = "what-the-webhook-signs-by"
PAGE = 500


def make_client(keycloak: Keycloak) -> None:
    """Make our client, with a service account and no right at all."""
    if keycloak.admin("GET", f"/clients?clientId={CLIENT}").json():
        return
    client = {
        "clientId": CLIENT, "protocol": "openid-connect", "publicClient": False, "secret": CLIENT_SECRET,
        "standardFlowEnabled": False, "serviceAccountsEnabled": True,
    }  # fmt: skip
    keycloak.admin("POST", "/clients", client).raise_for_status()


def switch_on(keycloak: Keycloak, *, webhooks: bool) -> None:
    """Have every event saved, and posted where the extension is there, and let our client read them."""
    make_client(keycloak)
    admin = keycloak.admin
    config = admin("GET", "/events/config").json()
    on = {
        "eventsEnabled": True, "adminEventsEnabled": True, "adminEventsDetailsEnabled": True,
        "eventsListeners": ["jboss-logging", *(["ext-event-webhook"] if webhooks else [])],
        "enabledEventTypes": sorted({*config["enabledEventTypes"], "REFRESH_TOKEN"}),
    }  # fmt: skip
    admin("PUT", "/events/config", {**config, **on}).raise_for_status()
    clients = {one["clientId"]: one["id"] for one in admin("GET", "/clients").json()}
    account = admin("GET", f"/clients/{clients[CLIENT]}/service-account-user").json()["id"]
    management = clients["realm-management"]
    wanted = ("view-events", "manage-events") if webhooks else ("view-events",)
    roles = [admin("GET", f"/clients/{management}/roles/{name}").json() for name in wanted]
    admin("POST", f"/users/{account}/role-mappings/clients/{management}", roles).raise_for_status()


def hook(keycloak: Keycloak, url: str, **more: object) -> Callable[[], object]:
    """Register a webhook as the extension wants it; give what takes it away again."""
    body = {"enabled": True, "url": url, "eventTypes": ["*"], **more}
    made = httpx.post(f"{keycloak.issuer}/webhooks", headers=_ours(keycloak), json=body, timeout=20)
    assert made.status_code == 201, made.text
    return lambda: httpx.delete(made.headers["location"], headers=_ours(keycloak), timeout=20)


def _ours(keycloak: Keycloak) -> dict[str, str]:
    form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": CLIENT_SECRET}
    return {"Authorization": f"Bearer {keycloak.token(**form)['access_token']}"}


def cheap_passwords(keycloak: Keycloak, people: tuple[str, ...]) -> None:
    """Let the realm hash passwords as cheaply as it can be set to, and set those of *people* anew."""
    policy = {"passwordPolicy": "hashAlgorithm(pbkdf2-sha256) and hashIterations(1)"}
    keycloak.admin("PUT", "", policy).raise_for_status()
    for name in people:
        body = {"type": "password", "value": f"{name}-pw", "temporary": False}
        keycloak.admin("PUT", f"/users/{keycloak.person(name)}/reset-password", body).raise_for_status()


def listed(keycloak: Keycloak, *types: str, since: datetime) -> dict[str, dict[str, object]]:
    """Give the user events that Keycloak lists, by id: asked page by page, with nothing of ours."""
    found: dict[str, dict[str, object]] = {}
    first, wanted = 0, "".join(f"&type={one}" for one in types)
    begin = int(since.timestamp() * 1000)
    while True:
        rows = keycloak.admin("GET", f"/events?dateFrom={begin}&direction=asc&first={first}&max={PAGE}{wanted}").json()
        found |= {row["id"]: row for row in rows}
        first += len(rows)
        if len(rows) < PAGE:
            return found
