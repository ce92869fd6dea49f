"""JUnit reports, for a CI. Values in, text out."""

import re
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

_FOREIGN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (section 2.2) takes in no document."""


def junit(name: str, cases: Iterable[tuple[str, Sequence[str]]]) -> str:
    """Write a report of *cases*: what each says, and what is wrong with it."""
    tried = list(cases)
    failed = sum(bool(wrongs) for _, wrongs in tried)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuite name={_attribute(name)} tests="{len(tried)}" failures="{failed}">',
    ]
    for says, wrongs in tried:
        lines.append(f"  <testcase name={_attribute(says)}>")
        lines += [f"    <failure message={_attribute(one)}>{escape(_plain(one))}</failure>" for one in wrongs]
        lines.append("  </testcase>")
    return "\n".join([*lines, "</testsuite>", ""])


def _attribute(text: str) -> str:
    return quoteattr(_plain(text))


def _plain(text: str) -> str:
    return _FOREIGN.sub("?", text)
