"""When the trail cannot be kept nothing runs, and it is said plainly."""

import shutil

import pytest


@pytest.fixture
def tight(running, settings, tmp_path_factory):
    made = settings()
    free = shutil.disk_usage(tmp_path_factory.getbasetemp()).free
    with running({**made, "audit": {"reserve": f"{free // 2**30 + 10_000}GB"}}) as one:
        yield one


def test_a_disk_without_room_refuses_calls_and_runs_nothing(tight, service, tokens):
    answer = tight.call("web", tokens["ana"])

    assert answer.status_code == 503
    assert answer.json()["code"] == "audit.reserve-reached"
    assert answer.json()["title"] == "The call cannot be taken now"
    assert answer.headers["retry-after"] == "5"
    assert service.heads == []


def test_the_admin_api_is_refused_as_well(tight, tokens):
    answer = tight.ask("GET", "/admin/v1/status", tokens["dalia"], control=True)

    assert answer.status_code == 503


def test_readiness_says_so_and_names_the_trouble(tight, tokens, waits_for):
    tight.call("web", tokens["ana"])

    state = tight.ask("GET", "/readyz", control=True)

    assert state.status_code == 503
    assert state.json()["audit"] == {
        "ready": False,
        "trouble": "audit.reserve-reached",
        "failing": [],
        "unpruned": None,
    }
    stranger = tight.ask("GET", "/readyz")
    assert (stranger.status_code, stranger.json()) == (503, {"ready": False})


def test_strangers_are_told_nothing_of_it(tight):
    assert tight.call("web", "abc").status_code == 401
    assert tight.ask("GET", "/healthz").status_code == 200
