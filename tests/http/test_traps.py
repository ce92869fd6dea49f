"""The traps that gateways and proxies fell into, each by its name, with the request that is let pass beside it."""

import json

import pytest

SECRETS = ["authorization", "cookie", "dpop", "x-amz-security-token", "x-amz-content-sha256"]


def ask(gateway, token, *lines, path="/orders/7", method="GET"):
    fields = "".join(f"{one}\r\n" for one in lines)
    with gateway.wire() as wire:
        head = f"{method} {path} HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer {token}\r\n{fields}\r\n"
        return wire.say(head.encode("latin-1")).answer()


CLAIMS = [
    "X-Forwarded-User: admin",
    "X_Forwarded_User: admin",
    "x-forwarded_user: admin",
    "Remote-User: admin",
    "REMOTE_USER: admin",
    "X-Remote-Groups: admins",
    "Actas-Caller: forged",
    "ACTAS_CALLER: forged",
    "Actas-Subject: admin",
    "X-Amzn-Oidc-Identity: admin",
    "Client-Cert: :AAAA:",
]


@pytest.mark.parametrize("line", CLAIMS)
def test_client_sets_identity_headers(line, gateway, service, tokens):
    name, _, value = line.partition(": ")

    answer = ask(gateway, tokens["ana"], line, "X-Harmless: yes")

    assert answer.status == 200
    dashed = {key.replace("_", "-"): said for key, said in service.fields.items()}
    assert dashed.get(name.lower().replace("_", "-")) != value
    assert dashed["actas-caller"].count(".") == 2
    assert dashed["x-harmless"] == "yes"


@pytest.mark.parametrize(
    "line",
    [
        "X-Forwarded-Uri: /orders/new",
        "X-Forwarded-Method: POST",
        "X-Forwarded-Host: other.example",
        "X-Original-URL: /orders/new",
        "X-Rewrite-URL: /orders/new",
        "X-HTTP-Method-Override: DELETE",
    ],
)
def test_x_forwarded_uri_method_host_believed(line, gateway, service, tokens):
    answer = ask(gateway, tokens["ana"], line)

    assert gateway.trail(answer["actas-call-id"])[0]["route"] == "GET /orders/{id}"
    assert service.heads[-1].startswith("GET /orders/7 ")
    assert line.partition(":")[0].lower() not in service.fields


def test_allow_list_regex_sees_query_string(running, settings, service, tokens):
    made = settings()
    made["rules"] = [{**made["rules"][0], "may": "web:GET /orders/new"}]

    with running(made) as one:
        found = [
            ask(one, tokens["ana"], path=path).status
            for path in ("/orders/new", "/orders/7?/orders/new", "/orders/7?x=GET%20/orders/new", "/orders/new%0A")
        ]

    assert found == [200, 403, 403, 400]


def test_path_normalisation_differences(running, settings, service, tokens):
    made = settings()
    made["rules"].append({"id": "not-new", "who": {"provider": "corp"}, "may_not": "web:GET /orders/new"})

    with running(made) as one:
        paths = ["/orders/new", "/orders/new/", "/orders/%6eew", "/orders//new", "/orders/./new", "/x/../orders/new"]
        paths += ["/orders%2Fnew", "/orders/new;x", "/orders/new%00", "/orders/new#x", "//orders/new", "/orders/NEW"]
        found = [ask(one, tokens["ana"], path=path).status for path in paths]

    assert found == [403, 403, 403, 400, 400, 400, 400, 400, 400, 403, 400, 200]
    assert service.target == "/orders/NEW"


@pytest.mark.parametrize("agent", ["GoogleHC/1.0", "kube-probe/1.31", "ELB-HealthChecker/2.0"])
def test_health_check_bypass_by_user_agent(agent, gateway, service, tokens):
    answer = gateway.ask("GET", "/orders/7", headers={"User-Agent": agent})
    known = gateway.ask("GET", "/orders/7", tokens["ana"], headers={"User-Agent": agent})

    assert (answer.status_code, known.status_code) == (401, 200)


def test_e_mail_domain_checks(gateway, idp, tokens):
    subject = gateway.call("web", tokens["ana"])
    mail = idp.token(person="ben", email="ana@example.com", email_verified=True, preferred_username="ana")

    assert (subject.status_code, gateway.call("web", mail).status_code) == (200, 403)


@pytest.mark.parametrize("letters", ["ﬁnance", "FINANCE", "finance\u200b", "finance ", "\u212aeys"])
def test_e_mail_domain_checks_casefold(letters, gateway, idp):
    assert gateway.call("web", idp.token(person="ben", groups=[letters])).status_code == 403
    assert gateway.call("web", idp.token(person="ben", groups=["finance"])).status_code == 200


@pytest.mark.parametrize(
    "line", ["Host: other.example", "Content-Length: 0\r\nContent-Length: 1", "authorization: Bearer x"]
)
def test_request_smuggling_duplicate_headers(line, gateway, service, tokens):
    answer = ask(gateway, tokens["ana"], line)

    assert answer.status == 400
    assert service.heads == []
    assert ask(gateway, tokens["ana"], "X-Other: other.example").status == 200


