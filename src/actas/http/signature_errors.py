"""Every way a signed request is turned away before anything is decided.

Each door words them as the API does that it speaks: by ``code``.
"""

from actas.http.errors import HttpError


class SignatureError(HttpError):
    """Who signed the request is not known."""

    status = 403


class SignatureMissing(SignatureError):
    """Nobody signed the request."""

    code = "http.signature-missing"
    hint = "Sign the request with the credentials of a session: by an Authorization header or by X-Amz- parameters."

    def __init__(self) -> None:
        """State it."""
        super().__init__("the request is not signed")


class SignatureIncomplete(SignatureError):
    """The signature cannot be read in one way, or does not cover what it must."""

    code = "http.signature-incomplete"
    hint = "Let an AWS SDK sign the request, and pass it on unchanged."
    status = 400

    def __init__(self, *, why: str) -> None:
        """State what is wrong with it."""
        super().__init__(why)


class SignatureWrong(SignatureError):
    """The request is not what was signed, or was signed by another key, or for something else."""

    code = "http.signature-wrong"
    hint = "Check the secret key, the service that was signed for, and what a proxy may have changed."

    def __init__(self, *, why: str) -> None:
        """State what does not fit."""
        super().__init__(why)


class SignatureOutsideTime(SignatureError):
    """Signed too long ago, or in the time to come."""

    code = "http.signature-outside-time"
    hint = "Sign anew; if it happens at once, compare this host's clock with the gateway's."

    def __init__(self, *, why: str, is_presigned: bool) -> None:
        """State both times."""
        self.is_presigned = is_presigned
        super().__init__(why)


class SignatureUnknownKey(SignatureError):
    """The access key is none of this gateway's, or not the one of the session token."""

    code = "http.signature-unknown-key"
    hint = "Get new credentials from this gateway, and send the session token with the key it belongs to."

    def __init__(self) -> None:
        """State it."""
        super().__init__("the access key and the session token are not of one session of this gateway")


class SignatureSessionEnded(SignatureError):
    """The session was good once."""

    code = "http.signature-session-ended"
    hint = "Get a new session."

    def __init__(self, *, why: str) -> None:
        """State when it ended."""
        super().__init__(why)


class SignatureSessionRevoked(SignatureError):
    """Somebody ended the session before its time."""

    code = "http.signature-session-revoked"
    hint = "Sign in again and get a new session."

    def __init__(self) -> None:
        """State it."""
        super().__init__("the session was revoked")


class SignatureRevocationsUnread(SignatureError):
    """Whether the session was revoked cannot be told just now."""

    code = "http.signature-revocations-unread"
    hint = "Send the request again in a moment."
    status = 503

    def __init__(self) -> None:
        """State it."""
        super().__init__("the gateway cannot tell which sessions were revoked")
