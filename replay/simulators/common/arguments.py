"""Arguments for a function call: a value that satisfies the tool's JSON schema.

What the user said is used where it fits: a value of an enumeration that was named, a number, a
quotation, or a capitalised word.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from typing import Any

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_QUOTED = re.compile(r"[\"“'‘]([^\"”'’]{2,})[\"”'’]")
_NAME = re.compile(r"(?<![.!?] )(?<!^)\b[A-Z][\w-]+(?: [A-Z][\w-]+)*")
_FORMATS = {
    "date": "2026-01-15",
    "time": "09:30:00Z",
    "date-time": "2026-01-15T09:30:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "6f1c2f6e-3f0a-4c41-9b8e-6a52c9b8d7e1",
    "ipv4": "192.0.2.1",
}
_DEPTH = 8
_MOST_ITEMS = 100
_MOST_CHARACTERS = 10_000


def write(schema: Mapping[str, Any] | None, said: str, chance: random.Random) -> str:
    """The `arguments` string of a call of a tool with these `parameters`."""
    maker = _Maker(schema or {}, said, chance)
    value = maker.value(maker.root, "", 0)
    return json.dumps(value if isinstance(value, dict) else {}, ensure_ascii=False)


class _Maker:
    def __init__(self, root: Mapping[str, Any], said: str, chance: random.Random) -> None:
        self.root = root
        self._said = said
        self._chance = chance
        self._words = _QUOTED.findall(said) or _NAME.findall(said)
        self._numbers = [float(text) for text in _NUMBER.findall(said)]

    def value(self, schema: Any, name: str, depth: int) -> Any:
        """A value for one schema; `name` is the property it stands for."""
        if not isinstance(schema, dict):
            return name
        schema = self._resolved(schema)
        for fixed in ("const", "default"):
            if fixed in schema:
                return schema[fixed]
        if schema.get("enum"):
            return self._one_of(schema["enum"])
        if schema.get("examples"):
            return schema["examples"][0]
        return self._of_kind(self._kind(schema), schema, name, depth)

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema with references followed and one branch of each combination taken."""
        for _ in range(_DEPTH):
            reference = schema.get("$ref")
            if isinstance(reference, str) and reference.startswith("#"):
                schema = {**self._at(reference), **_without(schema, "$ref")}
            elif schema.get("allOf"):
                merged = _without(schema, "allOf")
                for part in schema["allOf"]:
                    merged = _merged(merged, part)
                schema = merged
            elif branches := schema.get("anyOf") or schema.get("oneOf"):
                chosen = next((one for one in branches if one.get("type") != "null"), branches[0])
                schema = _merged(_without(schema, "anyOf", "oneOf"), chosen)
            else:
                break
        return schema

    def _at(self, reference: str) -> dict[str, Any]:
        found: Any = self.root
        for step in reference.split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            found = found.get(key, {}) if isinstance(found, dict) else {}
        return found if isinstance(found, dict) else {}

    def _one_of(self, values: list[Any]) -> Any:
        said = self._said.lower()
        named = [value for value in values if str(value).lower() in said]
        return named[0] if named else self._chance.choice(values)

    @staticmethod
    def _kind(schema: dict[str, Any]) -> str:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), "null")
        if kind is None:
            kind = "object" if "properties" in schema else "string"
        return str(kind)

    def _of_kind(self, kind: str, schema: dict[str, Any], name: str, depth: int) -> Any:
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            count = max(schema.get("minItems", 0), 1 if depth < _DEPTH else 0)
            count = min(count, schema.get("maxItems", count), _MOST_ITEMS)
            return [self.value(schema.get("items", {}), name, depth + 1) for _ in range(count)]
        if kind in ("integer", "number"):
            return self._number(schema, kind == "integer")
        if kind == "boolean":
            return True
        return None if kind == "null" else self._string(schema, name)

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        """All properties, or only the required ones where schemas nest without end."""
        properties = schema.get("properties", {})
        required = set(schema.get("required", ()))
        made = {
            name: self.value(inner, name, depth + 1)
            for name, inner in properties.items()
            if name in required or depth < _DEPTH // 2
        }
        return made | {name: name for name in sorted(required - set(properties))}

    def _number(self, schema: dict[str, Any], whole: bool) -> float | int:
        step = schema.get("multipleOf", 1 if whole else None)
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        high = schema.get("maximum", schema.get("exclusiveMaximum"))
        value = self._numbers[0] if self._numbers else 1.0
        margin = step or 0.5
        if high is not None:
            value = min(value, high - (margin if "exclusiveMaximum" in schema else 0))
        if low is not None:
            value = max(value, low + (margin if "exclusiveMinimum" in schema else 0))
        if step:
            value = value // step * step
            value += step if low is not None and value < low else 0
        return int(value) if whole else value

    def _string(self, schema: dict[str, Any], name: str) -> str:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        text = self._words[0] if self._words else (self._said.strip() or name or "text")
        least = min(schema.get("minLength", 0), _MOST_CHARACTERS)
        return text.ljust(least, "x")[: schema.get("maxLength", max(least, 200))]


def _without(schema: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in names}


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Both schemas at once: properties and required names are united."""
    merged = {**first, **second}
    if "properties" in first and "properties" in second:
        merged["properties"] = {**first["properties"], **second["properties"]}
    if "required" in first and "required" in second:
        merged["required"] = [*first["required"], *second["required"]]
    return merged
