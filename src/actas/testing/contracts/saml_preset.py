"""What every preset of a SAML provider promises, as tests to inherit.

::

    class TestMine(SamlPresetContract):
        preset = "acme-saml"
        subject = "f1a9"
        attributes = {"groups": ("finance",), "roles": ("reader",)}

Assertions are signed by a real key that the metadata names; nothing is fetched.
"""

# ruff: noqa: D102 - a test's name is its sentence

import tempfile
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import anyio
import msgspec
import pytest

from actas.identify import Identify
from actas.identify.errors import IdentifyError
from actas.identify.presets import SAML_PRESETS
from actas.identify.saml_edges import SamlEdges
from actas.identify.saml_errors import AssertionUsed, NoStableName, SamlRefused
from actas.identify.saml_preset import FORMATS, NAME_ID, PERSISTENT
from actas.identify.saml_profile import Doors
from actas.model.evidence import SamlResponse
from actas.model.facts import Known, Missing
from actas.model.identity import Identity, Kind
from actas.model.replays import Replays
from actas.model.secret import Secret
from actas.settings.schema import Provider
from actas.store.replays import MemoryReplays
from actas.testing.saml_idp import Said, SamlIdp

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
CONTROL = "https://actas.example"
DOORS = Doors.of(CONTROL, "subject")


class SamlPresetContract:
    """An assertion in the provider's shape is believed, and what says less is not taken for more."""

    preset: ClassVar[str]
    settings: ClassVar[dict[str, Any]] = {}
    """Keys of the provider in the settings, beside preset and metadata."""
    subject: ClassVar[str] = "f1a9-2b"
    name_id: ClassVar[str] = "f1a9-2b"
    name_id_format: ClassVar[str] = PERSISTENT
    attributes: ClassVar[Mapping[str, tuple[str, ...]]]
    """What an assertion of the provider says of somebody in ``finance`` and ``hr`` with the role ``reader``."""
    two_factors: ClassVar[Mapping[str, tuple[str, ...]] | str] = "https://refeds.org/profile/mfa"
    """The authentication context, or the attributes, by which the provider says that there were two factors."""

    @pytest.fixture(autouse=True)
    def _provider(self) -> None:
        self.idp = SamlIdp()
        self.replays: Replays = MemoryReplays(lambda: NOW)

    def said(self, **changes: Any) -> Said:
        plain = Said(
            subject=self.name_id,
            subject_format=self.name_id_format,
            recipient=DOORS.acs,
            audience=DOORS.metadata,
            answers="_q1",
            attributes=self.attributes,
        )
        return replace(plain, **changes)

    def believe(self, xml: bytes, *, now: datetime = NOW, **settings: Any) -> Identity:
        """Believe *xml* by the preset."""
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "idp.xml").write_bytes(self.idp.metadata())
            whole = {"preset": self.preset, "metadata": "idp.xml"} | self.settings | settings
            edges = SamlEdges(control_url=CONTROL, replays=self._kept)
            provider = msgspec.convert(whole, Provider, strict=False)
            room = Identify({"subject": provider}, base_dir=Path(folder), saml=edges, clock=lambda: now)
            shown = Secret(b64encode(xml).decode())
            evidence = SamlResponse(shown=shown, provider="subject", recipient=DOORS.acs, answers="_q1")
            return anyio.run(partial(room.verify, evidence, now=now))

    async def _kept(self) -> Replays:
        return self.replays

    def test_an_assertion_in_the_providers_shape_is_believed(self) -> None:
        identity = self.believe(self.idp.response(self.said(), now=NOW))

        assert (identity.provider, identity.issuer, identity.subject) == ("subject", self.idp.entity_id, self.subject)
        assert identity.groups == Known(frozenset({"finance", "hr"}))
        assert identity.roles == Known(frozenset({"reader"}))
        assert identity.kind == Known(Kind.HUMAN)
        assert (identity.evidence, identity.provider_session) == ("saml", "s1")
        assert identity.expires_at == NOW + timedelta(minutes=5)

    def test_what_the_assertion_does_not_say_is_not_known(self) -> None:
        preset = SAML_PRESETS[self.preset]
        lists = {*preset.groups.paths, *preset.roles.paths}
        fewer = {name: values for name, values in self.attributes.items() if name not in lists}

        silent = self.believe(self.idp.response(self.said(attributes=fewer), now=NOW))
        empty = dict.fromkeys((*preset.groups.paths[:1], *preset.roles.paths[:1]), ())
        none = self.believe(self.idp.response(self.said(attributes={**fewer, **empty}), now=NOW))

        assert silent.groups is silent.roles is Missing.ABSENT
        assert none.groups == none.roles == Known(frozenset())

    def test_silence_means_what_the_settings_say(self) -> None:
        preset = SAML_PRESETS[self.preset]
        fewer = {name: values for name, values in self.attributes.items() if name not in preset.groups.paths}

        identity = self.believe(self.idp.response(self.said(attributes=fewer), now=NOW), groups={"absent": "empty"})

        assert identity.groups == Known(frozenset(), by_absence=True)

    def test_a_second_factor_is_known_where_the_provider_says_so(self) -> None:
        plain = self.believe(self.idp.response(self.said(), now=NOW))
        said = self.two_factors
        changes = {"context": said} if isinstance(said, str) else {"attributes": {**self.attributes, **said}}

        strong = self.believe(self.idp.response(self.said(**changes), now=NOW))

        assert strong.mfa == Known(True)
        assert plain.mfa == Known(False)  # the plain one says that a password was all there was

    def test_nobody_is_named_by_what_can_change_hands(self) -> None:
        preset = SAML_PRESETS[self.preset]
        if preset.subject == NAME_ID and "subject" not in self.settings and "name_id" not in self.settings:
            changed = self.said(subject="ana@people.example", subject_format=FORMATS["email"])
        else:
            gone = {name: values for name, values in self.attributes.items() if values != (self.subject,)}
            changed = self.said(subject=None, attributes=gone)

        with pytest.raises(NoStableName):
            self.believe(self.idp.response(changed, now=NOW))

    def test_a_key_that_the_metadata_does_not_name_signs_nothing(self) -> None:
        stranger = SamlIdp(key_name="stranger")

        with pytest.raises(SamlRefused):
            self.believe(stranger.response(self.said(), now=NOW))

    @pytest.mark.parametrize(
        "change",
        [
            {"audience": "https://another.example/"},
            {"recipient": "https://actas.example/saml/another/acs"},
            {"answers": "_q2"},
            {"answers": None},
            {"signed": "nothing"},
        ],
        ids=[
            "meant for somebody else",
            "for another door",
            "an answer to another question",
            "an answer to no question",
            "signed by nobody",
        ],
    )
    def test_an_assertion_is_refused_that_is(self, change: dict[str, Any]) -> None:
        with pytest.raises(IdentifyError):
            self.believe(self.idp.response(self.said(**change), now=NOW))

    def test_an_assertion_that_ended_a_leeway_ago_is_refused(self) -> None:
        document = self.idp.response(self.said(), now=NOW)
        last = NOW + timedelta(minutes=5, seconds=60)

        assert self.believe(document, now=last - timedelta(seconds=1)).subject == self.subject
        with pytest.raises(SamlRefused):
            self.believe(self.idp.response(self.said(), now=NOW), now=last)

    def test_an_assertion_counts_once(self) -> None:
        document = self.idp.response(self.said(), now=NOW)
        self.believe(document)

        with pytest.raises(AssertionUsed):
            self.believe(document)
