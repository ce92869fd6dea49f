"""What every preset of an identity provider promises, as tests to inherit.

::

    class TestMine(PresetContract):
        preset = "acme"
        settings = {"issuer": "https://id.example.com", "audience": "actas"}
        subject = "ana"

        def person(self):
            return {"iss": "https://id.example.com", "aud": "actas", "sub": "ana", ...}

Tokens are signed by a key that the contract makes and gives to the provider inline; nothing is fetched.
"""

# ruff: noqa: D102 - a test's name is its sentence

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any, ClassVar

import anyio
import msgspec
import pytest

from actas import jose
from actas.identify import Identify, errors
from actas.identify.presets import PRESETS
from actas.model.evidence import BearerToken
from actas.model.facts import Known
from actas.model.identity import Identity, Kind
from actas.model.secret import Secret
from actas.settings.schema import KeySource, Provider

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
"""When the contract's tokens are issued and shown."""
Trap = tuple[str, dict[str, Any], dict[str, Any], type[errors.IdentifyError]]
"""A sentence, what is changed in the claims (None takes a claim out) and in the header, and the refusal."""


@cache
def _key(algorithm: str, kid: str) -> jose.Key:
    return jose.Key.generate(algorithm, kid=kid)


@cache
def _forged() -> jose.Key:
    """Make a key that goes by the published key's name."""
    return jose.Key.from_json(_key("RS256", "unpublished").to_json(private=True) | {"kid": "published"})


class PresetContract:
    """A token in the provider's shape is believed, and the provider's traps are refused."""

    preset: ClassVar[str]
    settings: ClassVar[dict[str, Any]]
    """Keys of the provider in the settings, beside preset and keys."""
    subject: ClassVar[str]
    """Whom the person's token names."""
    header: ClassVar[dict[str, Any]] = {"typ": "JWT"}
    absent: ClassVar[tuple[str, ...]] = ("groups",)
    """Facts that are not known when the person's token lacks their claims."""

    def person(self) -> dict[str, Any]:
        """Give the claims of a person's token, but for its times."""
        raise NotImplementedError

    def program(self) -> dict[str, Any] | None:
        """Give the claims of the token of a program that calls for itself, if the provider has such."""
        return None

    def traps(self) -> Iterable[Trap]:
        """Give the provider's own traps."""
        return ()

    def sign(self, claims: dict[str, Any], *, header: dict[str, Any] | None = None, key: jose.Key | None = None) -> str:
        """Sign *claims* as the provider would; None takes a claim out."""
        at = int(NOW.timestamp())
        whole = {"iat": at, "exp": at + 600} | claims
        kept = {name: value for name, value in whole.items() if value is not None}
        merged = self.header | (header or {})
        shown = {name: value for name, value in merged.items() if value is not None}
        return jose.sign(kept, key or _key("RS256", "published"), algorithm="RS256", header=shown)

    def believe(self, token: str, *, now: datetime = NOW, **settings: Any) -> Identity:
        """Verify *token* by the preset."""
        whole = {"preset": self.preset} | self.settings | settings
        provider = msgspec.structs.replace(
            msgspec.convert(whole, Provider),
            keys=KeySource(inline={"keys": [_key("RS256", "published").to_json()]}),
        )
        room = Identify({"subject": provider}, base_dir=Path(), clock=lambda: now)
        return anyio.run(partial(room.verify, BearerToken(shown=Secret(token)), now=now))

    def test_a_token_in_the_providers_shape_is_believed(self) -> None:
        identity = self.believe(self.sign(self.person()))

        assert identity.subject == self.subject
        assert identity.provider == "subject"
        assert identity.issuer == self.person()["iss"]

    def test_people_and_programs_are_told_apart(self) -> None:
        kind = PRESETS[self.preset].kind
        program = self.program()

        assert self.believe(self.sign(self.person())).kind == Known(kind or Kind.HUMAN)
        if program is not None:
            assert self.believe(self.sign(program)).kind == Known(Kind.SERVICE)

    def test_what_the_token_does_not_say_is_not_known(self) -> None:
        claims = self.person()
        preset = PRESETS[self.preset]
        for fact in self.absent:
            for path in getattr(preset, fact).paths:
                claims[path.partition(".")[0]] = None

        identity = self.believe(self.sign(claims))

        for fact in self.absent:
            assert not isinstance(getattr(identity, fact), Known), fact

    def test_an_issuer_that_differs_by_a_slash_is_another_issuer(self) -> None:
        iss = self.person()["iss"]
        other = iss[:-1] if iss.endswith("/") else iss + "/"

        with pytest.raises(errors.UnknownIssuer):
            self.believe(self.sign(self.person() | {"iss": other}))

    def test_a_key_that_the_provider_does_not_publish_signs_nothing(self) -> None:
        with pytest.raises(errors.UnknownKey):
            self.believe(self.sign(self.person(), key=_key("RS256", "unpublished")))
        with pytest.raises(errors.BadSignature):
            self.believe(self.sign(self.person(), key=_forged()))

    def test_a_token_that_expired_a_leeway_ago_is_refused(self) -> None:
        token = self.sign(self.person())
        last = NOW + timedelta(seconds=600 + 60)

        assert self.believe(token, now=last - timedelta(seconds=1)).subject == self.subject
        with pytest.raises(errors.TokenExpired):
            self.believe(token, now=last)

    def test_a_token_without_its_stable_subject_names_nobody(self) -> None:
        subject = PRESETS[self.preset].subject

        with pytest.raises(errors.NoSubject):
            self.believe(self.sign(self.person() | {subject: None}))

    def test_a_token_for_somebody_else_is_refused(self) -> None:
        with pytest.raises(errors.WrongAudience):
            self.believe(self.sign(self.person() | {"aud": "somebody-else"}))

    @pytest.mark.parametrize("bound", [{"jkt": "x"}, {"x5t#S256": "x"}, {"kid": "x"}, {}, "x"])
    def test_a_token_that_is_bound_to_its_sender_is_no_bearer_token(self, bound: object) -> None:
        with pytest.raises(errors.SenderConstrained):
            self.believe(self.sign(self.person() | {"cnf": bound}))

    @pytest.mark.parametrize("typ", ["dpop+jwt", "logout+jwt", "secevent+jwt", "application/LOGOUT+JWT"])
    def test_other_kinds_of_tokens_are_refused_by_their_header(self, typ: str) -> None:
        with pytest.raises(errors.NotAnAccessToken):
            self.believe(self.sign(self.person(), header={"typ": typ}))

    @pytest.mark.parametrize("claim", ["events", "htm", "htu"])
    def test_other_kinds_of_tokens_are_refused_by_what_they_say(self, claim: str) -> None:
        with pytest.raises(errors.NotAnAccessToken):
            self.believe(self.sign(self.person() | {claim: "x"}))

    @pytest.mark.parametrize("claim", ["nonce", "at_hash", "c_hash", "s_hash"])
    def test_an_id_token_is_taken_only_where_the_preset_takes_them(self, claim: str) -> None:
        token = self.sign(self.person() | {claim: "x"})

        if PRESETS[self.preset].takes == "id":
            assert self.believe(token).subject == self.subject
        else:
            with pytest.raises(errors.NotAnAccessToken):
                self.believe(token)

    def test_the_providers_traps_are_refused(self) -> None:
        for sentence, claims, header, refusal in self.traps():
            with pytest.raises(errors.IdentifyError) as refused:
                self.believe(self.sign(self.person() | claims, header=header))
            assert type(refused.value) is refusal, sentence
