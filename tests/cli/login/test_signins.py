"""Staying signed in: renewal, several processes, and where secrets are kept."""

import asyncio
import os
import subprocess
import sys
from datetime import timedelta

import anyio
import msgspec
import pytest

from actas import jose
from actas.cli.aws.kept import Kept as Credentials
from actas.cli.aws.sts import Taken, Wanted
from actas.cli.login import sign_in, sign_in_by_device
from actas.cli.login_errors import (
    BadName,
    KeyringRefused,
    NobodyCame,
    NotSignedIn,
    ProviderRefused,
    ProviderSilent,
    SeveralSignIns,
    SignInBusy,
    SignInEnded,
    SignInsUnsafe,
    WrongIdToken,
)
from actas.cli.login_files import locked
from actas.cli.login_provider import LoginClient
from actas.cli.signins import sign_out, stored, token_for

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)


class Clock:
    """Our time; the provider's moves with it."""

    def __init__(self, start, idp):
        self.start, self.idp = start, idp

    def __call__(self):
        return self.start + self.idp.faults.skew

    def later(self, **span):
        self.idp.faults.skew += timedelta(**span)


@pytest.fixture
def clock(now, idp):
    return Clock(now, idp)


@pytest.fixture
def signed_in(client, browser, tmp_path, clock):
    """Sign Ana in; more of what `sign_in` takes may be said."""

    async def go(name="ana", opener=browser, **more):
        settings = {"client": client, "say": lambda _text: None, "now": clock} | more
        return await sign_in(settings.pop("client"), name, tmp_path, opener=opener, **settings)

    return go


def token_id(token, idp):
    return jose.verify_jws(token.reveal(), jose.KeySet.from_json(idp.jwks()), algorithms=("ES256",)).payload


@pytest.mark.parametrize(("left", "is_same"), [(31, True), (30, False)])
async def test_a_token_is_renewed_half_a_minute_before_it_ends(signed_in, tmp_path, idp, clock, left, is_same):
    await signed_in()
    first = await token_for("ana", tmp_path, now=clock)
    clock.later(seconds=300 - left)

    second = await token_for("ana", tmp_path, now=clock)

    assert (first.reveal() == second.reveal()) is is_same


async def test_each_renewal_is_kept_so_that_the_next_one_works(signed_in, tmp_path, clock):
    await signed_in()

    tokens = set()
    for _ in range(3):
        clock.later(minutes=5)
        tokens.add((await token_for("ana", tmp_path, now=clock)).reveal())

    assert len(tokens) == 3


async def test_many_at_once_renew_once(signed_in, tmp_path, idp, clock):
    await signed_in()
    clock.later(minutes=5)
    tokens = []

    async def ask():
        tokens.append((await token_for("ana", tmp_path, now=clock)).reveal())

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(ask)

    assert len(set(tokens)) == 1


ASK = """
import sys, anyio
from datetime import datetime, timedelta
from pathlib import Path
from actas.cli.signins import token_for
then = datetime.fromisoformat(sys.argv[2])
token = anyio.run(lambda: token_for("ana", Path(sys.argv[1]), now=lambda: then))
print(token.reveal()[-20:])
"""


async def test_several_processes_renew_once(signed_in, tmp_path, clock):
    await signed_in(keep_in="file")
    clock.later(minutes=5)
    command = [sys.executable, "-c", ASK, str(tmp_path), clock().isoformat()]

    def ask():
        children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
        return [(child.communicate(timeout=60)[0], child.returncode) for child in children]

    answers = await anyio.to_thread.run_sync(ask)

    assert {code for _, code in answers} == {0}
    assert len({token for token, _ in answers}) == 1


async def test_a_sign_in_that_another_process_holds_too_long_is_said(signed_in, tmp_path, clock):
    await signed_in()
    clock.later(minutes=5)

    async with locked(tmp_path / "sign-ins" / "corp.ana.lock", name="ana"):
        with pytest.raises(SignInBusy):
            await token_for("ana", tmp_path, now=clock, limit=0.1)


