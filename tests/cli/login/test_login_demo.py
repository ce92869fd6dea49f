"""The people of the demo."""

import stat

import msgspec
import pytest

from actas import jose
from actas.cli.login_demo import Demo, DemoPerson, read_demo, withdraw_demo, write_demo
from actas.cli.login_errors import NoDemo, NotSignedIn, ProviderRefused, SignInsUnsafe, WrongResponse
from actas.cli.signins import stored, token_for

pytestmark = pytest.mark.anyio


@pytest.fixture
def demo(idp):
    people = {name: DemoPerson(password=person.password.reveal()) for name, person in idp.people.items()}
    return Demo(issuer=idp.issuer, client_id="cli", people=people)


@pytest.mark.parametrize("name", ["ana", "demo/ana", "ben"])
async def test_a_person_of_the_demo_has_a_token_without_a_browser(demo, idp, tmp_path, name, now):
    write_demo(tmp_path, demo)

    token = await token_for(name, tmp_path, now=lambda: now)

    keys = jose.KeySet.from_json(idp.jwks())
    claims = jose.verify_jwt(token.reveal(), keys, issuer=idp.issuer, audience="actas", now=now, algorithms=("ES256",))
    assert claims["sub"] == idp.people[name.rpartition("/")[2]].id
    assert stored(tmp_path) == ()


async def test_somebody_who_is_not_of_the_demo_is_answered_with_those_who_are(demo, tmp_path):
    write_demo(tmp_path, demo)

    with pytest.raises(NotSignedIn, match="demo/ana, demo/ben"):
        await token_for("nobody", tmp_path)


async def test_a_person_of_a_demo_that_ended_is_not_there(demo, tmp_path):
    write_demo(tmp_path, demo)
    withdraw_demo(tmp_path)

    with pytest.raises(NotSignedIn):
        await token_for("ana", tmp_path)


async def test_a_password_of_an_earlier_run_is_worth_nothing(demo, tmp_path):
    old = msgspec.structs.replace(demo, people={"ana": DemoPerson(password="earlier")})
    write_demo(tmp_path, old)

    with pytest.raises(WrongResponse, match="401"):
        await token_for("ana", tmp_path)


async def test_a_person_that_the_provider_refuses_is_refused(demo, idp, tmp_path):
    idp.faults.access_denied = True
    write_demo(tmp_path, demo)

    with pytest.raises(ProviderRefused, match="access_denied"):
        await token_for("ana", tmp_path)


@pytest.mark.parametrize(
    "issuer",
    ["https://idp.example", "http://192.0.2.1:8702", "http://127.0.0.1@evil.example", "http://localhost.example"],
)
async def test_a_password_is_sent_nowhere_but_to_this_machine(demo, tmp_path, issuer):
    write_demo(tmp_path, msgspec.structs.replace(demo, issuer=issuer))

    with pytest.raises(NoDemo, match="not on this machine"):
        await token_for("ana", tmp_path)


def test_the_file_is_readable_by_its_owner_alone(demo, tmp_path):
    write_demo(tmp_path / ".actas", demo)

    assert stat.S_IMODE((tmp_path / ".actas" / "demo.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / ".actas").stat().st_mode) == 0o700


def test_a_file_that_others_may_read_is_refused(demo, tmp_path):
    write_demo(tmp_path, demo)
    (tmp_path / "demo.json").chmod(0o644)

    with pytest.raises(SignInsUnsafe):
        read_demo(tmp_path)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"issuer": 1}', b'{"issuer":"x","client_id":"y","people":{},"z":1}'])
def test_a_file_that_is_no_demo_is_said(tmp_path, content):
    (tmp_path / "demo.json").write_bytes(content)
    (tmp_path / "demo.json").chmod(0o600)

    with pytest.raises(NoDemo):
        read_demo(tmp_path)


def test_what_was_written_is_read(demo, tmp_path):
    write_demo(tmp_path, demo)

    assert read_demo(tmp_path) == demo
    assert "password" not in repr(demo.people["ana"]).replace("DemoPerson", "")
