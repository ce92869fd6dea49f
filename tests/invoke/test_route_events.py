"""What a function that answers a route finds of its caller: nothing that proves who they are, or claims to."""

import json
from datetime import UTC, datetime

import pytest

from actas.invoke.route_events import event
from actas.model.call import Call, Route

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HELD_BACK = [
    "Authorization", "Proxy-Authorization", "Cookie", "cookie2", "DPoP", "Forwarded", "X-Real-IP", "X-Forwarded-For",
    "X_Forwarded_User", "Actas-Caller", "ACTAS_CALLER", "X-Amzn-Oidc-Data", "X-Amz-Security-Token", "Remote_User",
    "X-Remote-User", "X_Remote_Groups", "X-Forwarded-User", "Client-Cert", "X-Client-Cert", "SSL-Client-Cert", "X-User",
    "X-Auth-Request-Email", "X-Goog-IAP-JWT-Assertion", "Cf-Access-Jwt-Assertion", "True-Client-IP", "X-Original-URL",
    "X-HTTP-Method-Override", "Proxy",
]  # fmt: skip


def made(*headers, version):
    route = Route(
        template="GET /x", method="GET", path="/x", raw_path="/x", query="", headers=(("Host", "a.example"), *headers)
    )
    call = Call(id="0" * 26, function="web", payload=b"", received_at=NOW, route=route)
    found = event(
        call, route, version=version, domain_name="a.example", account_id="000000000000",
        envelope=lambda _event, _now: "envelope", now=NOW,
    )  # fmt: skip
    return json.loads(found)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("name", HELD_BACK)
def test_what_speaks_for_the_caller_does_not_reach_the_function(name, version):
    with_it, without = made((name, "marked=1"), version=version), made(version=version)

    assert with_it == without
    assert "marked" not in json.dumps(with_it)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("name", ["X-Other", "Via", "User-Agent", "X-Remote", "Client", "X-Users", "traceparent"])
def test_everything_else_does(name, version):
    assert "marked=1" in json.dumps(made((name, "marked=1"), version=version))
