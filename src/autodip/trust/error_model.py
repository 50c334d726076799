"""Regression of the squared error of a pixel on its features, with the calibrated coefficients."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from autodip.errors import FormatError

SCHEMA = 1
SLOPE = 0.1
"""Slope of the rectifiers of the network for negative values."""

_STRIP = 65536
"""Pixels that are computed at once."""

_RANGE = (-12.0, 8.0)
"""Range of the logarithm of a squared error."""


@dataclass(frozen=True)
class Feature:
    """A feature and its range in calibration.

    Parameters
    ----------
    name : str
    low, high : float
        Values beyond these are clipped: the regression does not extrapolate.
    mean, std : float
        The clipped value minus ``mean`` is divided by ``std``.
    """

    name: str
    low: float
    high: float
    mean: float
    std: float


@dataclass(frozen=True)
class ErrorModel:
    """A small neural network, whose output is the logarithm of the expected squared error.

    Parameters
    ----------
    inputs : tuple of Feature
    layers : tuple of (ndarray, ndarray)
        Weights of shape (outputs, inputs) and biases of shape (outputs,) of every layer; there is
        a leaky rectifier between layers.
    fitted : float
        Factor of the standard errors of results of a fit; the network was calibrated on those of
        the learned prior.
    """

    inputs: tuple[Feature, ...]
    layers: tuple[tuple[np.ndarray, np.ndarray], ...]
    fitted: float

    def squared_error(
        self, features: Mapping[str, np.ndarray | float], shape: tuple[int, ...]
    ) -> np.ndarray:
        """Expected squared error in the stabilised domain, float32, of a shape (Y, X)."""
        columns = [
            np.broadcast_to(np.asarray(features[one.name], np.float32), shape).ravel()
            for one in self.inputs
        ]
        found = np.empty(int(np.prod(shape)), np.float32)
        for start in range(0, len(found), _STRIP):
            strip = slice(start, start + _STRIP)
            found[strip] = self._logarithm([column[strip] for column in columns])
        return np.asarray(np.exp(np.clip(found, *_RANGE)).reshape(shape))

    def _logarithm(self, columns: list[np.ndarray]) -> np.ndarray:
        x = np.stack(
            [
                (np.clip(column, one.low, one.high) - one.mean) / one.std
                for column, one in zip(columns, self.inputs, strict=True)
            ]
        ).astype(np.float32)
        for number, (weight, bias) in enumerate(self.layers):
            if number:
                x = np.maximum(x, SLOPE * x)
            x = weight @ x + bias[:, None]
        return np.asarray(x[0])


@cache
def load_error_model() -> ErrorModel:
    """Load the calibrated model of the package.

    Raises
    ------
    FormatError
        If the file has another schema.
    """
    file = resources.files("autodip") / "data" / "error_map.json"
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if content.get("schema") != SCHEMA:
        raise FormatError(f"error_map.json has schema {content.get('schema')!r}, not {SCHEMA}")
    layers = tuple(
        (np.array(layer["weight"], np.float32), np.array(layer["bias"], np.float32))
        for layer in content["layers"]
    )
    inputs = tuple(Feature(**one) for one in content["features"])
    return ErrorModel(inputs, layers, content["fitted"])
