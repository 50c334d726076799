"""Immutable values that convert to and from plain dictionaries, and checks of single fields."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, Self

from autodip.errors import ParameterError
from autodip.util.closest import meant


class Value:
    """Base class of frozen dataclasses that convert to and from plain dictionaries.

    A field may hold another Value, a tuple, or a tuple of Values; in a dictionary these are a
    dictionary, a list, and a list of dictionaries.
    """

    def to_dict(self) -> dict[str, Any]:
        """Convert to a plain, JSON-ready dictionary."""
        return {name: _plain(value) for name, value in self._fields().items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Create from a dictionary, the inverse of :meth:`to_dict`; fields may also be Values.

        Raises
        ------
        ParameterError
            If a key is unknown, or a field without a default is missing.
        """
        fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
        unknown = sorted(set(values) - set(fields))
        if unknown:
            raise ParameterError(
                f"{cls.__name__}: unknown {', '.join(map(repr, unknown))}; "
                f"known are {', '.join(fields)}.{meant(unknown[0], fields)}"
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
        hints = _hints(typing.cast(type, cls))
        return cls(**{name: _built(hints[name], value) for name, value in values.items()})

    def replace(self, **changes: Any) -> Self:
        """Copy with some values changed; the copy is validated again."""
        return type(self).from_dict({**self._fields(), **changes})

    def _fields(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}  # type: ignore[arg-type]


@cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _plain(value: Any) -> Any:
    if isinstance(value, Value):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return value


def _built(hint: Any, value: Any) -> Any:
    """Value of a field, built from its entry in a dictionary."""
    if isinstance(value, Mapping):
        kinds = (kind for kind in _alternatives(hint) if isinstance(kind, type))
        kind = next((kind for kind in kinds if issubclass(kind, Value)), None)
        return value if kind is None else kind.from_dict(value)
    if isinstance(value, list):
        inner = next((a for a in _alternatives(hint) if typing.get_origin(a) is tuple), None)
        element = typing.get_args(inner)[0] if inner is not None else None
        return tuple(_built(element, one) for one in value)
    return value


def _alternatives(hint: Any) -> tuple[Any, ...]:
    """Members of a union, or the hint itself."""
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if union else (hint,)


def check_types(value: Value) -> None:
    """Raise a ParameterError unless all fields, also of inner Values, have their declared types.

    Values that are created in the code have them; this is for those that are read from a file.
    """
    hints = _hints(typing.cast(type, type(value)))
    for name, found in value._fields().items():
        if not _fits(found, hints[name]):
            raise ParameterError(f"{type(value).__name__}: {name} is {found!r:.60}")


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value has the type that an annotation declares."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, one) for one in arguments)
    if origin is typing.Literal:
        return value in arguments
    if origin is not None:
        return isinstance(value, origin) and _fits_inside(value, arguments)
    if hint in (int, float):
        allowed = (int, float) if hint is float else int
        return isinstance(value, allowed) and not isinstance(value, bool)
    if isinstance(value, Value) and hint is type(value):
        check_types(value)
    return hint is Any or isinstance(value, hint)


def _fits_inside(value: Any, hints: tuple[Any, ...]) -> bool:
    """Whether the elements of a tuple, or the values of a mapping, have the declared types."""
    if isinstance(value, Mapping):
        return all(_fits(one, hints[1]) for one in value.values())
    if hints[-1] is ...:
        return all(_fits(one, hints[0]) for one in value)
    return len(value) == len(hints) and all(map(_fits, value, hints))


def check_int(name: str, value: Any, low: int, high: int | None = None) -> None:
    """Raise a ParameterError unless ``value`` is an integer from ``low`` to ``high``."""
    limit = f"from {low} to {high}" if high is not None else f"of {low} or more"
    ok = isinstance(value, int) and not isinstance(value, bool) and value >= low
    if not ok or (high is not None and value > high):
        raise ParameterError(f"{name} is {value!r}; it must be a whole number {limit}")


def check_float(name: str, value: Any, low: float, high: float, open_low: bool = False) -> None:
    """Raise a ParameterError unless ``value`` is a number from ``low`` to ``high``.

    With ``open_low`` it must be above ``low``.
    """
    ok = isinstance(value, int | float) and not isinstance(value, bool)
    if not ok or not low <= value <= high or (open_low and value == low):
        raise ParameterError(
            f"{name} is {value!r}; it must be a number {'above' if open_low else 'from'} "
            f"{low:g} {'up ' if open_low else ''}to {high:g}"
        )


def check_option(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    """Raise a ParameterError unless ``value`` is one of the allowed values."""
    if value not in allowed:
        raise ParameterError(f"{name} is {value!r}; allowed are {', '.join(allowed)}")
