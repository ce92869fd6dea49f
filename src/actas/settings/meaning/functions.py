"""Check functions: one backend each, what it needs, and an environment without secrets."""

import re
from typing import Final

from actas.settings.meaning.addresses import Url, is_loopback, is_private, url
from actas.settings.meaning.brokers import ROLE_ARN
from actas.settings.meaning.files import missing
from actas.settings.meaning.gateway import size, span
from actas.settings.meaning.targets import ADMIN
from actas.settings.meaning.view import View
from actas.settings.positions import Path
from actas.settings.schema import Function
from actas.settings.secrecy import looks_secret, names_secret, quoted

BACKENDS: Final = ("python", "node", "lambda", "http")
_HANDLER: Final = {
    "python": re.compile(r"(?P<file>[^:]{1,4096}\.py):(?P<name>[A-Za-z_][A-Za-z0-9_]*)"),
    "node": re.compile(r"(?P<file>[^:]{1,4096}\.(?:mjs|cjs|js)):(?P<name>[A-Za-z_$][A-Za-z0-9_$]*)"),
}
_EXAMPLE: Final = {"python": "functions/report.py:handler", "node": "functions/report.mjs:handler"}
LAMBDA_ARN: Final = re.compile(
    r"arn:aws(?:-cn|-us-gov)?:lambda:[a-z]{2}(?:-[a-z]+)+-[0-9]:[0-9]{12}:function:[A-Za-z0-9_-]{1,64}"
    r"(?::(?:\$LATEST|[A-Za-z0-9_-]{1,128}))?"
)
_VARIABLE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")
RESERVED: Final = frozenset(
    {
        "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
    }
)  # fmt: skip
"""AWS Lambda Developer Guide, "Defined runtime environment variables": reserved ones cannot be set."""
_LOCAL: Final = frozenset({"python", "node"})
_ONLY_FOR: Final = {
    "schedule": frozenset({"python", "node", "http"}),
    "memory": _LOCAL,
    "environment": _LOCAL,
    "idle": _LOCAL,
    "private": frozenset({"http"}),
    "pass_token": frozenset({"http"}),
    "pass_bearer": frozenset({"http"}),
    "endpoint": frozenset({"lambda"}),
    "stream": frozenset({"lambda"}),
    "execution_role": frozenset({"lambda"}),
    "sts": frozenset({"lambda"}),
    "format": frozenset({"python", "node", "lambda"}),
    "binary_media_types": frozenset({"python", "node", "lambda"}),
}
_NEED_ROUTES: Final = ("format", "binary_media_types")


def backend(function: Function) -> str | None:
    """Name the backend of *function*; None where it has none or several."""
    named = [key for key in BACKENDS if getattr(function, "lambda_" if key == "lambda" else key) is not None]
    return named[0] if len(named) == 1 else None


def check(view: View) -> None:
    """Check every function."""
    for name, function in view.settings.functions.items():
        path: Path = ("functions", name)
        if f"{name}:" == ADMIN:
            message = f"{name} is no name for a function: rules name admin actions by it"
            view.report("settings.reserved-name", path, message, "Give it another name.", at="key")
        kind = backend(function)
        if kind is None:
            _no_one_backend(view, path, function)
            continue
        _target(view, path, function, kind)
        _without_effect(view, path, function, kind)
        _environment(view, path, function)
        _ranges(view, path, function)


def _no_one_backend(view: View, path: Path, function: Function) -> None:
    named = [key for key in BACKENDS if getattr(function, "lambda_" if key == "lambda" else key) is not None]
    found = f"it has {' and '.join(named)}" if named else "it has none"
    message = f"a function runs on exactly one of python, node, lambda and http; {found}"
    hint = "Keep one of them." if named else f"Add one of them, such as python: {_EXAMPLE['python']}."
    view.report("settings.one-backend", path, message, hint, at="key")


def _target(view: View, path: Path, function: Function, kind: str) -> None:
    match kind:
        case "python":
            _handler(view, (*path, kind), kind, function.python or "")
        case "node":
            _handler(view, (*path, kind), kind, function.node or "")
        case "lambda":
            _lambda(view, path, function)
        case _:
            _http(view, path, function)


def _handler(view: View, path: Path, kind: str, text: str) -> None:
    found = _HANDLER[kind].fullmatch(text)
    if found is None:
        message = f"{quoted(text)} names no handler; wanted: a file, a colon and the name in it"
        view.report("settings.bad-handler", path, message, f"Write it like {_EXAMPLE[kind]}.", wanted=_EXAMPLE[kind])
        return
    try:
        there = view.locate(found["file"]).is_file()
    except (OSError, ValueError):
        there = False
    if not there:
        missing(view, path, found["file"], "there is no such file")


