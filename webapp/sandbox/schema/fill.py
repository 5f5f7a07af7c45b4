"""Fills a JSON schema: finds one value that is valid for it, in a bounded number of steps."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import unquote

from webapp.sandbox.schema.merge import key, merge
from webapp.sandbox.schema.numbers import number_for
from webapp.sandbox.schema.strings import string_for
from webapp.sandbox.schema.terms import BadSchema, DeadEnd, TooLarge, count, inner, is_a, kinds, listed, names

MAX_STEPS = 20_000  # keywords looked at, also in branches that lead to no value, and tokens of strings
FULL_STEPS, FULL_DEPTH = 2_000, 8  # after so many steps, or that deep, only what the schema demands is filled in
MAX_DEPTH = 60
_NOTES = ("title", "description", "default", "examples")  # keywords that allow and forbid nothing
MAX_REPEATS = 2  # times that one definition may be inside itself


class Spot(NamedTuple):
    """Where a value belongs: how deep, inside which definitions, and which place in its list."""

    depth: int = 0
    within: tuple[str, ...] = ()
    nth: int = 0

    def inside(self, nth: int | None = None) -> Spot:
        """A place one level deeper."""
        return Spot(self.depth + 1, self.within, self.nth if nth is None else nth)


def filled(schema: Any) -> Any:
    """A value that is valid for the schema, always the same one. Raises BadSchema where none is found."""
    try:
        return _Filler(schema).fill(schema, Spot())
    except DeadEnd:
        raise BadSchema("no finite value is valid for the schema") from None
    except RecursionError:
        raise TooLarge("the schema is nested too deeply") from None


class _Filler:
    """Fills one schema. `fill` raises DeadEnd where a part has no value, and its callers then try another way."""

    def __init__(self, root: Any) -> None:
        self.root, self.steps = root, 0

    def fill(self, schema: Any, place: Spot) -> Any:
        """A value for a part of the schema."""
        if place.depth > MAX_DEPTH:
            raise TooLarge("the schema is nested too deeply")
        schema, place = self._plain(schema, place)
        for word in ("anyOf", "oneOf"):
            if word in schema:
                return self._branch(schema, word, place)
        if "enum" in schema:
            return self._chosen(schema, place)
        for kind in self._ordered(schema, place):
            with suppress(DeadEnd):
                return self._of_kind(kind, schema, place)
        raise DeadEnd

    def _full(self, place: Spot) -> bool:
        return self.steps < FULL_STEPS and place.depth < FULL_DEPTH

    def _ordered(self, schema: dict[str, Any], place: Spot) -> list[str]:
        allowed = kinds(schema)
        return allowed if self._full(place) else allowed[::-1]  # null is last

    def _plain(self, schema: Any, place: Spot) -> tuple[dict[str, Any], Spot]:
        """The part without `$ref`, `allOf` and `const`, and the place with the definitions it came through."""
        if isinstance(schema, bool):
            schema = {} if schema else {"enum": []}
        if not isinstance(schema, dict):
            raise BadSchema("a schema has to be an object or a boolean")
        self._spend(schema)
        rest = {word: value for word, value in schema.items() if word not in ("$ref", "allOf", "const")}
        if "const" in schema:
            rest = merge(rest, {"enum": [schema["const"]]})
        parts = listed(schema, "allOf", least=1)
        if "$ref" in schema:
            parts = [*parts, self._definition(schema["$ref"])]
            place = place._replace(within=(*place.within, schema["$ref"]))
            if place.within.count(schema["$ref"]) > MAX_REPEATS:
                raise DeadEnd
        for part in parts:
            plain, place = self._plain(part, place)
            rest = merge(plain, rest)
        return rest, place

    def _spend(self, schema: dict[str, Any]) -> None:
        self.steps += 1 + sum(len(value) for value in schema.values() if isinstance(value, list | dict))
        if self.steps > MAX_STEPS:
            raise TooLarge("the schema is too large, or its values are")

    def _definition(self, reference: Any) -> Any:
        found = self.root
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise BadSchema("'$ref' has to begin with '#': only definitions in the same schema can be used")
        for name in reference[1:].split("/")[1:]:
            step = unquote(name).replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and step.isdecimal() and int(step[:9]) < len(found):
                found = found[int(step[:9])]
            elif isinstance(found, dict) and step in found:
                found = found[step]
            else:
                raise BadSchema(f"'$ref' names {reference[:80]!r}, which the schema does not have")
        return found

    def _branch(self, schema: dict[str, Any], word: str, place: Spot) -> Any:
        rest = {name: value for name, value in schema.items() if name != word}
        branches = listed(schema, word, least=1)
        for branch in sorted(branches, key=_weight if self._full(place) else _lightness):
            with suppress(DeadEnd):
                return self.fill({"allOf": [branch, rest]} if rest else branch, place)
        raise DeadEnd

    def _chosen(self, schema: dict[str, Any], place: Spot) -> Any:
        allowed = kinds(schema) if "type" in schema else []
        values = [value for value in listed(schema, "enum") if not allowed or any(is_a(value, k) for k in allowed)]
        if not values:
            raise DeadEnd
        return values[place.nth % len(values)]

    def _of_kind(self, kind: str, schema: dict[str, Any], place: Spot) -> Any:
        match kind:
            case "object":
                return self._object(schema, place)
            case "array":
                return self._array(schema, place)
            case "string":
                made = string_for(schema, place.nth)
                self.steps += len(made) // 4
                return made
            case "boolean":
                return place.nth % 2 == 0
            case "null":
                return None
        return number_for(schema, place.nth, whole=kind == "integer")

    def _object(self, schema: dict[str, Any], place: Spot) -> dict[str, Any]:
        properties, required = inner(schema, "properties"), names(schema)
        most = count(schema, "maxProperties")
        spare = len(properties) if most is None else most - len(set(required))
        if spare < 0:
            raise DeadEnd
        made: dict[str, Any] = {}
        for name, part in properties.items():
            if name in required:
                made[name] = self.fill(part, place.inside())
            elif spare and self._full(place):
                with suppress(DeadEnd):
                    made[name] = self.fill(part, place.inside())
                    spare -= 1
        for name in required:
            if name not in made:
                made[name] = self.fill(schema.get("additionalProperties", True), place.inside())
        return self._with_more(made, schema, place)

    def _with_more(self, made: dict[str, Any], schema: dict[str, Any], place: Spot) -> dict[str, Any]:
        """The object with members of other names: as many as `minProperties` demands, or one as an example."""
        least, patterns = count(schema, "minProperties") or 0, inner(schema, "patternProperties")
        named, part = schema.get("propertyNames", True), schema.get("additionalProperties", True)
        if patterns:
            pattern, part = next(iter(patterns.items()))
            named = {"allOf": [named, {"pattern": pattern}]}
        shown = not made and isinstance(part, dict) and self._full(place) and count(schema, "maxProperties") != 0
        wanted = max(least, 1 if shown else 0)
        if wanted > MAX_STEPS:
            raise TooLarge("the schema demands too many members")
        for nth in range(2 * (wanted - len(made)) + 8):
            if len(made) >= wanted:
                break
            with suppress(DeadEnd):
                name = self.fill({"allOf": [named, {"type": "string"}]}, place.inside(nth))
                made.setdefault(name, self.fill(part, place.inside(nth)))
        if len(made) < least:
            raise DeadEnd
        return made

    def _array(self, schema: dict[str, Any], place: Spot) -> list[Any]:
        least, most = count(schema, "minItems") or 0, count(schema, "maxItems")
        word = "items" if isinstance(schema.get("items"), list) else "prefixItems"
        first = listed(schema, word)
        rest = schema.get("additionalItems" if word == "items" else "items", True)
        wanted = max(least, len(first) or 1) if self._full(place) else least
        wanted = wanted if most is None else min(wanted, most)
        if wanted < least:
            raise DeadEnd
        if least > MAX_STEPS:
            raise TooLarge("the schema demands too many items")
        made: list[Any] = []
        found: set[str] = set()
        for nth in range(2 * wanted + 8):
            if len(made) >= wanted:
                break
            part = first[len(made)] if len(made) < len(first) else rest
            try:
                item = self.fill(part, place.inside(nth if wanted > 1 else None))
            except DeadEnd:
                break
            if schema.get("uniqueItems") is not True or key(item) not in found:
                made.append(item)
                found.add(key(item))
        if len(made) < least:
            raise DeadEnd
        return made


def _weight(branch: Any) -> int:
    """Sorts branches that are null to the end, and those that say nothing, as where a client cut a recursion, last."""
    if isinstance(branch, dict) and branch.get("type") == "null":
        return 1
    says = isinstance(branch, dict) and any(word not in _NOTES for word in branch)
    return 0 if says else 2


def _lightness(branch: Any) -> int:
    """Sorts branches by how much they may hold: null, then single values, then the rest."""
    if _weight(branch) == 1:
        return 0
    nested = isinstance(branch, dict) and any(word in branch for word in ("$ref", "properties", "items", "allOf"))
    return 2 if nested else 1
