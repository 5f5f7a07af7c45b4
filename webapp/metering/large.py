"""Reads a large JSON request in short steps and bounded memory (see scan.py).

What fits into one step is decoded in C and judged by the same functions as a small request. Only objects, lists and
strings that do not fit are opened here, and of them no more is kept than these functions need.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from webapp.metering import runs
from webapp.metering.containers import PLACES
from webapp.metering.jsonwalk import Doubled, Number, members
from webapp.metering.references import (
    DUPLICATE_KEYS,
    NEEDS_OWN_KEY,
    Objection,
    is_free_form,
    is_variable,
    member_objection,
    objection,
)
from webapp.metering.runs import EXACT, QUICK
from webapp.metering.scan import BREAK, PIECE, Reading, Scanner, may_go_on

MAX_DEPTH = 64  # of objects and lists that are open at the same time
MAX_NAMES = 50_000  # members of all objects that are open at the same time
MAX_TOOLS = 10_000
MAX_WASTE = 32  # characters that may be decoded in vain, for each byte of the request
KEPT_WORD = 64  # characters kept of a string that only has to be there

OPTIONS = "stream_options"
# Members of the request itself that are kept as they are; of others it is kept that they are there.
FIELDS = frozenset((
    "model", "stream", "store", "user", "safety_identifier", "background", "background_options", "n", "size", "quality",
    "response_format", "input", "memory_limit", "metadata", OPTIONS,
))  # fmt: skip
_INDEX = re.compile(r"\[\d+\]")


class Open:
    """An object or a list of which the end has not been read. `name`: of the member that it is, "" in a list."""

    def __init__(self, bracket: str, name: str, *, ours: bool) -> None:
        self.is_object, self.name, self.ours = bracket == "{", name, ours
        self.members: dict[str, Any] = {}  # of an object, reduced
        self.begun = self.after_comma = False


class RequestReader(Scanner):
    """Reads `fields`, the request's own members (those in FIELDS, and `tools`), and the `objection` to it, if any.

    `failed`: it is not one JSON object, or nests too deeply, or has too many members. `characters`: the length of
    `input`, where that is a long string. `options`: first and last byte of the value of `stream_options`.
    is_own: see request.read_json_request.
    """

    def __init__(self, window: int = PIECE, is_own: Callable[[str, Any], bool] | None = None) -> None:
        super().__init__(strict=True)
        self.fields: dict[str, Any] = {}
        self.objection: Objection | None = None
        self.characters: int | None = None
        self.options: tuple[int, int] | None = None
        self._window, self._is_own = window, is_own
        self._open: list[Open] = []
        self._names = self._singles = self._wasted = 0
        self._tools: list[dict[str, Any]] = []
        self._tried = ""  # the text in which no run of values could be decoded at once

    def _document(self) -> Reading:
        if (yield from self._peek()) != "{":
            raise ValueError("not a JSON object")
        yield from self._begin("")
        while self._open:
            top = self._open[-1]
            char = yield from self._peek()
            if char == ("}" if top.is_object else "]") and not top.after_comma:
                self._at += 1
                self._end(self._open.pop())
            elif top.begun and not top.after_comma:
                if char != ",":
                    raise ValueError("expected a comma")
                self._at += 1
                top.after_comma = True
            else:
                top.begun, top.after_comma = True, False
                yield from self._fill(self._window)
                if self._take_run(top):
                    yield BREAK
                else:
                    yield from self._take_one(top)

    def _begin(self, name: str) -> Reading:
        if len(self._open) == MAX_DEPTH:
            raise ValueError("nested too deeply")
        bracket = self._text[self._at]
        ours = not self._open or (self._open[-1].ours and not is_free_form(name, is_object=bracket == "{"))
        self._open.append(Open(bracket, name, ours=ours))
        self._at += 1
        yield BREAK

    def _end(self, ended: Open) -> None:
        self._names -= len(ended.members)
        if not self._open:
            if self._tools:
                self.fields["tools"] = self._tools
            return
        value = ended.members if ended.is_object else [None] * ended.begun
        self._took(self._open[-1], ended.name, value, begun=True)

    def _take_run(self, top: Open) -> bool:
        """Decode many values at once; False where none of them ends in the text."""
        if self._tried is self._text:
            return False
        run = runs.decoded(self._text, self._at, "{}" if top.is_object else "[]", exact=len(self._open) == 1)
        self._waste(run.wasted)
        if run.values and top.is_object:
            self._note_options(self._text, self._at, run.end, run.values)
        elif not run.values:
            self._tried = self._text
            run = run if top.is_object else runs.one_by_one(self._text, self._at)
        if run.values:
            self._took_run(top, run.values, self._text[self._at : run.end])
            self._at = run.end
        return bool(run.values)

    def _note_options(self, text: str, at: int, end: int, values: dict[str, Any]) -> None:
        if len(self._open) == 1 and OPTIONS in values:
            found = next(one for one in reversed(members("{" + text[at:end] + "}")[0]) if one.key == OPTIONS)
            self.options = self._place(at + found.start - 1), self._place(at + found.end - 1)

    def _place(self, at: int) -> int:
        return self._before + len(self._text[:at].encode())

    def _take_one(self, top: Open) -> Reading:
        """Decode one value, or open it when it does not end in the text."""
        name = (yield from self._key()) if top.is_object else ""
        kind = yield from self._peek()
        yield from self._fill(self._window)
        self._singles += 1
        if self._singles % runs.SINGLES == 0:
            yield BREAK
        while not self._decoded(top, name):
            if kind in '{["' or len(self._text) - self._at > PIECE:
                break
            yield from self._more()  # a number or a word that goes on
        else:
            return
        if kind == '"':
            self._at += 1
            value, length = yield from self._string()
            self._took(top, name, value)
            if len(self._open) == 1 and name == "input":
                self.characters = length
        elif kind in "{[":
            yield from self._begin(name)
        else:
            raise ValueError("not a value")

    def _decoded(self, top: Open, name: str) -> bool:
        """Decode the next value, if it ends in the text."""
        try:
            value, end = (EXACT if len(self._open) == 1 else QUICK).raw_decode(self._text, self._at)
        except ValueError:  # it goes on, or is invalid: then so is a part of it
            self._waste(len(self._text) - self._at)
            return False
        if not self._ended and may_go_on(self._text, end):
            return False
        if len(self._open) == 1 and name == OPTIONS:
            self.options = self._place(self._at), self._place(end)
        self._at = end
        self._took(top, name, value)
        return True

    def _waste(self, chars: int) -> None:
        self._wasted += chars
        if self._wasted > MAX_WASTE * (self._before + len(self._text) + 8 * PIECE):
            raise ValueError("too much nesting of long values")

    def _took_run(self, top: Open, values: Any, text: str) -> None:
        if top.is_object:
            if type(values) is Doubled:
                self._object_to(top, Objection(DUPLICATE_KEYS, top.name or None))
            for name, value in values.items():
                self._took(top, name, value)
        elif '"' in text:  # without strings there are no names either
            self._judge(top, top.name, values)
            for value in values:
                self._tool(top, value)

    def _took(self, top: Open, name: str, value: Any, *, begun: bool = False) -> None:
        """A value of `top` was read; `begun`: it had been opened, and `value` is what was kept of it."""
        if not top.is_object:
            self._judge(top, top.name, [value])
            self._tool(top, value)
            return
        if name in top.members:
            self._object_to(top, Objection(DUPLICATE_KEYS, top.name or None))
        else:
            self._names += 1
        if self._names > MAX_NAMES:
            raise ValueError("too many members")
        top.members[name] = _reduced(name, value)
        if len(self._open) == 1:
            self._took_field(name, value, begun=begun)
        self._judge(top, name, value)

    def _took_field(self, name: str, value: Any, *, begun: bool) -> None:
        """A member of the request itself; of duplicates the last counts."""
        if name in FIELDS:
            self.fields[name] = value
            if name == "input":
                self.characters = None
            if name == OPTIONS and begun:
                self.options = None
        if name == "tools":
            self._tools = self._tools if begun else []
            if not begun:
                self.fields[name] = value

    def _tool(self, top: Open, item: Any) -> None:
        """Keep of an item of the request's tools what containers.memory_of needs."""
        if len(self._open) == 2 and top.name == "tools" and isinstance(item, dict) and len(self._tools) < MAX_TOOLS:
            kind = item.get("type")
            if type(kind) is str and kind in PLACES:
                self._tools.append({"type": kind, PLACES[kind]: item.get(PLACES[kind])})

    def _judge(self, top: Open, name: str, value: Any) -> None:
        if self.objection is None and not (top.is_object and is_variable(top.name, value)):
            if len(self._open) > 1:
                self._object_to(top, member_objection(name, value))
            elif not (self._is_own and self._is_own(name, value)):
                self._object_to(top, objection({name: value}))

    def _object_to(self, top: Open, found: Objection | None) -> None:
        if found and self.objection is None and (top.ours or found.code != NEEDS_OWN_KEY):
            self.objection = found._replace(param=found.param and _INDEX.sub("[]", found.param))


def _reduced(name: str, value: Any) -> Any:
    """What is kept of a member: words, whether a list or object is empty, and where a tool runs."""
    if isinstance(value, str):
        return value[:KEPT_WORD] if type(value) is str else Number(value[:KEPT_WORD])
    if name in PLACES.values():
        return value
    if isinstance(value, list):
        return [None] if value else []
    return ({"": None} if value else {}) if isinstance(value, dict) else value
