"""An identity that is sealed comes out as it went in, or with less in it, and never with more."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.identify.saml_kept import Kept, fitting, identity_of, kept
from actas.model.aws_attributes import AwsAttributes, ClaimedRole
from actas.model.facts import Known, Missing
from actas.model.identity import Identity, Kind

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
SETS = st.one_of(
    st.sampled_from(Missing), st.frozensets(TEXTS, max_size=8).map(Known), st.just(Known(frozenset(), by_absence=True))
)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - it says which
AWS = st.builds(
    AwsAttributes,
    roles=st.lists(st.builds(ClaimedRole, role_arn=TEXTS, provider_arn=TEXTS), max_size=4).map(tuple),
    session_name=st.none() | TEXTS,
    duration=st.none() | st.integers(900, 43_200).map(lambda seconds: timedelta(seconds=seconds)),
    tags=st.lists(st.tuples(TEXTS, TEXTS), max_size=4).map(tuple),
    transitive_tags=st.lists(TEXTS, max_size=4).map(tuple),
    source_identity=st.none() | TEXTS,
)
IDENTITIES = st.builds(
    Identity,
    provider=st.just("ping"),
    issuer=TEXTS,
    subject=TEXTS,
    kind=st.one_of(st.sampled_from(Missing), st.sampled_from(Kind).map(Known)),
    expires_at=st.just(NOW + timedelta(minutes=5)),
    issued_at=st.none() | MOMENTS,
    evidence=st.just("saml"),
    evidence_id=TEXTS,
    tenant=st.one_of(st.sampled_from(Missing), TEXTS.map(Known)),
    groups=SETS,
    roles=SETS,
    mfa=st.one_of(st.sampled_from(Missing), st.booleans().map(Known)),
    authenticated_at=st.one_of(st.sampled_from(Missing), MOMENTS.map(Known)),
    provider_session=st.none() | TEXTS,
    address=st.none() | st.just("") | TEXTS,
    aws=st.one_of(st.sampled_from(Missing), AWS.map(Known)),
)


def again(identity, *, expires_at=None):
    content = msgspec.json.encode(kept(identity, "digest"))
    return identity_of(msgspec.json.decode(content, type=Kept), expires_at=expires_at or identity.expires_at)


@given(IDENTITIES)
def test_what_was_kept_is_what_comes_out(identity):
    assert again(identity) == identity


@given(IDENTITIES, st.integers(0, 3_000))
def test_what_does_not_fit_is_missing_and_never_cut(identity, room):
    def write(one):
        return msgspec.json.encode(kept(one, "digest")).decode()

    found = msgspec.json.decode(fitting(identity, write, room), type=Kept)
    out = identity_of(found, expires_at=identity.expires_at)

    assert out.groups in (identity.groups, Missing.OVERFLOWED)
    assert out.roles in (identity.roles, Missing.OVERFLOWED)
    assert out.aws in (identity.aws, Missing.UNKNOWN)
    assert (out.subject, out.kind, out.mfa) == (identity.subject, identity.kind, identity.mfa)
    if len(write(identity)) <= room:
        assert out == identity


@pytest.mark.parametrize("shown", [repr, str], ids=["repr", "str"])
def test_nothing_of_anybody_is_shown(shown):
    identity = Identity(
        provider="ping", issuer="i", subject="f1a9", kind=Known(Kind.HUMAN), expires_at=NOW, issued_at=NOW,
        evidence="saml", evidence_id="e", groups=Known(frozenset({"finance"})),
    )  # fmt: skip

    assert "f1a9" not in shown(kept(identity, "digest"))
    assert "finance" not in shown(kept(identity, "digest"))
