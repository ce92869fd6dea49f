"""Every way the policy library fails; nothing else leaves it, whatever comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actas.errors import ActasError

if TYPE_CHECKING:
    from actas.iam.finding import Finding


class IamError(ActasError):
    """The root of this library's errors."""

    status = 400


class MalformedPolicy(IamError):
    """The document is not a policy of its kind."""

    code = "iam.malformed-policy"
    hint = "Correct each finding with severity error; `findings` names its path and line."

    def __init__(self, *, findings: tuple[Finding, ...]) -> None:
        """Say the first error in AWS's words where AWS has words for it."""
        self.findings = findings
        errors = [finding for finding in findings if finding.severity == "error"]
        super().__init__(errors[0].message if errors else "Syntax errors in policy.")


class InvalidRequest(IamError):
    """A request that no caller of AWS could make."""

    code = "iam.invalid-request"
    hint = "Give principal, action, resource and context as docs/libraries/iam.md describes them."

    def __init__(self, *, field: str, why: str) -> None:
        """Name the field and what is wrong with it; never its value."""
        self.field, self.why = field, why
        super().__init__(f"the request's {field} {why}")


class InvalidPolicySet(IamError):
    """Policies that do not belong in the layer they were given for."""

    code = "iam.invalid-policy-set"
    hint = "Give each layer a tuple of policies, and scps and rcps one tuple for each level."

    def __init__(self, *, layer: str, why: str) -> None:
        """Name the layer and what is wrong with it."""
        self.layer, self.why = layer, why
        super().__init__(f"the layer {layer} {why}")


class CatalogueUnreadable(IamError):
    """The packaged service reference is damaged."""

    code = "iam.catalogue-unreadable"
    hint = "Install actas again; the file is part of the package."
    status = 500

    def __init__(self, *, file: str) -> None:
        """Name the file."""
        self.file = file
        super().__init__(f"the packaged service reference {file} cannot be read")


class AccountUnreadable(IamError):
    """It is not what ``aws iam get-account-authorization-details`` answers."""

    code = "iam.account-unreadable"
    hint = "Give the command's JSON as it is, with --output json."

    def __init__(self, *, where: str, why: str) -> None:
        """Name the place and what is wrong there."""
        self.where, self.why = where, why
        super().__init__(f"in the account's details, {where} {why}")


class UnknownPrincipal(IamError):
    """The account's details tell of no such user or role."""

    code = "iam.unknown-principal"
    hint = "Give the ARN of a user or role as `Account.principals` lists it."

    def __init__(self, *, known: int) -> None:
        """Say how many there are."""
        self.known = known
        super().__init__(f"the principal is none of the {known} that the account's details tell of")
