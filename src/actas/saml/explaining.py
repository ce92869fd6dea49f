"""Tell step by step how a response was verified, and by which key; for a dry run.

Pure. The steps are told of an assertion that was verified; what was not is told by `diagnosing`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from itertools import chain

from actas.saml.assertion import ANY, Any, Assertion, Require
from actas.saml.certificates import Certificate
from actas.saml.decryption import DecryptionKey
from actas.saml.errors import SamlError
from actas.saml.looking import Seen, look
from actas.saml.trust import Trust
from actas.saml.verifying import verify

_LEEWAY = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: what it is about, what came of it, and a sentence for a person."""

    name: str
    code: str
    """``ok``, ``unused``, ``missing``, or the code of the error that ended it."""
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """The steps, and the assertion where it is believed."""

    steps: tuple[Step, ...]
    assertion: Assertion | None = field(repr=False)


def explain(
    response: bytes,
    trust: Trust,
    *,
    audience: str | None,
    recipient: str | None,
    now: datetime,
    in_response_to: str | Any | None = ANY,
    leeway: timedelta = _LEEWAY,
    allow_sha1: bool = False,
    decryption_keys: Sequence[DecryptionKey] = (),
    require: Require | None = None,
    old_ciphers: Collection[str] = (),
    uses: Mapping[str, str] | None = None,
) -> Explained:
    """Verify *response* and tell each step; *uses* says what the attributes are used for, by their names."""
    verified = partial(
        verify,
        response,
        audience=audience,
        recipient=recipient,
        now=now,
        in_response_to=in_response_to,
        leeway=leeway,
        allow_sha1=allow_sha1,
        decryption_keys=decryption_keys,
        require=require,
        old_ciphers=old_ciphers,
    )
    try:
        assertion = verified(trust)
    except SamlError as refused:
        step = Step(name="refused", code=refused.code, sentence=f"{refused.message}. {refused.hint}")
        return Explained(steps=(step,), assertion=None)
    seen = look(response, decryption_keys=decryption_keys, old_ciphers=old_ciphers)
    used = [one for one in map(Certificate.read, trust.certificates) if _holds(verified, trust, one)]
    told = _signature(assertion, seen, used), (_encryption(seen),), _conditions(assertion, now)
    return Explained(steps=(*chain(*told), *_attributes(assertion, uses or {})), assertion=assertion)


def _holds(verified: Callable[[Trust], Assertion], trust: Trust, certificate: Certificate) -> bool:
    try:
        verified(Trust(trust.entity_id, (certificate.der,)))
    except SamlError:
        return False
    return True


def _signature(assertion: Assertion, seen: Seen, used: Sequence[Certificate]) -> tuple[Step, ...]:
    what = {"both": "the response and the assertion are", "response": "the response is"}.get(assertion.signed)
    algorithms = " and ".join(dict.fromkeys(one.algorithm.rpartition("#")[2] for one in seen.signatures))
    steps = [Step(name="signature", code="ok", sentence=f"{what or 'the assertion is'} signed, by {algorithms}")]
    for one in used:
        ends = "" if one.not_after is None else f", whose certificate ends on {one.not_after:%Y-%m-%d}"
        name = sha256(one.der).hexdigest()[:16]
        steps.append(Step(name="key", code="ok", sentence=f"it holds under the key {name} of the metadata{ends}"))
    if not used:  # several signatures by several keys
        steps.append(Step(name="key", code="ok", sentence="its signatures hold under several keys of the metadata"))
    return tuple(steps)


def _encryption(seen: Seen) -> Step:
    ciphers = ", ".join(dict.fromkeys(one.rpartition("#")[2] for one in seen.ciphers))
    told = f"the assertion was encrypted, by {ciphers}" if seen.is_encrypted else "the assertion was not encrypted"
    return Step(name="encryption", code="ok" if seen.is_encrypted else "none", sentence=told)


def _conditions(assertion: Assertion, now: datetime) -> tuple[Step, ...]:
    left = int((assertion.not_on_or_after - now).total_seconds())
    answers = assertion.in_response_to
    session = assertion.session_not_on_or_after
    until = "does not say how long the session lasts" if session is None else f"lasts until {_at(session)}"
    named = "nobody" if assertion.name_id is None else f"somebody, by {assertion.name_id_format or 'no format'}"
    return (
        Step(name="issuer", code="ok", sentence=f"it comes from {assertion.issuer}"),
        Step(name="audience", code="ok", sentence=f"it is meant for {', '.join(assertion.audiences) or 'anybody'}"),
        Step(name="recipient", code="ok", sentence=f"it may be used at {assertion.recipient}"),
        Step(name="times", code="ok", sentence=f"it counts until {_at(assertion.not_on_or_after)}, {left} s more"),
        Step(name="request", code="ok", sentence=f"it answers {answers or 'no request: the provider began'}"),
        Step(name="subject", code="ok", sentence=f"it names {named}"),
        Step(name="sign-in", code="ok", sentence=f"at {_at(assertion.authn_instant)}, by {assertion.authn_context}"),
        Step(name="session", code="ok", sentence=f"the session at the provider {until}"),
    )


def _attributes(assertion: Assertion, uses: Mapping[str, str]) -> tuple[Step, ...]:
    """Tell of each attribute what it is used for, never what it says."""
    friendly = {name: short for short, names in assertion.friendly_names.items() for name in names}
    steps, found = [], set()
    for name, values in assertion.attributes.items():
        short = friendly.get(name)
        use = uses.get(name) or uses.get(short or "")
        found |= {name, short}
        told = f"{name} ({short})" if short else name
        count = f"{len(values)} value{'' if len(values) == 1 else 's'}"
        sentence = f"{told}: {count}, {f'read for {use}' if use else 'not used'}"
        steps.append(Step(name="attribute", code="ok" if use else "unused", sentence=sentence))
    for name, use in uses.items():
        if name not in found and not any(uses.get(one or "") == use for one in found):
            sentence = f"{name}: not there; {use} would be read from it"
            steps.append(Step(name="attribute", code="missing", sentence=sentence))
    return tuple(steps)


def _at(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
