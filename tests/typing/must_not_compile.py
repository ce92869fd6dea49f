"""Mistakes that must not type-check.

Never run. Each line carries a ``type: ignore``; if a mistake ever becomes legal, its ignore is unused and
strict mypy fails.
"""

from collections.abc import Callable
from datetime import datetime

from actas.assume.interface import Broker
from actas.house import Keeps, Takes
from actas.invoke.interface import Backend, Delivery
from actas.model.call import Call
from actas.model.decision import Allow, Decision, Deny, Grant, Question
from actas.model.evidence import BearerToken
from actas.model.identity import Identity
from actas.model.outcome import Answered, Outcome, Refused, Streamed
from actas.model.record import Decided, Ended
from actas.model.secret import Secret
from actas.model.session import Session, Sessions

Envelope = Callable[[bytes, datetime], str]


def a_token_is_not_an_identity(token: BearerToken, now: datetime) -> Question:
    return Question(identity=token, function="report", at=now)  # type: ignore[arg-type]


def a_question_is_asked_about_somebody(now: datetime) -> Question:
    return Question(function="report", at=now)  # type: ignore[call-arg]


def a_question_is_asked_at_some_time(identity: Identity) -> Question:
    return Question(identity=identity, function="report")  # type: ignore[call-arg]


def a_no_has_no_grant(decision: Deny) -> Grant:
    return decision.grant  # type: ignore[attr-defined, no-any-return]


def a_decision_may_be_a_no(decision: Decision) -> Grant:
    return decision.grant  # type: ignore[union-attr]


def a_yes_needs_a_grant() -> Allow:
    return Allow(reasons=())  # type: ignore[call-arg]


def a_grant_is_for_somebody(grant: Grant) -> Grant:
    return Grant(  # type: ignore[call-arg]
        function=grant.function,
        function_arn=grant.function_arn,
        qualifier=grant.qualifier,
        role=grant.role,
        rules=grant.rules,
        facts=grant.facts,
        fence=grant.fence,
        expires_at=grant.expires_at,
        generation=grant.generation,
    )


def a_grant_does_not_change(grant: Grant, other: Identity) -> None:
    grant.identity = other  # type: ignore[misc]


async def a_yes_is_not_a_grant(takes: Takes, decision: Allow, broker: Broker, now: datetime) -> None:
    await takes.take(decision, broker, now=now)  # type: ignore[arg-type]


async def an_identity_is_not_a_grant(takes: Takes, identity: Identity, broker: Broker, now: datetime) -> None:
    await takes.take(identity, broker, now=now)  # type: ignore[arg-type]


def a_grant_is_not_sessions(call: Call, grant: Grant, envelope: Envelope) -> Delivery:
    return Delivery(call=call, grant=grant, sessions=grant, envelope=envelope)  # type: ignore[arg-type]


def one_session_is_not_both(call: Call, grant: Grant, session: Session, envelope: Envelope) -> Delivery:
    return Delivery(call=call, grant=grant, sessions=session, envelope=envelope)  # type: ignore[arg-type]


def nothing_is_delivered_without_a_grant(call: Call, sessions: Sessions, envelope: Envelope) -> Delivery:
    return Delivery(call=call, sessions=sessions, envelope=envelope)  # type: ignore[call-arg]


def nothing_is_delivered_without_sessions(call: Call, grant: Grant, envelope: Envelope) -> Delivery:
    return Delivery(call=call, grant=grant, envelope=envelope)  # type: ignore[call-arg]


async def a_call_is_not_a_delivery(backend: Backend, call: Call) -> None:
    await backend.invoke(call)  # type: ignore[arg-type]


async def a_delivery_is_not_made_with_a_yes(
    backend: Backend, call: Call, decision: Allow, sessions: Sessions, envelope: Envelope
) -> None:
    await backend.invoke(Delivery(call=call, grant=decision, sessions=sessions, envelope=envelope))  # type: ignore[arg-type]


def a_yes_is_not_refused(decision: Allow) -> Refused:
    return Refused(decision=decision)  # type: ignore[arg-type]


def a_no_is_not_yet_an_outcome(decision: Deny) -> Outcome:
    return decision  # type: ignore[return-value]


def an_outcome_has_no_payload_until_it_is_looked_at(outcome: Outcome) -> bytes:
    return outcome.payload  # type: ignore[union-attr]


def a_stream_is_not_an_answer(outcome: Streamed) -> Answered:
    return outcome  # type: ignore[return-value]


async def an_end_is_not_a_decision(audit: Keeps, record: Ended) -> None:
    await audit.decided(record)  # type: ignore[arg-type]


def a_decision_is_not_kept_as_an_end(audit: Keeps, record: Decided) -> None:
    audit.ended(record)  # type: ignore[arg-type]


def a_secret_is_not_a_text(secret: Secret) -> str:
    return secret  # type: ignore[return-value]


def a_text_is_not_a_secret(text: str) -> BearerToken:
    return BearerToken(shown=text)  # type: ignore[arg-type]


def a_fact_is_not_its_value(identity: Identity) -> bool:
    return identity.mfa  # type: ignore[return-value]


def what_is_not_known_is_not_empty(identity: Identity) -> bool:
    return "finance" in identity.groups  # type: ignore[operator]