async def test_a_fresh_token_is_given_without_waiting_for_anybody(signed_in, tmp_path, clock):
    await signed_in()

    async with locked(tmp_path / "sign-ins" / "corp.ana.lock", name="ana"):
        assert await token_for("ana", tmp_path, now=clock, limit=0.1)


async def test_a_sign_in_that_the_provider_ended_has_to_be_made_again(signed_in, tmp_path, idp, clock):
    await signed_in()
    for grant in idp.shelves.access:
        grant.revoked = True
    clock.later(minutes=5)

    with pytest.raises(SignInEnded, match="provider has ended it"):
        await token_for("ana", tmp_path, now=clock)


async def test_a_provider_that_is_away_ends_nothing(signed_in, tmp_path, idp, clock):
    await signed_in()
    clock.later(minutes=5)
    idp.pause()
    with pytest.raises(ProviderSilent):
        await token_for("ana", tmp_path, now=clock)

    idp.resume()

    assert await token_for("ana", tmp_path, now=clock)


async def test_a_renewal_that_names_somebody_else_is_refused(signed_in, tmp_path, idp, clock):
    await signed_in()
    for grant in idp.shelves.access:
        grant.person = idp.people["ben"]
    clock.later(minutes=5)

    with pytest.raises(WrongIdToken, match="somebody else"):
        await token_for("ana", tmp_path, now=clock)


async def test_without_a_refresh_token_the_sign_in_ends_with_its_token(
    make_actas_idp, signed_in, browser_of, tmp_path, clock, now
):
    from actas.testing.idp import LOOPBACK_REDIRECT, Client

    once = Client(id="once", redirects=(LOOPBACK_REDIRECT,), grants=frozenset({"authorization_code"}))
    other = make_actas_idp(algorithm="ES256", clients=[once], clock=lambda: now)
    client = LoginClient(provider="corp", issuer=other.issuer, client_id="once")
    about = await signed_in(client=client, opener=browser_of(other))
    clock.later(minutes=5)

    with pytest.raises(SignInEnded, match="nothing to renew"):
        await token_for("ana", tmp_path, now=clock)
    assert about.renewable is False


async def test_at_google_the_id_token_is_shown_and_renewed(make_actas_idp, signed_in, browser_of, tmp_path, clock, now):
    google = make_actas_idp(shape="google", algorithm="ES256", clock=clock)
    client = LoginClient(provider="google", issuer=google.issuer, client_id="cli", use="id")
    await signed_in(client=client, opener=browser_of(google))
    clock.later(minutes=5)

    token = await token_for("ana", tmp_path, now=clock)

    claims = msgspec.json.decode(token_id(token, google))
    assert claims["aud"] == "cli"
    assert claims["iat"] == int(clock().timestamp())


class TestNames:
    async def test_one_name_may_stand_for_sign_ins_at_two_providers(self, signed_in, client, tmp_path, clock):
        await signed_in()
        await signed_in(client=LoginClient(provider="other", issuer=client.issuer, client_id="cli"))

        with pytest.raises(SeveralSignIns, match="corp and other"):
            await token_for("ana", tmp_path, now=clock)
        assert await token_for("other/ana", tmp_path, now=clock)

    async def test_without_a_name_the_only_sign_in_is_taken(self, signed_in, tmp_path, clock):
        await signed_in()

        assert await token_for(None, tmp_path, now=clock)

    async def test_without_a_name_two_sign_ins_are_too_many(self, signed_in, tmp_path, clock):
        await signed_in()
        await signed_in(name="work")

        with pytest.raises(NotSignedIn, match="corp/ana, corp/work"):
            await token_for(None, tmp_path, now=clock)

    @pytest.mark.parametrize("name", ["nobody", None, "corp/nobody", "other/ana"])
    async def test_nobody_has_no_token(self, tmp_path, name, clock):
        with pytest.raises(NotSignedIn):
            await token_for(name, tmp_path, now=clock)

    @pytest.mark.parametrize("name", ["../ana", "Ana", "", ".", "a.b", "a" * 65, "a b", "-a", "ana\n"])
    async def test_a_name_that_could_be_a_path_is_refused(self, signed_in, tmp_path, name):
        with pytest.raises(BadName):
            await signed_in(name=name)

    async def test_a_second_sign_in_takes_the_place_of_the_first(self, signed_in, tmp_path):
        await signed_in()
        await signed_in()

        assert len(stored(tmp_path)) == 1


