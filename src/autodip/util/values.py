"""Frozen values: round trip to plain dictionaries, and checks of single fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from autodip.errors import ParameterError


class Value:
    """Round trip to plain dictionaries that refuses unknown keys."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-ready dictionary."""
        return {
            f.name: _plain(getattr(self, f.name))
            for f in dataclasses.fields(self)  # type: ignore[arg-type]
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Any:
        """Inverse of :meth:`to_dict`; an unknown or missing key is a ParameterError."""
        fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
        unknown = sorted(set(values) - set(fields))
        if unknown:
            raise ParameterError(
                f"{cls.__name__}: unknown {', '.join(map(repr, unknown))}; "
                f"known are {', '.join(fields)}"
            )
        missing = [
            name
            for name, f in fields.items()
            if name not in values
            and f.default is dataclasses.MISSING
            and f.default_factory is dataclasses.MISSING
        ]
        if missing:
            raise ParameterError(f"{cls.__name__}: {', '.join(missing)} missing")
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})

    def replace(self, **changes: Any) -> Any:
        """Copy with some values changed, validated again."""
        return type(self).from_dict({**self._shallow(), **changes})

    def _shallow(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}  # type: ignore[arg-type]


def _plain(value: Any) -> Any:
    if isinstance(value, Value):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return value


def check_int(name: str, value: Any, low: int, high: int | None = None) -> None:
    """Raise a ParameterError unless ``value`` is a whole number from ``low`` to ``high``."""
    limit = f"from {low} to {high}" if high is not None else f"of {low} or more"
    ok = isinstance(value, int) and not isinstance(value, bool) and value >= low
    if not ok or (high is not None and value > high):
        raise ParameterError(f"{name} is {value!r}; it must be a whole number {limit}")


def check_float(name: str, value: Any, low: float, high: float, open_low: bool = False) -> None:
    """Raise a ParameterError unless ``value`` is a number from, or above, ``low`` to ``high``."""
    ok = isinstance(value, int | float) and not isinstance(value, bool)
    if not ok or not low <= value <= high or (open_low and value == low):
        raise ParameterError(
            f"{name} is {value!r}; it must be a number {'above' if open_low else 'from'} "
            f"{low:g} {'up ' if open_low else ''}to {high:g}"
        )


def check_option(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    """Raise a ParameterError unless ``value`` is one of those allowed."""
    if value not in allowed:
        raise ParameterError(f"{name} is {value!r}; allowed are {', '.join(allowed)}")
