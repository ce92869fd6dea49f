"""What the trail is told of a decision, with pseudonyms for people."""

from datetime import datetime, timedelta
from typing import Final, Protocol

from actas.model.call import Call
from actas.model.decision import Allow, Decision, Deny
from actas.model.facts import Known
from actas.model.identity import Identity
from actas.model.record import Decided


class Names(Protocol):
    """Names people without naming them."""

    async def of(self, issuer: str, subject: str, /) -> str:
        """Give the pseudonym of a subject."""
        ...


_MICROSECOND: Final = timedelta(microseconds=1)


async def record(
    call: Call, identity: Identity, decision: Decision, times: tuple[datetime, datetime], names: Names
) -> Decided:
    """Write down what was decided; *times* are when the caller was believed and when it was decided."""
    identified_at, decided_at = times
    match decision:
        case Allow(grant=grant):
            role, rules, generation = grant.role, tuple([rule.id for rule in grant.rules]), grant.generation
        case Deny(generation=generation):
            role, rules = None, ()
    if identity.evidence == "session":  # whom we know by a pseudonym only
        subject, actors = identity.subject, tuple([actor.subject for actor in identity.actors])
    else:
        subject = await names.of(identity.issuer, identity.subject)
        actors = tuple([await names.of(actor.issuer, actor.subject) for actor in identity.actors])
    return Decided(
        call=call.id,
        at=decided_at,
        received_at=call.received_at,
        identified_us=(identified_at - call.received_at) // _MICROSECOND,
        decided_us=(decided_at - call.received_at) // _MICROSECOND,
        door=call.door,
        provider=identity.provider,
        subject=subject,
        actors=actors,
        kind=identity.kind.value.value if isinstance(identity.kind, Known) else identity.kind.value,
        evidence=identity.evidence,
        evidence_id=identity.evidence_id,
        function=call.function,
        qualifier=call.qualifier,
        route=None if call.route is None else call.route.template,
        verdict=_verdict(decision),
        role=None if role is None else role.name,
        rules=rules,
        reasons=tuple([reason.code for reason in decision.reasons]),
        generation=generation,
        trace=call.trace_id,
        root=call.root,
        depth=call.depth,
    )


def _verdict(decision: Decision) -> str:
    if isinstance(decision, Deny):
        return "deny"
    return "observe" if decision.observed else "allow"
