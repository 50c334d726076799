"""Selection of pairs of a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from autodip.datasets.pair import Pair
from autodip.errors import ParameterError
from autodip.util.closest import not_known

FIELDS = (
    "dataset",
    "role",
    "microscope",
    "specimen",
    "noise_level",
    "fov",
    "capture",
    "group",
    "name",
)
"""Fields that ``--where`` can filter by."""


def select(pairs: Sequence[Pair], where: tuple[str, ...], limit: int | None) -> list[Pair]:
    """Select pairs; by default without those on which settings were chosen.

    Parameters
    ----------
    pairs : sequence of Pair
    where : tuple of str
        Conditions ``FIELD=VALUE``, all of which must hold. If none is on the role and there are
        pairs with the role "test", only these are selected.
    limit : int or None
        Maximum number of pairs of each data set, noise level and group; None for no limit.

    Raises
    ------
    ParameterError
        If a condition is malformed, or no pair meets all conditions.
    """
    wanted = [_condition(text) for text in where]
    if not any(name == "role" for name, _ in wanted) and any(p.role == "test" for p in pairs):
        wanted.append(("role", "test"))
    chosen = [p for p in pairs if all(str(getattr(p, n) or "") == v for n, v in wanted)]
    if not chosen:
        asked = " ".join(f"{name}={value}" for name, value in wanted)
        seen = "; ".join(f"{name}: {_values(pairs, name)}" for name, _ in wanted)
        raise ParameterError(f"no image has {asked}; the {len(pairs)} there have {seen}")
    seen_of: Counter[tuple[str, ...]] = Counter()
    result = []
    for pair in chosen:
        place = (pair.dataset, pair.noise_level, pair.group)
        seen_of[place] += 1
        if limit is None or seen_of[place] <= limit:
            result.append(pair)
    return result


def _condition(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or name not in FIELDS:
        raise ParameterError(
            f"--where {text!r}: give FIELD=VALUE; {not_known('the field', name, FIELDS)}"
        )
    return name, value


def _values(pairs: Iterable[Pair], name: str) -> str:
    values = sorted({str(getattr(pair, name) or "") or "nothing" for pair in pairs})
    return ", ".join(values[:20]) + (", ..." if len(values) > 20 else "")
