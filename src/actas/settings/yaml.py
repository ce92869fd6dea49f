"""Read YAML strictly: plain data with the place of every key and value, and all that is wrong with it.

Taken is the part of YAML 1.2 that JSON has, in YAML's clothes: mappings with text keys, lists, texts, whole
numbers, decimal numbers, ``true``, ``false`` and ``null``. Everything else that is unquoted is a text: ``yes``,
``on``, ``12:30``, ``010``, ``2026-01-01``. Anchors, aliases, tags, merge keys, directives, second documents and
duplicate keys are mistakes. The tree is built from libyaml's events without recursion.
"""

import re
from dataclasses import dataclass, field
from typing import Final

import yaml
from yaml import events

from actas.settings.mistakes import MOST
from actas.settings.positions import START, Mark, Path, Positions, point

LARGEST: Final = 1024 * 1024
DEEPEST: Final = 24
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17}(?:[eE][-+]?[0-9]{1,2})?|[eE][-+]?[0-9]{1,2})")
_WORDS = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class Hole:
    """Stands where a mistake has left no value; later checks pass it by."""


HOLE: Final = Hole()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A mistake of the text itself, before anything is known of what it means."""

    code: str
    message: str
    hint: str
    mark: Mark
    path: Path = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What a text held; ``whole`` is False where reading had to stop half-way."""

    data: object
    positions: Positions
    wrongs: tuple[Wrong, ...]
    whole: bool = True


@dataclass(slots=True)
class _Frame:
    path: Path
    box: dict[str, object] | list[object]
    kept: bool = True
    """False inside something that is thrown away: a duplicate's value, a key that is no text."""
    key: str | None = None
    waits: bool = False
    """A mapping that has read a key and waits for its value."""
    drop: bool = False
    """The value it waits for is thrown away."""


def load(text: str) -> Tree:
    """Read *text*, whatever it holds; what is wrong with it stands in the tree."""
    builder = _Builder()
    if len(text.encode()) > LARGEST:
        message = f"the file is larger than {LARGEST:,} bytes"
        builder.wrong("settings.too-large", message, "Split off what is not settings.", START)
        return builder.tree(whole=False)
    if (control := _CONTROL.search(text.replace("\r\n", "\n"))) is not None:
        return _control_character(builder, text, control[0])
    loader = yaml.CSafeLoader(text)
    try:
        while (event := loader.get_event()) is not None:
            if not builder.take(event) or len(builder.wrongs) > MOST:
                return builder.tree(whole=False)
    except yaml.YAMLError as wrong:
        builder.broken(wrong)
        return builder.tree(whole=False)
    finally:
        loader.dispose()
    return builder.tree(whole=True)


def _control_character(builder: "_Builder", text: str, found: str) -> Tree:
    before = text[: text.index(found)]
    mark = point(before.count("\n") + 1, len(before) - before.rfind("\n"))
    message = f"a control character, U+{ord(found):04X}"
    builder.wrong("settings.control-character", message, "Remove the character, or write what it stands for.", mark)
    return builder.tree(whole=False)


