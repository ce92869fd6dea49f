"""What the servers are measured with: keys, 10,000 tokens of about 1.2 KB, settings, wrk's script."""

import json
from datetime import datetime, timedelta
from pathlib import Path

from actas import jose
from actas.model import clock

ISSUER, AUDIENCE = "https://bench.example/", "actas"
TOKENS, PERSONS = 10_000, 1000
GROUP = "/finance"


def claims(number: int, now: datetime) -> dict:
    return {
        "iss": ISSUER,
        "sub": f"person-{number % PERSONS:04}",
        "aud": [AUDIENCE, "account"],
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(hours=8)).timestamp()) + number // PERSONS,  # no two of a person's end together
        "jti": f"token-{number:08}",
        "typ": "Bearer",
        "azp": "cli",
        "scope": "openid profile reports.read",
        "groups": [GROUP, "/finance/analysts", "/staff", *[f"/projects/project-{one:02}" for one in range(8)]],
        "realm_access": {"roles": ["default-roles-corp", "offline_access", "uma_authorization", "clerk", "auditor"]},
        "resource_access": {"account": {"roles": ["manage-account", "manage-account-links", "view-profile"]}},
        "acr": "1",
        "amr": ["pwd", "mfa"],
        "auth_time": int(now.timestamp()) - 60,
        "sid": "0f3e6a2c-6e0f-4c0e-9a57-1d0d5c9a8b7e",
    }


def make(folder: Path, *, tokens: int = TOKENS, algorithm: str = "RS256") -> None:
    """Write keys, tokens and wrk's script into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    now = clock.now()
    key = jose.Key.generate(algorithm, kid="bench")
    public = {**key.to_json(), "alg": algorithm, "use": "sig"}
    (folder / "jwks.json").write_text(json.dumps({"keys": [public]}))
    header = {"typ": "JWT"}
    signed = [jose.sign(claims(one, now), key, algorithm=algorithm, header=header) for one in range(tokens)]
    (folder / "tokens.txt").write_text("\n".join(signed))
    (folder / "wrk.lua").write_text(LUA.replace("TOKENS", str(folder / "tokens.txt")))


PYTHON = {"python": "report.py:handler", "schedule": {"at_once": 64, "waiting": 1000}}


def http(port: int) -> dict:
    """A function that is a backend on loopback, reached by a route and by its name."""
    schedule = {"at_once": 64, "waiting": 1000}
    return {"http": f"http://127.0.0.1:{port}", "private": True, "routes": ["GET /orders/{id}"], "schedule": schedule}


def settings(folder: Path, port: int, function: dict = PYTHON) -> None:
    """Write the settings of one gateway into *folder*, which lies beside the key set."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    (folder / "report.py").write_text("def handler(event, context):\n    return {'done': True}\n")
    limits = {"rate": {"network": 0, "subject": 0, "issuer": 0}, "sessions": 20_000, "processes": 16}
    written = {
        "gateway": {"listen": f"127.0.0.1:{port}", "control_listen": f"127.0.0.1:{port + 1}", "limits": limits},
        "providers": {
            "corp": {
                "preset": "oidc",
                "issuer": ISSUER,
                "audience": AUDIENCE,
                "keys": {"file": "../jwks.json"},
                "groups": {"claim": "groups", "absent": "empty"},
            }
        },
        "functions": {"report": function},
        "roles": {"reader": {"arn": "arn:aws:iam::111122223333:role/reader"}},
        "rules": [
            {
                "id": "finance",
                "who": {"provider": "corp", "groups": [GROUP]},
                "may": ["report", *(["report:GET /orders/{id}"] if "http" in function else [])],
                "as": "reader",
            },
            {"id": "never", "who": {"provider": "corp", "groups": ["/contractors"]}, "may_not": ["report"]},
        ],
    }
    (folder / "actas.yaml").write_text(json.dumps(written))


LUA = """
local tokens = {}
for line in io.lines("TOKENS") do tokens[#tokens + 1] = line end
local many = tonumber(os.getenv("DISTINCT") or "1")
local path = os.getenv("TARGET") or "/call/report"
local method = os.getenv("METHOD") or "POST"
local requests, next_one = {}, tonumber(os.getenv("FIRST") or "0")
function init(args)
  for number = 1, many do
    local head = {["Authorization"] = "Bearer " .. tokens[number]}
    requests[number] = wrk.format(method, path, head, method == "POST" and "{}" or nil)
  end
end
function request()
  next_one = next_one % many + 1
  return requests[next_one]
end
"""
