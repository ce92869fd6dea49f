"""What a function finds in its environment of the session it has."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from actas.invoke.local.environment import About, build
from actas.model.secret import Secret
from actas.model.session import Bearer
from actas.testing.contracts import backend as contract

ENDS = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
ABOUT = About(
    function="report", handler="report.handler", task_root="t", runtime="python", version="1",
    memory=128 * 1024 * 1024, region="eu-west-1", log_stream="s",
)  # fmt: skip
WORK = contract.delivery(b"{}").sessions.work
CLOUDS = [
    ("azure", {"ACTAS_BEARER_TOKEN", "ACTAS_BEARER_EXPIRES_AT"}),
    (
        "google",
        {
            *("ACTAS_BEARER_TOKEN", "ACTAS_BEARER_EXPIRES_AT"),
            *("CLOUDSDK_AUTH_ACCESS_TOKEN", "GOOGLE_OAUTH_ACCESS_TOKEN"),
        },
    ),
]


@pytest.mark.parametrize(("cloud", "names"), CLOUDS)
def test_a_token_for_another_cloud_is_found_where_its_tools_look(cloud, names):
    bearer = Bearer(cloud=cloud, token=Secret("the-token"), expires_at=ENDS)
    found, without = build(ABOUT, {}, replace(WORK, bearer=bearer)), build(ABOUT, {}, WORK)

    assert found.keys() - without.keys() == names
    assert {found[name] for name in names} == {"the-token", "2026-11-23T12:30:00Z"}
    assert found["AWS_ACCESS_KEY_ID"] == WORK.access_key_id


def test_the_settings_cannot_pretend_such_a_token():
    own = {"ACTAS_BEARER_TOKEN": "forged", "ACTAS_BEARER_EXPIRES_AT": "never"}

    assert build(ABOUT, own, WORK).keys() & own.keys() == set()
