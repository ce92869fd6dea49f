"""What the testing provider writes in a preset's shape, the preset believes: by discovery, over the wire."""

from functools import partial
from pathlib import Path

import anyio
import msgspec
import pytest

from actas.identify import Identify
from actas.identify.errors import IdentifyError
from actas.model import clock
from actas.model.evidence import BearerToken
from actas.model.facts import Known, Missing
from actas.model.identity import Kind
from actas.model.secret import Secret
from actas.settings.schema import Provider
from actas.testing.idp.shapes.entra import TENANT, group_id

FINANCE = frozenset({"finance", "finance/analysts"})
SETTINGS = {
    "oidc": {"audience": "actas"},
    "keycloak": {"audience": "actas"},
    "entra": {"audience": "actas", "tenant": TENANT},
    "entra-v1": {"preset": "entra", "version": "v1", "audience": "actas", "tenant": TENANT},
    "okta": {"audience": "actas"},
    "auth0": {
        "audience": "actas",
        "groups": {"claim": "https://actas.example/groups"},
        "roles": {"claim": "https://actas.example/roles"},
    },
    "cognito": {"clients": ["cli", "robot"]},
    "google": {"audience": "cli"},
    "pingone": {"audience": "actas"},
    "pingfederate": {"audience": "actas"},
    "github-actions": {"audience": "actas"},
    "kubernetes": {"audience": "actas"},
}
GROUPS = {
    "oidc": FINANCE,
    "keycloak": frozenset({"/finance", "/finance/analysts"}),
    "entra": frozenset(map(group_id, FINANCE)),
    "entra-v1": frozenset(map(group_id, FINANCE)),
    "okta": FINANCE,
    "auth0": FINANCE,
    "cognito": FINANCE,
    "pingone": FINANCE,
    "pingfederate": FINANCE,
}


@pytest.fixture
def believe(make_actas_idp):
    """Start a provider in a shape; give it, and what believes a token by the preset of that name."""

    def start(shape, **more):
        idp = make_actas_idp(shape=shape)
        said = {"preset": shape, "issuer": idp.issuer, "private": True, **SETTINGS[shape], **more}
        room = Identify({"corp": msgspec.convert(said, Provider)}, base_dir=Path(), clock=clock.now)

        def verify(token):
            return anyio.run(partial(room.verify, BearerToken(shown=Secret(token)), now=clock.now()))

        return idp, verify

    return start


@pytest.mark.parametrize("shape", sorted(SETTINGS))
def test_a_token_in_the_shape_is_believed_by_the_preset(believe, shape):
    idp, verify = believe(shape)

    identity = verify(idp.token(person="ana"))

    assert identity.issuer == idp.issuer


@pytest.mark.parametrize("shape", sorted(GROUPS))
def test_groups_are_found_where_the_shape_puts_them(believe, shape):
    idp, verify = believe(shape)

    assert verify(idp.token(person="ana")).groups == Known(GROUPS[shape])


@pytest.mark.parametrize("shape", sorted(GROUPS))
def test_people_and_programs_are_told_apart(believe, shape):
    idp, verify = believe(shape)

    assert verify(idp.token(person="ana")).kind == Known(Kind.HUMAN)
    assert verify(idp.token(client="robot")).kind == Known(Kind.SERVICE)


@pytest.mark.parametrize("shape", ["entra", "entra-v1"])
def test_more_groups_than_fit_are_overflowed(believe, shape):
    idp, verify = believe(shape)

    assert verify(idp.token(person="emi")).groups is Missing.OVERFLOWED


@pytest.mark.parametrize("shape", ["oidc", "keycloak", "entra-v1"])
def test_a_second_factor_is_seen_where_the_shape_tells_it(believe, shape):
    idp, verify = believe(shape)

    assert verify(idp.token(person="ana")).mfa == Known(value=True)
    assert verify(idp.token(person="ben")).mfa != Known(value=True)


@pytest.mark.parametrize("shape", sorted(set(GROUPS) - {"google"}))
def test_an_id_token_is_not_taken_for_an_access_token(believe, shape):
    idp, verify = believe(shape)

    with pytest.raises(IdentifyError):
        verify(idp.token(person="ana", use="id", aud="actas", nonce="n"))


@pytest.mark.parametrize("shape", ["oidc", "keycloak"])
def test_keys_roll_over_without_a_lost_token(believe, shape):
    idp, verify = believe(shape)
    before = idp.token(person="ana")
    verify(before)

    idp.rotate()

    assert verify(before).issuer == verify(idp.token(person="ana")).issuer
