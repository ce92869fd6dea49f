"""How often one may call: by network before anything is verified, by caller after it; and who may speak for whom."""

import pytest

FEW = {"rate": {"network": 1, "subject": 0, "burst": 3}}


def test_a_network_that_calls_too_often_waits_before_anything_is_verified(running, settings, service, tokens):
    with running(settings(limits=FEW)) as one:
        answers = [one.call("web", token) for token in (tokens["ana"], None, "abc", tokens["ana"])]
        admin = one.ask("GET", "/metrics", tokens["dalia"], control=True)
        health = one.ask("GET", "/healthz")

    assert [answer.status_code for answer in answers] == [200, 401, 401, 429]
    assert answers[-1].json()["code"] == "http.too-many-calls"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert "www-authenticate" not in answers[-1].headers
    assert (admin.status_code, health.status_code) == (429, 200)
    assert len(service.heads) == 1


def test_a_caller_who_calls_too_often_waits_and_others_do_not(running, settings, service, tokens):
    with running(settings(limits={"rate": {"network": 0, "subject": 1, "burst": 2}})) as one:
        ana = [one.call("web", tokens["ana"]).status_code for _ in range(4)]
        chidi = one.call("web", tokens["chidi"]).status_code

    assert (ana, chidi) == ([200, 200, 429, 429], 200)
    assert len(service.heads) == 3


def test_an_issuer_whose_callers_call_too_often_waits(running, settings, tokens):
    with running(settings(limits={"rate": {"network": 0, "subject": 0, "issuer": 1, "burst": 2}})) as one:
        found = [one.call("web", tokens[name]).status_code for name in ("ana", "chidi", "ana")]

    assert found == [200, 200, 429]


@pytest.mark.parametrize(
    ("header", "line"),
    [("X-Forwarded-For", "{}"), ("Forwarded", "for={}")],
)
def test_behind_a_declared_proxy_each_client_has_limits_and_rules_of_its_own(
    header, line, running, settings, service, tokens
):
    near = {"id": "near", "who": {"groups": ["finance"], "provider": "corp"}, "may_not": "web"}
    made = settings(
        limits={"rate": {"network": 1, "subject": 0, "burst": 2}},
        gateway={"proxies": {"networks": ["127.0.0.0/8"], "header": header}},
        rules=[{**near, "when": {"networks": ["203.0.113.0/24"]}}],
    )

    def call(one, *clients):
        said = ", ".join(line.format(client) for client in clients)
        return one.call("web", tokens["ana"], **{header: said}).status_code

    with running(made) as one:
        assert call(one, "203.0.113.7") == 403
        assert call(one, "198.51.100.1") == 200
        assert call(one, "198.51.100.1", "203.0.113.7") == 403
        assert call(one, "203.0.113.7", "198.51.100.1") == 200
        assert call(one, "192.0.2.1", "198.51.100.1") == 429
        assert call(one, "198.51.100.2") == 200
        forwarded = service.fields.get("x-forwarded-for")

    assert forwarded == "198.51.100.2"


def test_without_a_declared_proxy_nobody_speaks_for_the_client(running, settings, service, tokens):
    near = {"id": "near", "who": {"groups": ["finance"], "provider": "corp"}, "may": "web"}
    made = settings(rules=[{**near, "when": {"networks": ["203.0.113.0/24"]}}])
    made["rules"] = made["rules"][1:]

    with running(made) as one:
        found = [
            one.call("web", tokens["ana"], **headers).status_code
            for headers in ({}, {"X-Forwarded-For": "203.0.113.7"}, {"Forwarded": "for=203.0.113.7"})
        ]

    assert found == [403, 403, 403]
    assert service.heads == []


def test_in_observe_mode_nobody_is_refused_and_all_is_said(running, settings, service, tokens):
    made = settings(mode="observe")
    made["functions"]["web"]["own_authorization"] = True

    with running(made) as one:
        answer = one.call("web", tokens["ben"])
        stranger = one.call("web", "abc")
        state = one.ask("GET", "/readyz", control=True).json()
        text = one.ask("GET", "/metrics", tokens["dalia"], control=True).text
        trail = one.trail(answer.headers["actas-call-id"])

    assert (answer.status_code, stranger.status_code) == (200, 401)
    assert trail[0]["verdict"] == "observe"
    assert state["mode"] == "observe"
    assert "actas_observing 1.0" in text
