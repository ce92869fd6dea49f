"""What every backend promises, as tests to inherit.

::

    class TestMine(BackendContract):
        async def backend(self, does: str) -> Backend:
            return MyBackend(...)  # of a function that does what *does* says

``does`` is one of:

* ``echoes``: give the event back;
* ``fails``: fail in the way that the backend's functions fail, with the session's secret key in its message;
* ``sleeps``: never answer; the backend is to give up after half a second;
* ``tells``: give the access key id of its session back, as a JSON text, or ``null`` where it has none;
* ``is-absent``: not be there.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from actas.errors import ActasError
from actas.invoke.errors import InvokeError
from actas.invoke.interface import Backend, Delivery
from actas.model import clock
from actas.model.call import Call
from actas.model.decision import Grant, Role
from actas.model.facts import Known
from actas.model.identity import Identity, Kind
from actas.model.outcome import Answered, Streamed
from actas.model.secret import Secret
from actas.model.session import Session, Sessions

SECRET = "contract-secret-never-to-be-seen"  # noqa: S105 - what must not come out anywhere
_TOKEN = "contract-token-never-to-be-seen"  # noqa: S105 - as above


def delivery(
    payload: bytes = b"{}", *, number: int = 1, subject: str = "ana", lasts: timedelta | None = None
) -> Delivery:
    """Make a delivery for *subject*, with sessions that hold `SECRET`."""
    now = clock.now()  # a backend looks at the real clock
    ends = now + (lasts or timedelta(minutes=10))
    role = Role(name="reader", arn="arn:aws:iam::000000000000:role/reader", session=timedelta(minutes=10))
    work = Session(
        purpose="work",
        role_arn=role.arn,
        access_key_id=f"ASIA{subject.upper()}",
        secret_access_key=Secret(SECRET),
        session_token=Secret(_TOKEN),
        expires_at=ends,
    )
    return Delivery(
        call=Call(id=f"{number:026d}", function="subject", payload=payload, received_at=now),
        grant=_grant(subject, role, ends, now),
        sessions=Sessions(invoke=replace(work, purpose="invoke"), work=work, id=f"session-of-{subject}"),
        envelope=lambda _event, _now: "an.envelope.here",
        token=Secret(_TOKEN),
    )


def _grant(subject: str, role: Role, ends: datetime, now: datetime) -> Grant:
    identity = Identity(
        provider="corp",
        issuer="https://sso.example",
        subject=subject,
        kind=Known(Kind.HUMAN),
        expires_at=ends,
        issued_at=now,
        evidence="bearer",
        evidence_id="of-the-contract",
    )
    arn = "arn:aws:lambda:us-east-1:000000000000:function:subject:$LATEST"
    return Grant(
        identity=identity,
        function="subject",
        function_arn=arn,
        qualifier="$LATEST",
        role=role,
        rules=(),
        facts=(),
        fence=(arn,),
        expires_at=ends,
        generation="of-the-contract",
    )


class BackendContract:
    """The promises of `actas.invoke.interface.Backend`."""

    async def backend(self, does: str) -> Backend:
        """Make the backend of a function that does what *does* says; the test closes it."""
        raise NotImplementedError

    @pytest.mark.anyio
    async def test_the_answer_is_what_the_function_gave_back(self) -> None:
        """Hold it to its first promise."""
        backend = await self.backend("echoes")

        answer = await backend.invoke(delivery(b'{"order": 7}'))

        assert (await _body(answer)).replace(b" ", b"") == b'{"order":7}'
        assert _went_well(answer)
        await backend.close()

    @pytest.mark.anyio
    async def test_two_callers_never_share_a_session(self) -> None:
        """Hold it to one session for one caller."""
        backend = await self.backend("tells")

        told = [await _body(await backend.invoke(delivery(subject=name))) for name in ("ana", "ben", "ana")]

        assert told in ([b'"ASIAANA"', b'"ASIABEN"', b'"ASIAANA"'], [b"null"] * 3)
        await backend.close()

    @pytest.mark.anyio
    async def test_a_failure_of_the_function_is_an_answer(self) -> None:
        """Hold it to telling a function's failure from its own."""
        backend = await self.backend("fails")

        answer = await backend.invoke(delivery())

        assert not _went_well(answer)
        await backend.close()

    @pytest.mark.anyio
    async def test_a_function_that_does_not_answer_is_given_up(self) -> None:
        """Hold it to its time limit."""
        backend = await self.backend("sleeps")

        try:
            answer = await backend.invoke(delivery())
        except InvokeError as late:
            assert late.status == 504  # noqa: PT017 - either way is right
        else:
            assert b"timed out" in await _body(answer)
        await backend.close()

    @pytest.mark.anyio
    async def test_a_function_that_is_not_there_is_an_error(self) -> None:
        """Hold it to saying that nothing ran."""
        backend = await self.backend("is-absent")

        with pytest.raises(InvokeError):
            await backend.invoke(delivery())

        await backend.close()

    @pytest.mark.anyio
    @pytest.mark.parametrize("does", ["is-absent", "sleeps"])
    async def test_no_secret_is_in_an_error(self, does: str) -> None:
        """Hold it to keeping secrets where it speaks for itself."""
        backend = await self.backend(does)

        try:
            said = repr(await backend.invoke(delivery()))
        except ActasError as wrong:
            said = f"{wrong!r} {wrong.message} {wrong.hint}"

        assert SECRET not in said
        assert _TOKEN not in said
        await backend.close()


async def _body(answer: Answered | Streamed) -> bytes:
    if isinstance(answer, Answered):
        return answer.payload
    return b"".join([piece async for piece in answer.body])


def _went_well(answer: Answered | Streamed) -> bool:
    if isinstance(answer, Answered):
        return answer.function_error is None
    return answer.status < 500
