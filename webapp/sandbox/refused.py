"""Requests that OpenAI would refuse: the refusal, and readers of fields that raise it in OpenAI's words."""

from __future__ import annotations

from typing import Any


class SandboxError(Exception):
    """A request that OpenAI would refuse. `param`: the field it is about; `code`: OpenAI's code of the error."""

    def __init__(self, status: int, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.param, self.code = status, param, code


def whole_number(fields: dict[str, Any], name: str, low: int, high: int | None = None) -> int | None:
    """The integer in a field, from `low` to `high`; None where the field is absent or null."""
    value = fields.get(name)
    if value is None:
        return None
    if type(value) is str and value.isascii() and value.isdigit() and len(value) < 10:  # from a form
        value = int(value)
    if type(value) is not int:
        raise SandboxError(400, f"Invalid type for '{name}': expected an integer.", param=name, code="invalid_type")
    if value < low:
        message = f"Invalid '{name}': integer below minimum value. Expected a value >= {low}, but got {value} instead."
        raise SandboxError(400, message, param=name, code="integer_below_min_value")
    if high is not None and value > high:
        message = f"Invalid '{name}': integer above maximum value. Expected a value <= {high}, but got {value} instead."
        raise SandboxError(400, message, param=name, code="integer_above_max_value")
    return value


def one_of(value: Any, allowed: tuple[str, ...], param: str) -> str:
    """The value, which has to be one of `allowed`."""
    if value not in allowed:
        listed = ", ".join(f"'{word}'" for word in allowed)
        message = f"Invalid value: '{str(value)[:80]}'. Supported values are: {listed}."
        raise SandboxError(400, message, param=param, code="invalid_value")
    return value


def objects(value: Any, param: str) -> list[dict[str, Any]]:
    """The objects of a field that is a list of objects; [] where the field is absent or null."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        message = f"Invalid type for '{param}': expected an array of objects."
        raise SandboxError(400, message, param=param, code="invalid_type")
    return value