class TestWhereSecretsAre:
    async def test_without_a_keyring_they_are_in_the_file(self, signed_in, tmp_path):
        await signed_in()

        assert b"eyJ" in (tmp_path / "sign-ins" / "corp.ana.json").read_bytes()

    async def test_with_a_keyring_they_are_there_and_not_in_the_file(self, has_keyring, signed_in, tmp_path, clock):
        await signed_in()
        clock.later(minutes=5)

        assert await token_for("ana", tmp_path, now=clock)
        assert b"eyJ" not in (tmp_path / "sign-ins" / "corp.ana.json").read_bytes()
        assert len(has_keyring.kept) == 1

    async def test_a_file_may_be_asked_for(self, has_keyring, signed_in, tmp_path):
        await signed_in(keep_in="file")

        assert has_keyring.kept == {}

    async def test_a_keyring_that_is_asked_for_must_be_there(self, signed_in):
        with pytest.raises(KeyringRefused):
            await signed_in(keep_in="keyring")

    async def test_a_keyring_that_was_emptied_ends_the_sign_in(self, has_keyring, signed_in, tmp_path, clock):
        await signed_in()
        has_keyring.kept.clear()

        with pytest.raises(SignInEnded, match="keyring"):
            await token_for("ana", tmp_path, now=clock)

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
    async def test_a_file_that_others_may_read_is_refused(self, signed_in, tmp_path, clock, mode):
        await signed_in()
        (tmp_path / "sign-ins" / "corp.ana.json").chmod(mode)

        with pytest.raises(SignInsUnsafe, match=f"{mode:04o}"):
            await token_for("ana", tmp_path, now=clock)

    async def test_a_folder_that_others_may_enter_is_refused(self, signed_in, tmp_path, clock):
        await signed_in()
        (tmp_path / "sign-ins").chmod(0o755)

        with pytest.raises(SignInsUnsafe):
            await token_for("ana", tmp_path, now=clock)

    async def test_a_link_in_place_of_the_file_is_refused(self, signed_in, tmp_path, clock):
        await signed_in()
        file = tmp_path / "sign-ins" / "corp.ana.json"
        file.rename(tmp_path / "elsewhere.json")
        file.symlink_to(tmp_path / "elsewhere.json")

        with pytest.raises(SignInsUnsafe, match="link"):
            await token_for("ana", tmp_path, now=clock)

    async def test_a_link_in_place_of_the_folder_is_refused(self, signed_in, tmp_path):
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        (tmp_path / "sign-ins").symlink_to(tmp_path / "elsewhere")

        with pytest.raises(SignInsUnsafe):
            await signed_in()

    async def test_a_pipe_in_place_of_the_file_does_not_hang_us(self, signed_in, tmp_path, clock):
        await signed_in()
        file = tmp_path / "sign-ins" / "corp.ana.json"
        file.unlink()
        os.mkfifo(file, 0o600)

        with pytest.raises(SignInsUnsafe, match="another kind"):
            await token_for("ana", tmp_path, now=clock)

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"about": {}}', b" " * 300_000])
    async def test_a_file_that_is_no_sign_in_is_said(self, signed_in, tmp_path, clock, content):
        await signed_in()
        (tmp_path / "sign-ins" / "corp.ana.json").write_bytes(content)

        with pytest.raises(SignInsUnsafe):
            await token_for("ana", tmp_path, now=clock)

    async def test_no_half_written_file_stays_behind(self, signed_in, tmp_path, clock):
        await signed_in()
        clock.later(minutes=5)
        await token_for("ana", tmp_path, now=clock)

        names = {path.name for path in (tmp_path / "sign-ins").iterdir()}
        assert names == {"corp.ana.json", "corp.ana.lock"}

    async def test_nothing_that_is_listed_holds_a_secret(self, signed_in, tmp_path):
        await signed_in()

        assert "eyJ" not in repr(stored(tmp_path))


