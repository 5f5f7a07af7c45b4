"""Selected members of a JSON object of any size, such as the usage of an answer with images in it (see scan.py).

Of members that are not selected, only strings and brackets are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from json.decoder import scanstring
from typing import Any

from webapp.metering.jsonwalk import NESTED, Doubled, decoder, has_double, parse
from webapp.metering.scan import BREAK, Reading, Scanner, may_go_on, no_pause

SMALL = 65_536  # bytes of a document that is decoded as a whole
MAX_MEMBER_CHARS = 32_768  # of a selected member
MAX_DEPTH = 1000  # of brackets, as in the standard library's decoder
MAX_KEPT_CHARS = 2 * 1024 * 1024  # of all selected members together
MAX_ITEMS = 10_000  # of a selected list
MAX_MEMBERS = 30_000  # of an object with selected members
STEPS = 256  # members or strings between two breaks

WHOLE = True
# What to select, by name: the whole member; members of the object there; or members of each object in the list there.
Selection = dict[str, Any]


class Every(dict[str, Any]):
    """The selection of every member, each as a whole."""

    def get(self, key: str, default: Any = None) -> Any:
        return WHOLE


EVERY = Every()
_BRACKET = re.compile(r"[\[\]{}]")
_SCALAR = re.compile(r"[^\[\]{},:\" \t\n\r]*")
# Short strings, flat lists and flat objects of them, and the few characters between them: many values in one match.
# No group is repeated possessively, ()*+: Python before 3.11.5 then goes on behind a repetition that did not match.
_GAP = r'[^"\[\]{}]{0,16}+'
_TEXTS = rf'(?:"[^"\\]{{0,64}}+"{_GAP})'
_TAME = re.compile(rf"{_GAP}(?:{_TEXTS}|(?:\[{_GAP}{_TEXTS}*\]|\{{{_GAP}{_TEXTS}*\}}){_GAP})*")
_EXACT = decoder(strict=False)


def select(data: bytes, selection: Selection, pause: Callable[[], None] = no_pause) -> tuple[dict[str, Any], bool]:
    """The object in `data` with at least the selected members, and whether one of them is doubtful; see Selector."""
    if len(data) <= SMALL:
        before = Doubled.made
        value = parse(data)
        if Doubled.made == before:
            return value, False
    selector = Selector(selection)
    selector.feed(data, pause)
    selector.finish(pause)
    return selector.value, selector.doubtful


class Selector(Scanner):
    """Reads `value`: the object that makes up the document, reduced to the selected members; {} for another document.

    Items of a selected list that are no objects are None. `doubtful`: a selected member is there twice, is longer than
    MAX_MEMBER_CHARS, or has the same key twice; or there is more than MAX_ITEMS, MAX_MEMBERS and MAX_KEPT_CHARS allow.
    """

    def __init__(self, selection: Selection) -> None:
        super().__init__(strict=False)
        self.value: dict[str, Any] = {}
        self.doubtful = False
        self._selection, self._steps, self._room = selection, 0, MAX_KEPT_CHARS

    def _document(self) -> Reading:
        if (yield from self._peek()) == "{":
            value = yield from self._object(self._selection)
        else:
            value = yield from self._skip()
        self._found = value or {}

    def finish(self, pause: Callable[[], None] = no_pause) -> None:
        """The document is over: `value` is there, unless it failed."""
        super().finish(pause)
        self.value = {} if self.failed else self._found

    def _object(self, selection: Selection) -> Reading:
        found: dict[str, Any] = {}
        self._at += 1
        if (yield from self._peek()) == "}":
            self._at += 1
            return found
        for _ in range(MAX_MEMBERS):
            key = yield from self._key()
            yield from self._peek()
            if (selected := selection.get(key)) is not None:
                value = yield from self._selected(selected)
                self.doubtful = self.doubtful or key in found
                found[key] = value
            else:
                yield from self._skip()
            if (yield from self._at_end("}")):
                return found
        yield from self._skip_rest()
        return found

    def _list(self, selection: Selection) -> Reading:
        found: list[dict[str, Any] | None] = []
        self._at += 1
        if (yield from self._peek()) == "]":
            self._at += 1
            return found
        for _ in range(MAX_ITEMS):
            kind = yield from self._peek()
            found.append((yield from self._object(selection) if kind == "{" else self._skip()))
            if (yield from self._at_end("]")):
                return found
        yield from self._skip_rest()
        return found

    def _at_end(self, bracket: str) -> Reading:
        """Pass the comma or the closing bracket behind a value; whether it is the bracket."""
        char = yield from self._peek()
        if char not in (",", bracket):
            raise ValueError("expected a comma")
        self._at += 1
        yield from self._rest_a_moment()
        return char == bracket

    def _rest_a_moment(self) -> Reading:
        self._steps += 1
        if self._steps % STEPS == 0:
            yield BREAK

    def _selected(self, selected: Any) -> Reading:
        kind = self._text[self._at]
        if type(selected) is list:
            return (yield from self._list(selected[0]) if kind == "[" else self._skip())
        if isinstance(selected, dict) and kind == "{":
            return (yield from self._object(selected))
        return (yield from self._decoded())

    def _decoded(self) -> Reading:
        """A member as a whole; None, and doubtful, when it is too long."""
        size = 1
        while size and self._room > 0:
            yield from self._fill(size)
            part = self._text[self._at : self._at + MAX_MEMBER_CHARS]
            try:
                value, end = _EXACT.raw_decode(part)
                if self._ended or not may_go_on(part, end):
                    self._at += end
                    self._room -= end
                    self.doubtful = self.doubtful or (type(value) in NESTED and has_double(value))
                    return value
            except (ValueError, RecursionError):
                pass  # it goes on, or is invalid
            size = 0 if self._ended or len(part) == MAX_MEMBER_CHARS else min(2 * len(part), MAX_MEMBER_CHARS)
        self.doubtful = True
        return (yield from self._skip())

    def _skip(self) -> Reading:
        """Pass one value, whatever it is."""
        kind = yield from self._peek()
        if kind == '"':
            self._at += 1
            yield from self._string()
        elif kind in "[{":
            self._at += 1
            yield from self._skip_nested()
        else:
            begin = self._at
            self._at = _SCALAR.match(self._text, begin).end()  # type: ignore[union-attr]  # it matches "" too
            if self._at == begin:
                raise ValueError("expected a value")
            while self._at == len(self._text) and not self._ended:
                yield None
                self._at = _SCALAR.match(self._text, self._at).end()  # type: ignore[union-attr]

    def _skip_rest(self) -> Reading:
        """Pass all that is left of an object or list."""
        self.doubtful = True
        yield from self._skip_nested()

    def _skip_nested(self) -> Reading:
        """Pass text until all brackets are closed, of which one is already open."""
        depth = 1
        while depth <= MAX_DEPTH:
            self._at = _TAME.match(self._text, self._at).end()  # type: ignore[union-attr]  # it matches "" too
            quote = self._text.find('"', self._at)
            depth = self._skip_brackets(quote if quote >= 0 else len(self._text), depth)
            if not depth:
                return
            if quote < 0:
                yield from self._more()
                continue
            self._at = quote + 1
            try:
                _, self._at = scanstring(self._text, self._at, False)
            except ValueError:
                yield from self._string()
            yield from self._rest_a_moment()
        raise ValueError("nested too deeply")

    def _skip_brackets(self, end: int, depth: int) -> int:
        """Pass text without strings up to `end`, or to the bracket that closes the value; returns the depth there."""
        # Long lists of numbers have no brackets: four searches tell that faster than an expression or counting does.
        found = [at for at in (self._text.find(bracket, self._at, end) for bracket in "]}[{") if at >= 0]
        if found:
            self._at, count = min(found), self._text.count
            closing = count("]", self._at, end) + count("}", self._at, end)
            if closing >= depth:
                return self._skip_each_bracket(end, depth)
            depth += count("[", self._at, end) + count("{", self._at, end) - closing
        self._at = end
        return depth

    def _skip_each_bracket(self, end: int, depth: int) -> int:
        for bracket in _BRACKET.finditer(self._text, self._at, end):
            depth += 1 if bracket[0] in "[{" else -1
            if not depth:
                self._at = bracket.end()
                return 0
        self._at = end
        return depth