def test_token_pass_through(gateway, service, tokens):
    ask(
        gateway,
        tokens["ana"],
        "Cookie: session=abc",
        "DPoP: proof",
        "X-Amz-Security-Token: abc",
        "X-Amz-Content-Sha256: abc",
        "X_Amz_Security_Token: abc",
    )

    assert not [name for name in service.fields if name.replace("_", "-") in SECRETS]
    assert tokens["ana"] not in service.heads[-1]


def test_token_pass_through_where_it_is_asked_for(running, settings, service, tokens):
    made = settings()
    made["functions"]["web"]["pass_token"] = True

    with running(made) as one:
        ask(one, tokens["ana"], "Cookie: session=abc")

    assert service.fields["authorization"] == f"Bearer {tokens['ana']}"
    assert "cookie" not in service.fields


@pytest.mark.parametrize(
    "role", ["admin", "*", "read?r", "READER", "reader ,admin", "arn:aws:iam::000000000000:role/*"]
)
def test_role_choice_by_the_client(role, gateway, service, tokens):
    refused, given = (ask(gateway, tokens["ana"], f"Actas-Role: {one}") for one in (role, "reader"))

    assert (refused.status, given.status) == (403, 200)
    assert gateway.trail(given["actas-call-id"])[0]["role"] == "reader"


@pytest.mark.parametrize("name", ["*", "web*", "we?", "${actas:function}", "web:GET /orders/new"])
def test_policy_variable_wildcard_injection(name, gateway, service, tokens):
    answer = gateway.ask("POST", f"/call/{name.replace('?', '%3F').replace('/', '%2F')}", tokens["ana"], content=b"{}")

    assert answer.status_code in (400, 404)
    assert service.heads == []
    assert gateway.call("web", tokens["ana"]).status_code == 200


def test_session_name_forging_and_log_injection(gateway, idp, service):
    alike = [idp.token(person="ana", sub=sub) for sub in ("ana@smith", "ana_smith", "ana.smith")]
    forged = idp.token(person="ana", sub='x","verdict":"allow"}\n{"call":"forged')

    calls = [gateway.call("web", token).headers["actas-call-id"] for token in alike]
    gateway.call("web", forged)

    assert len({gateway.trail(call)[0]["subject"] for call in calls}) == 3
    assert not any(record.get("call") == "forged" for record in gateway.records())


def test_authorizer_cache(running, settings, service, tokens):
    made = settings()
    made["rules"] = [{**made["rules"][0], "may": "web:GET /orders/{id}"}]

    with running(made) as one:
        found = [ask(one, tokens["ana"], path=path).status for path in ("/orders/7", "/anything", "/orders/7")]
        other = [ask(one, tokens[name]).status for name in ("ana", "ben", "ana")]

    assert (found, other) == ([200, 403, 200], [200, 403, 200])


def test_issuer_mix_up(gateway, idp, tokens):
    for issuer in (
        idp.issuer + "/",
        idp.issuer.upper(),
        idp.issuer + "/x",
        idp.issuer.replace("127.0.0.1", "localhost"),
    ):
        assert gateway.call("web", idp.token(person="ana", iss=issuer)).status_code == 401
    assert gateway.call("web", idp.token(person="ana")).status_code == 200


def test_secrets_in_logs(running, settings, service, tokens, caplog, idp):
    with running(settings()) as one:
        one.call("web", tokens["ana"], {"payload": "of ana"})
        one.call("web", tokens["ben"])
        one.call("web", "abc.def.ghi")
        assert not ask(one, tokens["ana"], path="/web/cut?mail=ana@example.com").is_whole
        one.ask("GET", "/metrics", tokens["dalia"], control=True)
        kept = b"".join(
            file.read_bytes() for file in one.folder.rglob("*") if file.is_file() and "keys" not in file.parts
        )

    said = caplog.text.encode() + kept
    for word in (*tokens.values(), "ana@example", "abc.def.ghi", "payload", tokens["ana"].rsplit(".", 1)[1]):
        assert word.encode() not in said
    assert b"/web/cut" not in said


def test_timing_oracle_of_auth_errors(gateway, idp):
    told = set()
    for token in (idp.token(person="ana", aud="other"), idp.token(person="ana", drop=("sub",)), "x.y.z", "nothing"):
        body = gateway.call("web", token).json()
        del body["call"]
        told.add(json.dumps(body))

    assert len(told) == 1


def test_claims_stringified_by_api_gateway(local, idp):
    stringified = idp.token(person="ben", groups="[finance security]")

    assert local.call("echo", stringified).status_code == 403
    assert local.call("echo", idp.token(person="ben", groups=["finance", "security"])).status_code == 200


def test_confused_deputy(gateway, service, tokens):
    ana, chidi = (ask(gateway, tokens[name]) for name in ("ana", "chidi"))

    assert ana.status == chidi.status == 200
    envelopes = [head.partition("Actas-Caller: ")[2].partition("\r\n")[0] for head in service.heads]
    assert len({one.split(".")[1] for one in envelopes}) == 2
    assert all(tokens[name] not in "".join(service.heads) for name in ("ana", "chidi"))
