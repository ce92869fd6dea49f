"""An ID token that shows nothing of its own (no nonce was asked for) is told by what it does not have."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from actas import jose
from actas.identify import Identify
from actas.identify.errors import NotAnAccessToken
from actas.model.evidence import BearerToken
from actas.model.secret import Secret
from actas.settings.schema import Provider

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = jose.Key.generate("RS256", kid="one")
ID_TOKEN = {
    "iss": "https://id.example",
    "sub": "7f0c",
    "aud": "actas",
    "iat": int(NOON.timestamp()),
    "exp": int((NOON + timedelta(minutes=5)).timestamp()),
    "auth_time": int(NOON.timestamp()),
}

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def verified(tmp_path, claims, header=None, **settings):
    keys = {"inline": {"keys": [KEY.to_json()]}}
    data = {"preset": "oidc", "issuer": "https://id.example", "audience": "actas", "keys": keys, **settings}
    provider = msgspec.convert(data, Provider, dec_hook=lambda cls, value: value if cls is object else cls.read(value))
    identify = Identify({"corp": provider}, base_dir=tmp_path)
    await identify.prefetch()
    token = jose.sign(claims, KEY, algorithm="RS256", header=header or {})
    return await identify.verify(BearerToken(shown=Secret(token)), now=NOON)


async def test_an_id_token_without_a_nonce_is_no_access_token(tmp_path):
    with pytest.raises(NotAnAccessToken):
        await verified(tmp_path, ID_TOKEN)


@pytest.mark.parametrize("mark", [{"scope": "openid"}, {"scp": ["a"]}, {"client_id": "cli"}, {"cid": "cli"}], ids=str)
async def test_the_same_with_what_access_tokens_bear_is_one(tmp_path, mark):
    assert (await verified(tmp_path, {**ID_TOKEN, **mark})).subject == "7f0c"


async def test_a_type_that_says_so_is_enough(tmp_path):
    assert (await verified(tmp_path, ID_TOKEN, {"typ": "at+jwt"})).subject == "7f0c"


async def test_whoever_sets_the_types_decides_by_them(tmp_path):
    assert (await verified(tmp_path, ID_TOKEN, typ=["JWT", ""])).subject == "7f0c"
