"""Answers of the query protocol, in XML as AWS's clients read it. Pure."""

import re
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape

from actas.http.problems import Head

NAMESPACE: Final = "https://sts.amazonaws.com/doc/2011-06-15/"
Tree = str | int | datetime | dict[str, "Tree"] | None
_PLAIN: Final = re.compile(r"[A-Za-z0-9._:/+=,@ -]*")
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def result(action: str, content: dict[str, Tree], call: str) -> tuple[int, Head, bytes]:
    """Write what *action* gives back."""
    inside = f"<{action}Result>{_written(content)}</{action}Result>" if content else f"<{action}Result/>"
    text = (
        f'<{action}Response xmlns="{NAMESPACE}">{inside}'
        f"<ResponseMetadata><RequestId>{call}</RequestId></ResponseMetadata></{action}Response>"
    )
    return _answer(200, text, call)


def error(status: int, code: str, message: str, call: str, *, is_ours: bool = False) -> tuple[int, Head, bytes]:
    """Write why something is not done; *is_ours* where the fault is this gateway's."""
    said: dict[str, Tree] = {"Type": "Receiver" if is_ours else "Sender", "Code": code, "Message": message}
    inside = f"<Error>{_written(said)}</Error><RequestId>{call}</RequestId>"
    text = f'<ErrorResponse xmlns="{NAMESPACE}">{inside}</ErrorResponse>'
    return _answer(status, text, call)


def _written(tree: Tree) -> str:
    match tree:
        case None:
            return ""
        case str() if _PLAIN.fullmatch(tree):
            return tree
        case str():
            return escape(_NOT_XML.sub("\ufffd", tree))
        case int():
            return str(tree)
        case datetime():
            return f"{tree:%Y-%m-%dT%H:%M:%SZ}"
        case dict():
            return "".join([f"<{name}>{_written(one)}</{name}>" for name, one in tree.items() if one is not None])


def _answer(status: int, text: str, call: str) -> tuple[int, Head, bytes]:
    content = text.encode()
    head = [
        (b"content-type", b"text/xml"),
        (b"content-length", str(len(content)).encode()),
        (b"x-amzn-requestid", call.encode()),
        (b"actas-call-id", call.encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    return status, head, content
