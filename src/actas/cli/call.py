"""``actas call``: call a function through the gateway, as somebody."""

import ipaddress
import json as encoding
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, urlsplit

from cyclopts import Parameter

from actas.cli import ASKED_WRONGLY, CANNOT_TELL, DENIED, DONE, output
from actas.cli.errors import BadFile, NotEncrypted, NotJson, NotReachable
from actas.cli.options import HERE, Where
from actas.cli.places import find_gateway
from actas.cli.signins import token_for

if TYPE_CHECKING:
    from httpx import Response

LONGEST = 15 * 60 + 30.0
"""Seconds that a function may take, and some."""
_CONNECT = 10.0
_ASKED_WRONGLY = (400, 404, 405, 413, 414, 415)
_HINTS = {
    401: "See which step fails: actas who --as NAME.",
    404: "See what there is: actas who --as NAME lists what NAME may call.",
    413: "Send a smaller event.",
    503: "Try again; /readyz of the control origin says what is not ready.",
}


def call(
    function: str,
    *,
    as_: Annotated[str | None, Parameter(name="--as")] = None,
    payload: str = "{}",
    role: str | None = None,
    gateway: str | None = None,
    where: Where = HERE,
    json: bool = False,
) -> int:
    """Call a function and print what it gives back.

    For example:
        actas call hello --as ana
        actas call report --as ana --payload '{"month": "2026-10"}' --role finance-reader
        actas call report --payload @event.json
        echo '{"month": "2026-10"}' | actas call report --payload @-

    Parameters
    ----------
    function:
        The function's name in the settings file.
    as_:
        Who calls: a stored sign-in (see 'actas login') or a person of the demo.
    payload:
        The event, as JSON; @FILE reads it from a file, @- from standard input.
    role:
        The role to take, where the rules offer several.
    gateway:
        The gateway's public URL; by default the one that runs here.
    json:
        Print one JSON object: the outcome, the answer, the call id.
    """
    import anyio

    place = where.here()
    body = _event(payload)
    base = checked(gateway) if gateway is not None else find_gateway(place.state).public_url
    token = anyio.run(token_for, as_, place.state)
    headers = {"Authorization": f"Bearer {token.reveal()}", "Content-Type": "application/json"}
    if role:
        headers["Actas-Role"] = role
    answer = post(f"{base.rstrip('/')}/call/{quote(function, safe='')}", body, headers)
    return _show(read(answer.status_code, answer.headers, answer.text), as_json=json)


def _event(payload: str) -> bytes:
    if not payload.startswith("@"):
        body = payload.encode()
    elif payload == "@-":
        body = sys.stdin.buffer.read()
    else:
        try:
            body = Path(payload[1:]).read_bytes()
        except OSError as wrong:
            raise BadFile(file=Path(payload[1:]), why=wrong.strerror or "it cannot be read") from wrong
    try:
        encoding.loads(body)
    except ValueError as wrong:
        raise NotJson from wrong
    return body


def checked(url: str) -> str:
    """Refuse an address to which a token must not go."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname or "")):
        return url
    raise NotEncrypted(url=url)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def post(url: str, body: bytes, headers: dict[str, str]) -> "Response":
    """Ask a gateway."""
    import httpx

    limits = httpx.Timeout(LONGEST, connect=_CONNECT)
    try:  # no proxy and no netrc of the environment: a token goes to the gateway and to nobody else
        return httpx.post(url, content=body, headers=headers, timeout=limits, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as wrong:
        raise NotReachable(url=url, why=str(wrong) or "it took too long") from wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, and what it means."""

    outcome: str
    exit_code: int
    status: int
    call: str | None
    text: str
    found: Any
    wait: str | None


def read(status: int, headers: Mapping[str, str], text: str) -> Answer:
    """Work out what an answer of the gateway means."""
    try:
        found: Any = encoding.loads(text)
    except ValueError:
        found = text
    if status == 403 and isinstance(found, dict) and isinstance(found.get("reasons"), list):
        outcome, code = "denied", DENIED
    elif not 200 <= status < 300:
        outcome, code = "failed", ASKED_WRONGLY if status in _ASKED_WRONGLY else CANNOT_TELL
    elif "x-amz-function-error" in headers:
        outcome, code = "function-error", CANNOT_TELL
    else:
        outcome, code = "answered", DONE
    return Answer(
        outcome=outcome,
        exit_code=code,
        status=status,
        call=headers.get("actas-call-id"),
        text=text,
        found=found,
        wait=headers.get("retry-after"),
    )


def _show(answer: Answer, *, as_json: bool) -> int:
    if as_json:
        told = {"outcome": answer.outcome, "status": answer.status, "call": answer.call, "answer": answer.found}
        print(output.json_line(told))
    elif answer.outcome == "denied":
        print(output.refusal_text(answer.found["reasons"]))
    elif answer.outcome == "failed":
        print(failure_text(answer), file=sys.stderr)
    else:
        print(output.plain(answer.text) if sys.stdout.isatty() else answer.text)
        if answer.outcome == "function-error":
            print(f"the function failed; its error is above, its log: actas logs --call {answer.call}", file=sys.stderr)
    return answer.exit_code


def failure_text(answer: Answer) -> str:
    """Write what kept the call from being taken, and what to do."""
    told = answer.found if isinstance(answer.found, dict) else {}
    code = str(told.get("code") or f"http.{answer.status}")
    detail = str(told.get("detail") or told.get("title") or f"the gateway answered with status {answer.status}")
    hint = _HINTS.get(answer.status)
    if answer.status == 429 and answer.wait:
        hint = f"Call again in {answer.wait} s."
    if hint is None:
        hint = f"Look it up by its call id: actas audit show {answer.call}." if answer.call else "Is it a gateway?"
    return output.plain(output.error_text(code, detail[:1].lower() + detail[1:], hint))
