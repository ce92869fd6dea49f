"""Check roles: their ARN, their session, and the policies in their files; and the policies that callers may pass."""

import os
import re
from pathlib import Path as FilePath
from typing import Final

from actas import iam
from actas.settings.meaning.addresses import is_loopback, url
from actas.settings.meaning.brokers import ROLE_ARN
from actas.settings.meaning.gateway import span
from actas.settings.meaning.view import View
from actas.settings.mistakes import Mistake, Severity
from actas.settings.positions import Path
from actas.settings.secrecy import quoted

_POLICY_ARN: Final = re.compile(
    r"arn:aws(?:-cn|-us-gov)?:iam::(?:[0-9]{12}|aws):policy/(?:[!-~]{1,511}/)?[A-Za-z0-9+=,.@_-]{1,128}"
)
_AWS_LEAST: Final = 900
"""Seconds: AssumeRoleWithWebIdentity, DurationSeconds."""


def check(view: View) -> None:
    """Check every role."""
    for name, role in view.settings.roles.items():
        path: Path = ("roles", name)
        if not ROLE_ARN.fullmatch(role.arn):
            example = "arn:aws:iam::111122223333:role/finance-reader"
            message = f"{quoted(role.arn)} is no ARN of a role"
            view.report("settings.bad-arn", (*path, "arn"), message, f"Write it like {example}.", wanted=example)
        least = _AWS_LEAST if role.broker.startswith("aws-") else 60
        span(view, (*path, "session"), role.session, least=least, most=3600)
        if role.sts is not None:
            _sts(view, (*path, "sts"), role.sts)
        if role.policy is not None:
            _policy(view, (*path, "policy"), role.policy, iam.Kind.IDENTITY)
        if role.trust is not None:
            _policy(view, (*path, "trust"), role.trust, iam.Kind.TRUST)
    for arn, file in view.settings.policies.items():
        if not _POLICY_ARN.fullmatch(arn):
            example = "arn:aws:iam::111122223333:policy/reports-only"
            message = f"{quoted(arn)} is no ARN of a policy"
            view.report("settings.bad-arn", ("policies", arn), message, f"Write it like {example}.", wanted=example)
        _policy(view, ("policies", arn), file, iam.Kind.SESSION)


def _sts(view: View, path: Path, text: str) -> None:
    read = url(text)
    if isinstance(read, str):
        view.report("settings.bad-url", path, f"sts {read}", "Give the address of an STS.")
    elif read.scheme != "https" and not is_loopback(read.host):
        message = "sts is not https: the token sent there could be read on the way"
        view.report("settings.insecure-url", path, message, "Write https://.")


def _policy(view: View, path: Path, name: str, kind: iam.Kind) -> None:
    content = None if (file := view.file(name)) is None else file.content
    if content is None or view.sketch.is_spoiled(path):
        return  # `files` has said so
    for finding in iam.validate(content, kind=kind):
        if finding.severity == "suggestion":
            continue
        severity: Severity = "error" if finding.severity == "error" else "warning"
        view.found.append(
            Mistake(
                code="settings.policy",
                severity=severity,
                file=os.path.normpath(FilePath(view.source.file).parent / name),
                line=finding.line or 1,
                column=finding.column or 1,
                key=finding.path,
                message=f"{finding.message.rstrip('.')} [{finding.code}]",
                hint=finding.fix,
            )
        )