def _lambda(view: View, path: Path, function: Function) -> None:
    arn = function.lambda_ or ""
    if not LAMBDA_ARN.fullmatch(arn):
        example = "arn:aws:lambda:eu-west-1:111122223333:function:report"
        message = f"{quoted(arn)} is no ARN of a Lambda function"
        view.report("settings.bad-arn", (*path, "lambda"), message, f"Write it like {example}.", wanted=example)
    for key, what in (("endpoint", "a Lambda API"), ("sts", "an STS")):
        text = getattr(function, key)
        read = None if text is None else url(text)
        if isinstance(read, str):
            view.report("settings.bad-url", (*path, key), f"{key} {read}", f"Give the address of {what}.")
        elif read is not None and read.scheme != "https" and not is_loopback(read.host):
            message = f"{key} is not https: what is sent there is signed, and can be read on the way"
            view.report("settings.insecure-url", (*path, key), message, "Write https://.")
    if function.execution_role is None:
        return
    if not ROLE_ARN.fullmatch(function.execution_role):
        example = "arn:aws:iam::111122223333:role/report-exec"
        message = f"{quoted(function.execution_role)} is no ARN of a role"
        where = (*path, "execution_role")
        view.report("settings.bad-arn", where, message, f"Write it like {example}.", wanted=example)
    elif function.execution_role.split(":")[4] not in arn.split(":"):
        message = "execution_role is of another account than the function, and Lambda takes none of those"
        view.report(
            "settings.bad-arn", (*path, "execution_role"), message, "Name the role that the function runs under."
        )


def _http(view: View, path: Path, function: Function) -> None:
    read = url(function.http or "")
    if not isinstance(read, Url):
        hint = "Give the backend's base, such as https://orders.example.com."
        view.report("settings.bad-url", (*path, "http"), f"http {read}", hint)
        return
    if is_private(read.host) and not function.private:
        hint = f"Add private: true to functions.{path[1]} if that is meant."
        view.report("settings.private-address", (*path, "http"), "http is a private address", hint)
    for key, whose in (("pass_token", "the caller's token"), ("pass_bearer", "the role's token")):
        if getattr(function, key) and read.scheme != "https" and not is_loopback(read.host):
            message = f"{whose} would be sent on in clear"
            view.report("settings.token-in-clear", (*path, key), message, f"Write https:// or remove {key}.")
    if function.pass_token and function.pass_bearer:
        message = "a request has one Authorization, and both pass_token and pass_bearer would fill it"
        view.report("settings.two-tokens", (*path, "pass_bearer"), message, "Remove one of them.", at="key")


def _without_effect(view: View, path: Path, function: Function, kind: str) -> None:
    for key, kinds in _ONLY_FOR.items():
        if view.says(*path, key) and kind not in kinds:
            message = f"{key} has no effect on a function that runs on {kind}"
            view.warn("settings.no-effect", (*path, key), message, f"Remove {key}.", at="key")
        elif view.says(*path, key) and key in _NEED_ROUTES and not function.routes:
            message = f"{key} has no effect without routes"
            view.warn("settings.no-effect", (*path, key), message, f"Remove {key}, or add routes.", at="key")


def _environment(view: View, path: Path, function: Function) -> None:
    for name, value in function.environment.items():
        where = (*path, "environment", name)
        if not _VARIABLE.fullmatch(name):
            hint = "Use letters, digits and _, a letter first."
            view.report("settings.bad-variable", where, f"{quoted(name)} is no name of a variable", hint, at="key")
        elif name.upper() in RESERVED or name.upper().startswith("ACTAS_"):
            message = f"{name} is set by the runtime and cannot be set here"
            view.report("settings.reserved-variable", where, message, "Give it another name.", at="key")
        if isinstance(value, str) and value and (names_secret(name) or looks_secret(value)):
            message = f"{name} looks like a secret, and its value stands in the file"
            hint = f"Write {name}: {{env: {name}}} or {{file: PATH}}; if the file was ever shared, change the secret."
            view.report("settings.secret-in-file", where, message, hint, at="key")


def _ranges(view: View, path: Path, function: Function) -> None:
    span(view, (*path, "timeout"), function.timeout, least=0.1, most=900)
    size(view, (*path, "memory"), function.memory, least=32 * 1024**2, most=10240 * 1024**2)
    span(view, (*path, "idle"), function.idle, least=1, most=86400)
