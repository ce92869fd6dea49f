"""What the terminal shows, as text: functions take values and give text, so that a test can read every character.

Verdict first, then why, then what to do. One thing a line.
"""

import json
from collections.abc import Mapping
from typing import Any


def error_text(code: str, message: str, hint: str) -> str:
    """Write an error with its code and what to do."""
    return f"error[{code}]: {message}\n  hint: {hint}"


def json_line(value: Mapping[str, Any]) -> str:
    """Write one object on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def refusal_text(reasons: list[Mapping[str, Any]]) -> str:
    """Write a no with its reasons."""
    return "\n".join(["denied", *(f"  {reason['because']}  [{reason['code']}]" for reason in reasons)])