def plain_value(text: str) -> object:
    """Tell what an unquoted *text* means."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


@dataclass(slots=True)
class _Builder:
    positions: Positions = field(default_factory=Positions)
    wrongs: list[Wrong] = field(default_factory=list)
    stack: list[_Frame] = field(default_factory=list)
    root: object = None
    documents: int = 0

    def tree(self, *, whole: bool) -> Tree:
        return Tree(data=self.root, positions=self.positions, wrongs=tuple(self.wrongs), whole=whole)

    def wrong(self, code: str, message: str, hint: str, mark: Mark, path: Path = ()) -> None:
        self.wrongs.append(Wrong(code=code, message=message, hint=hint, mark=mark, path=path))

    def broken(self, wrong: yaml.YAMLError) -> None:
        """Note a text that is no YAML."""
        found = getattr(wrong, "problem_mark", None) or getattr(wrong, "context_mark", None)
        mark = START if found is None else point(found.line + 1, found.column + 1)
        problem = getattr(wrong, "problem", None) or "the text is no YAML"
        context = getattr(wrong, "context", None)
        message = f"no YAML: {context}, {problem}" if context else f"no YAML: {problem}"
        hint = "Look at this line and the one before it: indentation, quotes, brackets and colons."
        self.wrong("settings.bad-yaml", message, hint, mark)

    def take(self, event: events.Event) -> bool:
        """Take one event; False where there is no point in reading on."""
        match event:
            case events.DocumentStartEvent():
                return self._document(event)
            case events.AliasEvent():
                message = "an alias (*name): a value must stand where it counts"
                self.wrong("settings.alias", message, "Write the value out.", _mark(event), self._here())
                if (frame := self._wants_key()) is None:
                    self._place(HOLE, _mark(event))
                else:
                    frame.waits, frame.drop = True, True
            case events.ScalarEvent():
                self._scalar(event)
            case events.MappingStartEvent():
                return self._open(event, {})
            case events.SequenceStartEvent():
                return self._open(event, [])
            case events.MappingEndEvent() | events.SequenceEndEvent():
                self.stack.pop()
            case _:  # the stream's and the documents' ends
                pass
        return True

    def _document(self, event: events.DocumentStartEvent) -> bool:
        mark = _mark(event)
        self.documents += 1
        if event.version or event.tags:
            hint = "Remove the line that starts with %; the file is read as YAML 1.2."
            self.wrong("settings.directive", "a YAML directive (%)", hint, mark)
        if self.documents > 1:
            hint = "Keep one document in the file: remove this --- and what follows, or move it to its own file."
            self.wrong("settings.several-documents", "a second document starts here", hint, mark)
        return self.documents == 1

    def _marked(self, event: events.NodeEvent, path: Path) -> bool:
        """Note an anchor and a tag; True where the node has a tag."""
        if event.anchor is not None:
            message = "an anchor (&name): values are not shared"
            self.wrong(
                "settings.anchor", message, "Remove the anchor; write the value where it counts.", _mark(event), path
            )
        if (tag := getattr(event, "tag", None)) is not None:
            message = "a YAML tag (!): types come from the key"
            self.wrong("settings.tag", message, "Remove the tag; put quotes around a text.", _mark(event), path)
        return tag is not None

    def _open(self, event: events.CollectionStartEvent, box: "dict[str, object] | list[object]") -> bool:
        path, mark = self._here(), _mark(event)
        if len(self.stack) >= DEEPEST:
            hint = "Nothing in the settings is nested that deep; look for a wrong indentation or bracket."
            self.wrong("settings.too-deep", f"nested deeper than {DEEPEST} levels", hint, mark, path)
            return False
        self._marked(event, path)
        if (frame := self._wants_key()) is not None:
            self.wrong("settings.bad-key", "a key that is a list or a mapping", "Make the key a name.", mark, path)
            frame.waits, frame.drop = True, True
            self.stack.append(_Frame(path=path, box=box, kept=False))
            return True
        kept = self._place(box, mark)
        self.stack.append(_Frame(path=path, box=box, kept=kept))
        return True

    def _scalar(self, event: events.ScalarEvent) -> None:
        if (frame := self._wants_key()) is not None:
            self._key(frame, event)
            return
        path, mark = self._here(), _mark(event)
        self.positions.scalars.append((path, mark))
        value: object = plain_value(event.value) if event.implicit[0] else event.value
        if self._marked(event, path):
            value = HOLE  # what it was meant to be is not guessed
        elif isinstance(value, str) and _CONTROL.search(value):
            message = "a text with a control character"
            self.wrong("settings.control-character", message, "Remove the escape from the text.", mark, path)
            value = HOLE
        self._place(value, mark)

    def _key(self, frame: _Frame, event: events.ScalarEvent) -> None:
        key, mark = event.value, _mark(event)
        path = (*frame.path, key)
        self._marked(event, path)
        assert isinstance(frame.box, dict)
        frame.waits, frame.drop, frame.key = True, True, key
        if event.implicit[0] and key == "<<":
            hint = "Write the keys out where they count."
            self.wrong("settings.merge-key", "a merge key (<<)", hint, mark, frame.path)
        elif not key or len(key) > 200 or _CONTROL.search(key) or "\n" in key:
            message = "a key that is empty, longer than 200 characters, or holds a control character"
            self.wrong("settings.bad-key", message, "Give the key a name.", mark, frame.path)
        elif key in frame.box:
            first = self.positions.keys.get(path, START).line
            message = f'the key "{key}" a second time (first in line {first})'
            self.wrong(
                "settings.duplicate-key", message, "Keep one of them; which one counts is not guessed.", mark, path
            )
        else:
            frame.drop = False
            if frame.kept:
                self.positions.keys[path] = mark
            frame.box[key] = HOLE  # its place is taken, whatever its value turns out to be

    def _wants_key(self) -> _Frame | None:
        """Give the mapping whose next key is due, if it is a key's turn."""
        frame = self.stack[-1] if self.stack else None
        return frame if frame is not None and isinstance(frame.box, dict) and not frame.waits else None

    def _here(self) -> Path:
        """Give the path of the value that comes next."""
        if not self.stack:
            return ()
        frame = self.stack[-1]
        if isinstance(frame.box, list):
            return (*frame.path, len(frame.box))
        return (*frame.path, frame.key) if frame.waits and frame.key is not None else frame.path

    def _place(self, value: object, mark: Mark) -> bool:
        """Put *value* where it belongs; False where that is nowhere."""
        path = self._here()
        if not self.stack:
            self.root = value
            self.positions.values[path] = mark
            return True
        frame = self.stack[-1]
        kept = frame.kept and not frame.drop
        if kept:
            self.positions.values[path] = mark
        if isinstance(frame.box, list):
            frame.box.append(value)
        elif not frame.drop and frame.key is not None:
            frame.box[frame.key] = value
        frame.waits, frame.drop, frame.key = False, False, None
        return kept


def _mark(event: events.Event) -> Mark:
    start, end = event.start_mark, event.end_mark
    assert start is not None
    assert end is not None
    return Mark(start.line + 1, start.column + 1, end.line + 1, end.column + 1)
