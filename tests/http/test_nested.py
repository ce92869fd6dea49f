"""Functions that call functions through the gateway: whose call it is, how deep, how often, how long."""

import json
import threading

import pytest

NEST = r"""
import json, os, time, urllib.error, urllib.request

def call(function, event, token, place=None):
    asked = urllib.request.Request(
        os.environ["ACTAS_ENDPOINT"] + "/call/" + function,
        json.dumps(event).encode(),
        {"Authorization": "Bearer " + token, "X-Forwarded-For": "198.51.100.7", "Actas-Origin": "01ROOT"},
    )
    try:
        with urllib.request.urlopen(asked, timeout=20) as found:
            return {"status": found.status, "call": found.headers["Actas-Call-Id"], "answer": json.load(found)}
    except urllib.error.HTTPError as wrong:
        return {"status": wrong.code, "call": wrong.headers["Actas-Call-Id"], "answer": json.load(wrong)}

def once(event, context):
    time.sleep(event.get("first", 0))
    return call(event["function"], event.get("event", {}), event["token"])

def loop(event, context):
    return call("loop", event, event["token"])

def many(event, context):
    return [call("leaf", {}, event["token"])["status"] for _ in range(event["times"])]

def fetch(event, context):
    asked = urllib.request.Request(os.environ[event["way"]] + event["path"], headers=event["headers"])
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as wrong:
        return wrong.code

def slow(event, context):
    once(event, context)
    time.sleep(60)

def leaf(event, context):
    time.sleep(event.get("sleep", 0))
    return "leaf"
"""
NAMES = ("once", "loop", "many", "slow", "leaf", "fetch")


@pytest.fixture(scope="module")
def start(running, settings):
    def start(*, names=NAMES, **more):
        functions = {name: {"python": f"nest.py:{name}", "timeout": "20s"} for name in NAMES}
        functions["slow"]["timeout"] = "2s"
        functions["loop"]["schedule"] = {"at_once": 50}
        who = {"provider": "corp", "groups": ["finance", "security"]}
        rule = {"id": "nested", "who": who, "may": [*names], "as": "reader"}
        made = settings(functions=functions, rules=[rule, *more.pop("rules", ())], **more)
        made["gateway"]["limits"]["processes_per_subject"] = 64
        found = running(made)
        (found.folder / "nest.py").write_text(NEST)
        return found

    return start


@pytest.fixture(scope="module")
def nested(start):
    with start(limits={"depth": 3, "calls_per_root": 6}) as one:
        yield one


def answers(made, function, tokens, event, *, who="ana"):
    found = made.call(function, tokens[who], {"token": tokens[who], **event})
    assert found.status_code == 200, found.text
    return found.headers["actas-call-id"], found.json()


def decided(made, call):
    return made.trail(call)[0]


def test_the_trail_knows_whose_call_caused_another(nested, tokens):
    root, found = answers(nested, "once", tokens, {"function": "leaf"})

    first, second = decided(nested, root), decided(nested, found["call"])
    assert found["answer"] == "leaf"
    assert (first.get("root"), first.get("depth", 0)) == (None, 0)
    assert (second["root"], second["depth"]) == (root, 1)
    assert first["subject"] == second["subject"]


def test_a_call_from_outside_that_names_a_root_has_none(nested, tokens):
    found = nested.call("leaf", tokens["ana"], {}, **{"Actas-Origin": "01ROOT", "actas.origin": "01ROOT"})

    record = decided(nested, found.headers["actas-call-id"])
    assert (record.get("root"), record.get("depth", 0)) == (None, 0)


def test_a_function_that_calls_itself_is_cut(nested, tokens):
    root, found = answers(nested, "loop", tokens, {})

    depths, statuses, last = [], [], None
    while "answer" in found:
        depths.append(decided(nested, found["call"]).get("depth"))
        statuses.append(found["status"])
        last, found = found, found["answer"]
    assert depths == [1, 2, 3, 4]
    assert statuses == [200, 200, 200, 400]
    assert found["code"] == "invoke.too-deep"
    end = nested.trail(last["call"])[-1]
    assert (end["outcome"], end["error"]) == ("failed", "invoke.too-deep")
    assert decided(nested, last["call"])["root"] == root


def test_a_root_call_has_so_many_below_it_and_the_next_root_as_many_again(nested, tokens):
    for _ in range(2):
        _, found = answers(nested, "many", tokens, {"times": 8})

        assert found == [200] * 6 + [400] * 2


