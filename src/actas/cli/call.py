"""``actas call``: call a function through the gateway, as somebody."""

import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from actas.cli import CANNOT_TELL, DENIED, DONE, output
from actas.cli.errors import NotReachable
from actas.cli.places import find_gateway
from actas.cli.signins import token_for


def call(
    function: str,
    *,
    as_: Annotated[str | None, Parameter(name="--as")] = None,
    payload: str = "{}",
    role: str | None = None,
    gateway: str | None = None,
    state: Path = Path(".actas"),
    json: bool = False,
) -> int:
    """Call a function and print what it gives back.

    Examples:
        actas call hello --as ana
        actas call report --as ana --payload '{"month": "2026-10"}' --role finance-reader
        actas call report --payload @event.json

    Parameters
    ----------
    function:
        The function's name in the settings file.
    as_:
        Who calls: a stored sign-in (see 'actas login') or a person of the demo.
    payload:
        The event, as JSON; @FILE reads it from a file.
    role:
        The role to take, where the rules offer several.
    gateway:
        The gateway's public URL; by default the one that runs here.
    state:
        The folder where the gateway that runs here keeps its state.
    json:
        Print one JSON object: the outcome, the answer, the call id.
    """
    import anyio
    import httpx

    body = Path(payload[1:]).read_bytes() if payload.startswith("@") else payload.encode()
    token = anyio.run(token_for, as_, state)
    url = f"{(gateway or find_gateway(state).public_url).rstrip('/')}/call/{function}"
    headers = {"Authorization": f"Bearer {token.reveal()}", "Content-Type": "application/json"}
    if role:
        headers["Actas-Role"] = role
    try:
        answer = httpx.post(url, content=body, headers=headers, timeout=900, trust_env=False)
    except httpx.HTTPError as wrong:
        raise NotReachable(url=url, why=str(wrong)) from wrong
    return _show(answer.status_code, dict(answer.headers), answer.text, as_json=json)


def _show(status: int, headers: dict[str, str], text: str, *, as_json: bool) -> int:
    import json

    try:
        found: Any = json.loads(text)
    except ValueError:
        found = text
    name = headers.get("actas-call-id")
    outcome, code = _outcome(status, headers)
    if as_json:
        print(output.json_line({"outcome": outcome, "status": status, "call": name, "answer": found}))
        return code
    if outcome == "denied":
        print(output.refusal_text(found.get("reasons", [])))
    elif outcome == "failed":
        detail = found if isinstance(found, dict) else {}
        print(
            output.error_text(
                str(detail.get("code") or f"http.{status}"),
                str(detail.get("detail") or detail.get("title") or "the call was not taken"),
                f"Look it up by its call id: actas audit show {name}.",
            ),
            file=sys.stderr,
        )
    else:
        print(text)
        if outcome == "function-error":
            print("the function failed; its error is above", file=sys.stderr)
    return code


def _outcome(status: int, headers: dict[str, str]) -> tuple[str, int]:
    if status == 403:
        return "denied", DENIED
    if status >= 400:
        return "failed", CANNOT_TELL
    if "x-amz-function-error" in headers:
        return "function-error", CANNOT_TELL
    return "answered", DONE
