"""The peer in C++: settings for Envoy that verify the same tokens and look for the same group, in four listeners.

``direct`` answers by itself without a look at the token; ``verified`` after jwt_authn and RBAC; ``cached`` is the
same with Envoy's token cache, large enough for every token; ``/orders`` is proxied to the backend by each.
"""

import json
from pathlib import Path

EXTENSIONS = "type.googleapis.com/envoy.extensions.filters"
ANSWER = '{"done":true}'


def write(folder: Path, *, direct: int, verified: int, cached: int, backend: int, issuer: str, audience: str) -> Path:
    """Write Envoy's settings into *folder*; the others are ports, the issuer and the audience."""
    provider = {
        "issuer": issuer,
        "audiences": [audience],
        "local_jwks": {"filename": str(folder / "jwks.json")},
        "payload_in_metadata": "payload",
        "forward": True,
    }
    cache = {"jwt_cache_config": {"jwt_cache_size": 20_000, "jwt_max_token_size": 4096}}
    rules = [_jwt(provider), _rbac()]
    listeners = [
        _listener(direct, []),
        _listener(verified, rules),
        _listener(cached, [_jwt({**provider, **cache}), _rbac()]),
    ]
    address = {"socket_address": {"address": "127.0.0.1", "port_value": backend}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    cluster = {
        "name": "backend",
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": "backend", "endpoints": endpoints},
    }
    path = folder / "envoy.json"
    path.write_text(json.dumps({"static_resources": {"listeners": listeners, "clusters": [cluster]}}))
    return path


def _listener(port: int, filters: list[dict]) -> dict:
    routes = [
        {"match": {"prefix": "/orders"}, "route": {"cluster": "backend"}},
        {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": ANSWER}}},
    ]
    router = _filter("router", "router.v3.Router", {})
    manager = {
        "@type": f"{EXTENSIONS}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": f"p{port}",
        "codec_type": "HTTP1",
        "generate_request_id": False,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [*filters, router],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {"name": f"p{port}", "address": address, "filter_chains": [chain]}


def _filter(name: str, kind: str, config: dict) -> dict:
    return {"name": f"envoy.filters.http.{name}", "typed_config": {"@type": f"{EXTENSIONS}.http.{kind}", **config}}


def _jwt(provider: dict) -> dict:
    rule = {"match": {"prefix": "/"}, "requires": {"provider_name": "corp"}}
    return _filter("jwt_authn", "jwt_authn.v3.JwtAuthentication", {"providers": {"corp": provider}, "rules": [rule]})


def _rbac() -> dict:
    listed = {"list_match": {"one_of": {"string_match": {"exact": "/finance"}}}}
    path = [{"key": "payload"}, {"key": "groups"}]
    principal = {"metadata": {"filter": "envoy.filters.http.jwt_authn", "path": path, "value": listed}}
    anywhere = {"url_path": {"path": {"prefix": "/"}}}
    policy = {"permissions": [anywhere], "principals": [principal]}
    return _filter("rbac", "rbac.v3.RBAC", {"rules": {"action": "ALLOW", "policies": {"finance": policy}}})
