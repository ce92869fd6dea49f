"""Every way a request of the Lambda API is turned away, each with the words that AWS has for it.

``type`` and ``said`` are what the client reads; the message of the error itself, which is logged, repeats nothing
that the caller sent.
"""

from typing import ClassVar

from actas.http.errors import HttpError


class LambdaApiError(HttpError):
    """The Lambda API does not do this."""

    type: ClassVar[str]
    """AWS's name for it."""

    def __init__(self, message: str, *, said: str) -> None:
        """Take our own sentence, and AWS's."""
        self.said = said
        super().__init__(message)


class InvalidName(LambdaApiError):
    """What should name a function, a version or a page does not have the form of one."""

    code = "http.lambda-invalid-name"
    hint = (
        "Name a function by its name, by ACCOUNT:function:NAME or by its ARN, and a version or an alias after a colon."
    )
    type = "ValidationException"

    def __init__(self, *, field: str, value: str, wanted: str) -> None:
        """Name the field; its value goes to the one who sent it, and to nobody else."""
        said = f"1 validation error detected: Value '{value[:300]}' at '{field}' failed to satisfy constraint: {wanted}"
        super().__init__(f"the request's {field} has not the form that is wanted", said=said)


class QualifiersDiffer(LambdaApiError):
    """The name and the query name two versions."""

    code = "http.lambda-qualifiers-differ"
    hint = "Name the version or the alias once: in the function's name or as Qualifier."
    type = "InvalidParameterValueException"

    def __init__(self) -> None:
        """State it."""
        said = "The derived qualifier from the function name does not match the specified qualifier."
        super().__init__("the function's name and the query name two qualifiers", said=said)


class NotOffered(LambdaApiError):
    """A parameter asks for what functions here do not have."""

    code = "http.lambda-not-offered"
    hint = "Leave the parameter out."
    type = "InvalidParameterValueException"

    def __init__(self, *, parameter: str, what: str) -> None:
        """Name the parameter and what it would need."""
        said = f"The invoked function is not enabled with {what}. Remove {parameter} from your request and try again."
        super().__init__(f"{parameter} is sent, and functions here have no {what}", said=said)


class LaterNotHere(LambdaApiError):
    """This gateway keeps no events."""

    code = "http.lambda-later-not-here"
    hint = "Invoke with RequestResponse, or call again when the gateway has opened its store."
    type = "ServiceUnavailableException"
    status = 503

    def __init__(self) -> None:
        """State it."""
        super().__init__("events are not kept yet", said="Events cannot be taken now.")


class BodyNotJson(LambdaApiError):
    """An event is a JSON document."""

    code = "http.lambda-body-not-json"
    hint = "Send a JSON document, or nothing at all, which the function sees as an empty object."
    type = "InvalidRequestContentException"

    def __init__(self) -> None:
        """State it."""
        said = "Could not parse request body into json: Could not parse payload into json"
        super().__init__("the body is not a JSON document", said=said)


class BadClientContext(LambdaApiError):
    """The client context is not what clients send."""

    code = "http.lambda-bad-client-context"
    hint = "Send at most 3,583 bytes of base64 of one JSON object, with custom an object where it is there."
    type = "InvalidRequestContentException"

    def __init__(self, *, why: str) -> None:
        """State what is wrong with it."""
        said = f"Client context must be a valid Base64-encoded JSON object: it {why}."
        super().__init__(f"the client context {why}", said=said)


class EventTooLarge(LambdaApiError):
    """More than Lambda takes."""

    code = "http.lambda-event-too-large"
    hint = "Send less, or put the data where the function can fetch it."
    type = "RequestTooLargeException"
    status = 413

    def __init__(self, *, allowed: int, later: bool) -> None:
        """State how much may be sent."""
        said = f"Request must be smaller than {allowed} bytes for the InvokeFunction operation"
        if later:
            said = f"The payload is too large for the Event invocation type (limit {allowed} bytes)"
        super().__init__(f"the event is larger than {allowed} bytes", said=said)


class UnknownOperation(LambdaApiError):
    """No operation of the Lambda API has this method and this path."""

    code = "http.lambda-unknown-operation"
    hint = "Let an AWS SDK write the request; a path with two slashes or an unknown date is none of the API's."
    type = "AccessDeniedException"
    status = 403

    def __init__(self) -> None:
        """State it."""
        said = "Unable to determine service/operation name to be authorized"
        super().__init__("no operation has this method and path", said=said)


class NotDoneHere(LambdaApiError):
    """The operation changes or shows what only the settings file may."""

    code = "http.lambda-not-done-here"
    hint = "Change functions, rules and roles in the settings file."
    type = "AccessDeniedException"
    status = 403

    def __init__(self, *, user: str, action: str, resource: str) -> None:
        """Name who may not do what to what; all three go to the caller alone."""
        super().__init__("the operation is not done here", said=not_authorized(user, action, resource, explicit=False))


def not_authorized(user: str, action: str, resource: str, *, explicit: bool) -> str:
    """Write AWS's sentence for a no."""
    why = "with an explicit deny in" if explicit else "because no"
    policy = "an identity-based policy" if explicit else f"identity-based policy allows the {action} action"
    return f"User: {user} is not authorized to perform: {action} on resource: {resource} {why} {policy}"
