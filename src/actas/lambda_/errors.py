"""Every way a function cannot learn who called it."""

from actas.errors import ActasError


class LambdaError(ActasError):
    """The function does not know who called; it must not act for anybody."""

    status = 401


class NoEnvelope(LambdaError):
    """Nobody vouches for the caller."""

    code = "lambda.no-envelope"
    hint = "Call the function through the gateway; a call that passes it by has no envelope."

    def __init__(self) -> None:
        """Say where it was looked for."""
        super().__init__("neither the client context nor the event's authorizer holds an envelope")


class NoKeys(LambdaError):
    """The function was not told whose envelopes to believe."""

    code = "lambda.no-keys"
    hint = "Set ACTAS_JWKS to the gateway's key set, or pass keys= to caller()."
    status = 500

    def __init__(self, *, why: str) -> None:
        """Say what is wrong with the keys."""
        super().__init__(f"no keys to verify the envelope with: {why}")


class EnvelopeRefused(LambdaError):
    """The envelope does not hold."""

    code = "lambda.envelope-refused"
    hint = "Compare the function's ACTAS_JWKS, its clock and its ARN with the gateway's."

    def __init__(self, *, why: str) -> None:
        """Say the first thing that is wrong with it."""
        self.why = why
        super().__init__(f"the envelope is refused: {why}")


class EventChanged(LambdaError):
    """The envelope was made for another event."""

    code = "lambda.event-changed"
    hint = "Verify before the handler changes the event; if it did not, somebody else made this call."

    def __init__(self) -> None:
        """Say that the two do not belong together."""
        super().__init__("the envelope was made for an event with another digest")


class EventUnverifiable(LambdaError):
    """The event has no canonical form, so a parsed event cannot be compared with its digest."""

    code = "lambda.event-unverifiable"
    hint = "Send events whose numbers are finite and whose texts are Unicode, or verify(event=…) the exact bytes."

    def __init__(self, *, why: str) -> None:
        """Say what stands in the way."""
        super().__init__(f"the event cannot be compared with the envelope: {why}")


class NoExecutionRole(LambdaError):
    """The environment holds no credentials to prove with which function this is."""

    code = "lambda.no-execution-role"
    hint = "Call session() inside a Lambda function, where Lambda sets these variables."
    status = 500

    def __init__(self, *, missing: str) -> None:
        """Say which variable is missing."""
        super().__init__(f"the environment holds no usable {missing}, which Lambda sets for the execution role")


class NoGateway(LambdaError):
    """The function was not told where the gateway is."""

    code = "lambda.no-gateway"
    hint = (
        "Set ACTAS_ISSUER to the gateway's control_url; set ACTAS_GATEWAY too where it is reached by another address."
    )
    status = 500

    def __init__(self, *, why: str) -> None:
        """Say what is wrong with the address."""
        super().__init__(f"the gateway cannot be asked for the session: {why}")


class GatewayUnreachable(LambdaError):
    """The gateway did not answer, or not with credentials."""

    code = "lambda.gateway-unreachable"
    hint = "Check the network between the function and the gateway's control origin."
    status = 503

    def __init__(self, *, why: str) -> None:
        """Say how it did not."""
        super().__init__(f"the gateway gave no session: {why}")


class SessionRefused(LambdaError):
    """The gateway hands out no session for this call."""

    code = "lambda.session-refused"
    hint = "Read the code: compare execution_role in the gateway's settings with the role that the function runs under."
    status = 403

    def __init__(self, *, status: int, found: str) -> None:
        """Say what the gateway answered."""
        self.found = found
        super().__init__(f"the gateway refused to hand out the session: {found or f'status {status}'}")