class TestSigningOut:
    async def test_it_forgets_the_sign_in_and_tells_the_provider(self, signed_in, tmp_path, idp):
        await signed_in()

        told = await sign_out("ana", tmp_path)

        assert told is True
        assert stored(tmp_path) == ()
        assert all(grant.revoked for grant in idp.shelves.access)

    async def test_it_works_while_the_provider_is_away(self, signed_in, tmp_path, idp):
        await signed_in()
        idp.pause()

        assert await sign_out("ana", tmp_path) is False
        assert stored(tmp_path) == ()

    async def test_it_empties_the_keyring_too(self, has_keyring, signed_in, tmp_path):
        await signed_in()

        await sign_out("ana", tmp_path)

        assert has_keyring.kept == {}

    @pytest.mark.parametrize("ends", ["by signing out", "by another's signing in under the name"])
    async def test_credentials_of_roles_end_with_it(self, signed_in, tmp_path, now, ends):
        await signed_in()
        kept, wanted = Credentials(tmp_path), Wanted(control="https://a.example", who="ana", role="r", seconds=None)
        taken = Taken(access_key_id="a", secret_access_key="s", session_token="t", taken_at=now, expires_at=now + HOUR)
        kept.put(wanted, taken)
        assert kept.get(wanted) == taken

        await (sign_out("ana", tmp_path) if ends == "by signing out" else signed_in())

        assert kept.get(wanted) is None

    async def test_nobody_cannot_sign_out(self, tmp_path):
        with pytest.raises(NotSignedIn):
            await sign_out("ana", tmp_path)


class TestByDevice:
    @pytest.fixture
    def slept(self):
        return []

    @pytest.fixture
    def go(self, client, tmp_path, idp, clock, slept):
        """Sign in by device; *answers* says what a person does during each wait."""

        async def sign(*answers):
            waiting = iter(answers)

            async def sleep(seconds):
                slept.append(seconds)
                clock.later(seconds=seconds)
                await asyncio.sleep(0)
                if act := next(waiting, None):
                    act()

            return await sign_in_by_device(client, "ana", tmp_path, say=lambda _text: None, sleep=sleep, now=clock)

        return sign

    def connect(self, idp):
        (device,) = idp.shelves.user_codes
        from actas.testing.idp.grants import Grant

        device.state = Grant(
            shape=device.shape, client=device.client, person=idp.people["ana"], scopes=device.scopes,
            resource=None, authenticated=idp.now(),
        )  # fmt: skip

    async def test_it_waits_until_somebody_connected_the_device(self, go, idp, tmp_path, slept):
        about = await go(None, None, lambda: self.connect(idp))

        assert stored(tmp_path) == (about,)
        assert slept == [5, 5, 5]

    async def test_it_slows_down_for_good_when_told_to(self, go, idp, slept):
        def hurry():
            for device in idp.shelves.devices:
                device.polled = idp.now()

        await go(hurry, None, lambda: self.connect(idp))

        assert slept == [5, 10, 10]

    async def test_a_refusal_ends_it(self, go, idp):
        def refuse():
            (device,) = idp.shelves.devices
            device.state = "denied"

        with pytest.raises(ProviderRefused, match="access_denied"):
            await go(refuse)

    async def test_codes_that_are_too_old_end_it(self, go, slept):
        with pytest.raises(NobodyCame):
            await go()

        assert sum(slept) == 600

    async def test_it_goes_on_more_slowly_while_the_provider_is_away(self, go, idp, slept):
        def back_and_connect():
            idp.resume()
            self.connect(idp)

        await go(idp.pause, back_and_connect)

        assert slept == [5, 10]


class TestLegs:
    async def test_the_address_and_the_code_are_said(self, client, tmp_path, clock, idp):
        said = []

        async def sleep(_seconds):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            await sign_in_by_device(client, "ana", tmp_path, say=said.append, sleep=sleep, now=clock)

        (device,) = idp.shelves.user_codes
        assert device.user_code in said[0]
        assert f"{idp.base_url}/device" in said[0]
