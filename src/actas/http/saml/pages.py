"""The pages that people see while they sign in and out: a sentence, a button, the call's id; no name of anybody. Pure.

Nothing from a request or a provider is written into a page but what is escaped here, no script runs but the one that
sends a form on, and no other site may frame them.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from starlette.responses import Response

_FRAME: Final = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width"><style nonce="{nonce}">'
    "body{{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem}}"
    "code{{font-size:.9rem}}button{{font:inherit;padding:.4rem 1rem}}</style></head>\n"
    "<body><h1>{title}</h1>\n{body}\n{foot}</body></html>\n"
)
_NOTHING: Final = "default-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form with one button; where it is *sent*, the page sends it by itself."""

    action: str
    button: str
    fields: Mapping[str, str]
    sent: bool = False


def page(
    title: str,
    sentences: Sequence[str],
    *,
    nonce: str,
    call: str,
    status: int = 200,
    form: Form | None = None,
    leads_to: Sequence[str] = (),
    https: bool = True,
) -> Response:
    """Write a page; *leads_to* lists addresses that its form may end up at."""
    body = "\n".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)
    if form is not None:
        body += "\n" + _form(form, nonce)
    foot = f"<p><small>Call <code>{html.escape(call)}</code></small></p>"
    text = _FRAME.format(title=html.escape(title), nonce=nonce, body=body, foot=foot)
    response = Response(text, status_code=status, media_type="text/html")
    secure(response, call, https=https)
    response.headers["content-security-policy"] = _policy(nonce, form, leads_to)
    return response


def secure(response: Response, call: str, *, https: bool) -> None:
    """Give *response* the header fields that each of these doors' answers has."""
    response.headers.update(
        {
            "actas-call-id": call,
            "cache-control": "no-store",
            "content-security-policy": _NOTHING,
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=()",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
        }
    )
    if https:
        response.headers["strict-transport-security"] = "max-age=31536000"


def _form(form: Form, nonce: str) -> str:
    fields = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in form.fields.items()
    )
    script = f'<script nonce="{nonce}">document.forms[0].submit()</script>' if form.sent else ""
    return (
        f'<form method="post" action="{html.escape(form.action)}">{fields}'
        f"<button>{html.escape(form.button)}</button></form>{script}"
    )


def _policy(nonce: str, form: Form | None, leads_to: Sequence[str]) -> str:
    script = f"; script-src 'nonce-{nonce}'" if form is not None and form.sent else ""
    return (
        f"default-src 'none'; style-src 'nonce-{nonce}'{script}; form-action {_targets(form, leads_to)}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )


def _targets(form: Form | None, leads_to: Sequence[str]) -> str:
    """List where the form may go: browsers ask it of every redirection after it too."""
    if form is None:
        return "'none'"
    origins = [origin for address in (form.action, *leads_to) if (origin := _origin(address))]
    # Where a provider sends the browser on from its own endpoint is its matter; it is never in clear.
    return " ".join(dict.fromkeys(["'self'", *origins, *(["https:"] if origins else [])]))


def _origin(address: str) -> str:
    parts = urlsplit(address)
    safe = parts.scheme in ("https", "http") and parts.netloc and not set(parts.netloc) & set(" ;,'\"")
    return f"{parts.scheme}://{parts.netloc}" if safe else ""
