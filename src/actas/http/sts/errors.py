"""Every way this door says no in its own words; each has the code and the status by which STS says it.

``sent`` is what the client reads, after AWS's own texts where they are known. It may repeat what the client sent,
but never a token.
"""

from typing import ClassVar

from actas.http.errors import HttpError


class StsError(HttpError):
    """The request is not done."""

    name: ClassVar[str] = ""
    """The code that clients look at."""

    def __init__(self, *, sent: str) -> None:
        """Take what the client is told."""
        self.sent = sent
        super().__init__(sent)


class MissingAction(StsError):
    """Nothing was asked for."""

    code = "http.sts-missing-action"
    hint = "Send Action and Version, as AWS's clients do."
    name = "MissingAction"

    def __init__(self) -> None:
        """State it."""
        super().__init__(sent="the request names no Action")


class InvalidAction(StsError):
    """There is no such action here, or not of this version."""

    code = "http.sts-invalid-action"
    hint = "Use one of the actions that docs/sts.md lists, with Version=2011-06-15."
    name = "InvalidAction"

    def __init__(self, *, action: str, version: str | None) -> None:
        """State what was asked for; a name that no action could have is not repeated."""
        named = action if action.isascii() and action.isalnum() and len(action) <= 64 else "that was named"
        when = version if version in ("2011-06-15", "2010-05-08", "2012-10-17") else None
        super().__init__(sent=f"Could not find operation {named} for version {when or 'NO_VERSION_SPECIFIED'}")


class MalformedQueryString(StsError):
    """The form cannot be read in one way."""

    code = "http.sts-malformed-query-string"
    hint = "Send each parameter once, in application/x-www-form-urlencoded, as UTF-8."
    status = 404
    name = "MalformedQueryString"


class InvalidQueryParameter(StsError):
    """The action has no such parameter."""

    code = "http.sts-invalid-query-parameter"
    hint = "Send only parameters that the action has; docs/sts.md lists them."
    name = "InvalidQueryParameter"


class ValidationFailed(StsError):
    """A parameter is missing, or has a value that it cannot have."""

    code = "http.sts-validation-error"
    hint = "Correct the parameters that the message names."
    name = "ValidationError"


class InvalidParameterValue(StsError):
    """Parameters contradict each other, or the session that was shown."""

    code = "http.sts-invalid-parameter-value"
    hint = "Correct the parameters that the message names."
    name = "InvalidParameterValue"


class MalformedPolicyDocument(StsError):
    """A session policy is none."""

    code = "http.sts-malformed-policy-document"
    hint = "Check the policy with `actas iam check --kind session`."
    name = "MalformedPolicyDocument"


class PackedPolicyTooLarge(StsError):
    """Session policies and tags take more than a session holds."""

    code = "http.sts-packed-policy-too-large"
    hint = "Send shorter session policies, or fewer tags."
    name = "PackedPolicyTooLarge"


class AccessDenied(StsError):
    """The rules, a trust policy or a session policy say no."""

    code = "http.sts-access-denied"
    hint = "Ask `actas explain`, or have the encoded message decoded by somebody who may."
    status = 403
    name = "AccessDenied"


class InvalidIdentityToken(StsError):
    """The token or the assertion is not believed."""

    code = "http.sts-invalid-identity-token"
    hint = "Ask `actas who` what is wrong with the token."
    name = "InvalidIdentityToken"


class InvalidAuthorizationMessage(StsError):
    """The message to decode is none of this gateway's."""

    code = "http.sts-invalid-authorization-message"
    hint = "Send the encoded message as the error had it; those of more than a day ago cannot be opened."
    name = "InvalidAuthorizationMessageException"

    def __init__(self) -> None:
        """State it."""
        super().__init__(sent="The authorization message could not be decoded")