def test_nothing_begins_below_a_root_whose_time_is_up(nested, tokens):
    """What runs already goes on to its end, as in Lambda; what it would call then is refused."""
    inner = {"function": "leaf", "first": 4, "token": tokens["ana"]}
    found = nested.call("slow", tokens["ana"], {"token": tokens["ana"], "function": "once", "event": inner})

    assert "timed out after 2.00 seconds" in found.text
    root = found.headers["actas-call-id"]
    (middle,) = [one["call"] for one in nested.records() if one.get("root") == root and one.get("depth") == 1]
    assert nested.trail(middle)[-1]["outcome"] == "answered"
    (last,) = [one["call"] for one in nested.records() if one.get("root") == root and one.get("depth") == 2]
    assert nested.trail(last)[-1]["error"] == "invoke.root-over"


def test_a_nested_call_counts_against_its_root(start, tokens):
    limits = {"rate": {"network": 0, "subject": 1, "burst": 3}}
    with start(limits=limits) as one:
        found = one.call("many", tokens["ana"], {"token": tokens["chidi"], "times": 4})
        own = one.call("leaf", tokens["chidi"], {})

    assert found.json() == [200, 200, 429, 429]
    assert own.status_code == 200


def test_the_network_limit_of_nested_calls_is_their_roots_own(start, tokens):
    limits = {"rate": {"network": 1, "subject": 0, "burst": 3}}
    with start(limits=limits) as one:
        found = one.call("many", tokens["ana"], {"token": tokens["ana"], "times": 4}).json()
        again = one.call("many", tokens["ana"], {"token": tokens["ana"], "times": 4}).json()

    assert found == again == [200, 200, 200, 429]


def test_a_nested_call_comes_from_where_its_root_came_from_whatever_it_says_itself(start, tokens):
    """Every call out of these functions claims another address, and comes from where a declared proxy would."""
    who = {"provider": "corp", "groups": ["finance", "security"]}
    near = {"id": "near", "who": who, "may": ["leaf"], "as": "reader", "when": {"networks": ["198.51.100.0/24"]}}
    proxies = {"networks": ["127.0.0.0/8"], "header": "X-Forwarded-For"}
    event = {"token": tokens["ana"], "function": "leaf"}
    found = {}
    with start(gateway={"proxies": proxies}, names=("once",), rules=[near]) as one:
        for address in ("198.51.100.7", "8.8.8.8"):
            answer = one.call("once", tokens["ana"], event, **{"X-Forwarded-For": address})
            found[address] = answer.json()["status"]

    assert found == {"198.51.100.7": 200, "8.8.8.8": 403}


def test_a_call_in_flight_may_call_on_while_the_gateway_stops(start, tokens, waits_for):
    found = []
    with start() as one:
        asked = {"token": tokens["ana"], "function": "leaf", "first": 2}
        calling = threading.Thread(target=lambda: found.append(one.call("once", tokens["ana"], asked)))
        calling.start()
        waits_for(lambda: any(record.get("function") == "once" for record in one.records()))
        one.tell_to_stop()
        calling.join(30)

    assert (found[0].status_code, found[0].json()["answer"]) == (200, "leaf")


def test_with_a_depth_of_nothing_functions_call_none(start, tokens):
    with start(limits={"depth": 0}) as one:
        _, found = answers(one, "once", tokens, {"function": "leaf"})

    assert (found["status"], found["answer"]["code"]) == (400, "invoke.too-deep")


@pytest.mark.parametrize("path", ["/metrics", "/admin/v1/status", "/openapi.json", "/readyz", "/saml/corp/metadata"])
def test_an_administrators_function_has_no_way_to_the_control_origin(nested, tokens, path):
    """Not even with the token that opens these pages from outside."""
    headers = {"Authorization": f"Bearer {tokens['dalia']}"}

    _, status = answers(nested, "fetch", tokens, {"way": "ACTAS_STS_ENDPOINT", "path": path, "headers": headers})

    assert status == 404
    if path in ("/metrics", "/admin/v1/status"):
        assert nested.ask("GET", path, tokens["dalia"], control=True).status_code == 200


def test_a_function_without_a_token_is_a_stranger_like_any_other(nested, tokens):
    _, found = answers(nested, "once", tokens, {"function": "leaf", "token": "none"})

    assert found["status"] == 401
    assert json.dumps(found["answer"]).count("code") == 0
