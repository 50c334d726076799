"""Grids: the configurations that are run on every calibration image."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from autodip.bases.records import Config
from autodip.errors import ParameterError
from autodip.fit.params import FitParams, NetParams, parse_width
from autodip.refine.refinement import RefineParams
from autodip.util.closest import not_known
from autodip.util.paths import check_source, is_folder
from autodip.util.structured import YAML, read_structured

_KEYS = ("nets", "fit", "every", "refine")
_NET = tuple(f.name for f in dataclasses.fields(NetParams))
_FIT = tuple(
    f.name for f in dataclasses.fields(FitParams) if f.name not in ("noise_limit", "seeds")
)
_REFINE = tuple(f.name for f in dataclasses.fields(RefineParams))


def _paper() -> tuple[Config, ...]:
    """Search grid of AUTO-DIP (arXiv 2601.12055), with the fit of its reference code."""
    widths = (16, 32, 64, 128, 256, 512, "asc_to512")
    nets = product(range(4, 9), widths, (0, 4))
    fit = FitParams(3000)
    return tuple(Config(NetParams(d, w, s), fit, None, every=100) for d, w, s in nets)  # type: ignore[arg-type]


def _small() -> tuple[Config, ...]:
    """Five networks, which take about six minutes for a 512 x 512 image on two cores."""
    nets = (
        (NetParams(4, (16, 32, 64, 128), input_channels=8, lean=True, reduction=2), 400),
        (NetParams(5, (8, 16, 32, 64, 128), input_channels=8, lean=True), 400),
        (NetParams(6, (4, 8, 16, 32, 64, 128), input_channels=8, lean=True), 400),
        (NetParams(4, (32, 64, 128, 128), input_channels=8, lean=True, reduction=2), 300),
        (NetParams(4, 32), 300),
    )
    return tuple(Config(net, _averaged(n), RefineParams(), every=20) for net, n in nets)


def _tiny() -> tuple[Config, ...]:
    """Two networks, which take seconds; for trying things out."""
    nets = (NetParams(3, (8, 16, 32), 4, lean=True), NetParams(2, (4, 8), 4, lean=True))
    return tuple(Config(net, _averaged(40), RefineParams(), every=10) for net in nets)


def _averaged(iterations: int) -> FitParams:
    return FitParams(
        iterations, learning_rate=0.02, start_at_mean=True, average=0.95, precision="bfloat16"
    )


_GRIDS = {"paper": _paper, "small": _small, "tiny": _tiny}
NAMES = tuple(_GRIDS)
"""Names of the grids that come with the package."""


def load(name: str) -> tuple[Config, ...]:
    """Load a grid that comes with the package, or one from a YAML file.

    The grid ``paper`` has the 70 networks of AUTO-DIP, ``small`` has five networks and suits a run
    of an hour on a desktop machine, and ``tiny`` has two for trying things out. A file holds the
    following keys:

    - ``nets``: a list of networks, each with keys of :class:`autodip.fit.params.NetParams`. A list
      in place of a value stands for each of its values; several lists stand for all combinations.
      Widths that change with the scale are written as one string, such as ``"8,16,32"``.
    - ``fit``: keys of :class:`autodip.fit.params.FitParams`, where ``iterations`` is the last stop;
      lists work as above. Neither ``noise_limit`` nor ``seeds`` is allowed: each run records one
      complete curve.
    - ``every``: interval between the stops, in iterations (default 20).
    - ``refine``: false, true (default), or keys of
      :class:`autodip.refine.refinement.RefineParams`.

    Parameters
    ----------
    name : str
        One of :data:`NAMES`, or the path of a file whose name ends in .yaml or .yml.

    Returns
    -------
    tuple of Config
        The configurations, without duplicates.

    Raises
    ------
    ParameterError
        If the grid does not exist, or a key or a value of the file is not allowed.
    FormatError
        If the file cannot be read.
    MissingPackageError
        If PyYAML is not installed.
    """
    if name in _GRIDS:
        return _GRIDS[name]()
    path = Path(name)
    if is_folder(path):
        check_source(path)  # raises
    if path.suffix not in YAML:
        raise ParameterError(f"{not_known('grid', name, NAMES)}, or a .yaml file")
    try:
        return parse(read_structured(path, "calibrate"))
    except ParameterError as error:
        raise ParameterError(f"{path}: {error}") from error


def parse(content: Any) -> tuple[Config, ...]:
    """Build a grid from the content of a file, which :func:`load` describes.

    Raises
    ------
    ParameterError
        If a key or a value is not allowed.
    """
    _check_keys("the grid", content, _KEYS)
    nets = content.get("nets")
    if not isinstance(nets, list) or not nets:
        raise ParameterError(f"nets is {nets!r}; give a list of networks, each with {_words(_NET)}")
    every = content.get("every", 20)
    if not isinstance(every, int) or isinstance(every, bool) or every < 1:
        raise ParameterError(f"every is {every!r}; it must be a whole number, 1 or more")
    fits = [FitParams.from_dict(one) for one in _combinations("fit", content.get("fit"), _FIT)]
    refine = _refine(content.get("refine", True))
    configs = [
        Config(NetParams.from_dict(_with_width(one)), fit, refine, every)
        for net in nets
        for one in _combinations("a net", net, _NET)
        for fit in fits
    ]
    return tuple(dict.fromkeys(configs))


def _combinations(what: str, values: Any, allowed: Iterable[str]) -> list[dict[str, Any]]:
    """Every combination of the values in lists."""
    _check_keys(what, values, allowed)
    lists = [value if isinstance(value, list) else [value] for value in values.values()]
    empty = [key for key, value in zip(values, lists, strict=True) if not value]
    if empty:
        raise ParameterError(f"{what}: {_words(empty)} is an empty list; give a value")
    return [dict(zip(values, one, strict=True)) for one in product(*lists)]


def _with_width(net: Mapping[str, Any]) -> dict[str, Any]:
    width = net.get("width")
    return {**net, "width": parse_width(width)} if isinstance(width, str) else dict(net)


def _refine(given: Any) -> RefineParams | None:
    if isinstance(given, bool):
        return RefineParams() if given else None
    _check_keys("refine", given, _REFINE)
    return RefineParams.from_dict(given)


def _check_keys(what: str, values: Any, allowed: Iterable[str]) -> None:
    if not isinstance(values, Mapping):
        raise ParameterError(f"{what} is {values!r}; give values for keys from {_words(allowed)}")
    unknown = [key for key in values if key not in tuple(allowed)]
    if unknown:
        raise ParameterError(f"{what}: unknown {_words(unknown)}; allowed are {_words(allowed)}")


def _words(names: Iterable[object]) -> str:
    return ", ".join(map(str, names))
