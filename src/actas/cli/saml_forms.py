"""Read the forms of a page, as a browser without scripts does. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

_SENT = frozenset({"hidden", "text", "email", "tel", "password", "submit", ""})


@dataclass(slots=True, kw_only=True)
class Form:
    """A form: where it goes, and what is in it."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    """Fields that a person fills in with a name."""
    password: str | None = None
    """The field for the password."""

    def filled(self, user: str, password: str) -> dict[str, str]:
        """Give the fields with a name and a password in their places."""
        found = dict(self.fields)
        found |= dict.fromkeys(self.names[:1], user)
        return found | ({} if self.password is None else {self.password: password})


def forms(html: str) -> Sequence[Form]:
    """Find the forms of a page."""
    reader = _Reader()
    reader.feed(html)
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Form] = []
        self._is_open = False
        self._has_submit = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(action=given.get("action", ""), method=given.get("method", "get").lower()))
            self._is_open, self._has_submit = True, False
        elif self._is_open and tag in {"input", "button"}:
            self._field(tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_open = False

    def _field(self, tag: str, given: dict[str, str]) -> None:
        name, kind = given.get("name", ""), given.get("type", "submit" if tag == "button" else "text").lower()
        if not name or kind not in _SENT or "disabled" in given:
            return
        form = self.found[-1]
        if kind == "submit":  # a browser sends the one that is pressed
            if not self._has_submit:
                form.fields[name] = given.get("value", "")
            self._has_submit = True
            return
        form.fields[name] = given.get("value", "")
        if kind == "password" and form.password is None:
            form.password = name
        elif kind in {"text", "email", "tel", ""}:
            form.names.append(name)
