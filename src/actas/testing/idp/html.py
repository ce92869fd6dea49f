"""The provider's pages: rendered on the server, nothing loaded from anywhere, safe against framing and forging."""

import secrets
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jinja2
from starlette.responses import HTMLResponse


@cache
def _templates() -> jinja2.Environment:
    folder = Path(__file__).parent / "pages"
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )


def origin_of(address: str) -> str:
    """Give scheme, host and port of an address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def page(name: str, *, status: int = 200, leads_to: str | None = None, **values: Any) -> HTMLResponse:
    """Render a page; its form may lead to our own origin and, by redirect, to that of *leads_to*."""
    nonce = secrets.token_urlsafe(16)
    body = _templates().get_template(f"{name}.html").render(style_nonce=nonce, **values)
    targets = "'self'" + (f" {origin_of(leads_to)}" if leads_to else "")
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action {targets}; frame-ancestors 'none'; base-uri 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(body, status, headers)


def message(title: str, text: str, *, status: int = 200) -> HTMLResponse:
    """Tell one thing."""
    return page("message", status=status, title=title, text=text)
