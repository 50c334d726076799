"""Regression for the map of standard errors: a small network, fitted to squared errors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from math import erf, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import torch

from autodip.trust.error_map import COVERED, WIDTH
from autodip.trust.error_model import SCHEMA, SLOPE, ErrorModel, Feature

HIDDEN = (32, 16)
STEPS, BATCH, RATE = 2500, 4096, 5e-3
CLIPPED = 25.0
"""Squared error, relative to that expected, beyond which it counts logarithmically."""


class Pixels:
    """Features and errors of pixels, by set; every image of a set has the same weight."""

    def __init__(self) -> None:
        self.folds: list[str] = []
        self._columns: list[dict[str, np.ndarray]] = []
        self._errors: list[np.ndarray] = []
        self._doubts: list[np.ndarray] = []

    def add(
        self, fold: str, columns: dict[str, np.ndarray], error: np.ndarray, doubt: np.ndarray
    ) -> None:
        """Add pixels of an image of a set."""
        self.folds.append(fold)
        self._columns.append(columns)
        self._errors.append(error.astype(np.float32))
        self._doubts.append(doubt.astype(np.float32))

    def without(self, left: set[str]) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, Any]:
        """Columns, errors, variances of the truths, weights; sets count by their square root."""
        used = [number for number, fold in enumerate(self.folds) if fold not in left]
        counts = {fold: sum(self.folds[n] == fold for n in used) for fold in set(self.folds)}
        weights = np.concatenate([
            np.full(len(self._errors[n]), counts[self.folds[n]] ** -0.5 / len(self._errors[n]))
            for n in used
        ])  # fmt: skip
        names = self._columns[0]
        columns = {name: np.concatenate([self._columns[n][name] for n in used]) for name in names}
        errors = np.concatenate([self._errors[n] for n in used])
        return columns, errors, np.concatenate([self._doubts[n] for n in used]), weights


def excess(pixels: Pixels, folds: Sequence[str]) -> dict[str, float]:
    """Logarithm by which each set, left out of the fit, has too large squared errors.

    Divided by it, intervals of ``WIDTH`` standard errors hold 90 % of the pixels of the set (split
    conformal prediction with sets as the unit).
    """
    found = {}
    for fold in folds:
        model = fit(pixels, {fold})
        columns, errors, doubts, weights = pixels.without(set(pixels.folds) - {fold})
        squares = model.squared_error(columns, errors.shape)
        low, high = -3.0, 3.0
        for _ in range(30):
            middle = (low + high) / 2
            inside = np.abs(errors) <= WIDTH * np.sqrt(squares * np.exp(-middle) + doubts)
            enough = np.average(inside, weights=weights) > COVERED
            low, high = (middle, high) if enough else (low, middle)
        found[fold] = middle
    return found


def fit(pixels: Pixels, left: set[str], excess: float = 0.0) -> ErrorModel:
    """Fit the model to all sets but some, by the likelihood of normally distributed errors.

    ``excess`` is subtracted from the logarithm of the squared errors.
    """
    columns, errors, doubts, weights = pixels.without(left)
    inputs = tuple(described(name, values) for name, values in columns.items())
    scaled = np.stack(
        [(np.clip(columns[f.name], f.low, f.high) - f.mean) / f.std for f in inputs], 1
    )
    torch.manual_seed(0)
    sides = (len(inputs), *HIDDEN)
    layers: list[torch.nn.Module] = []
    for before, after in pairwise(sides):
        layers += [torch.nn.Linear(before, after), torch.nn.LeakyReLU(SLOPE)]
    last = torch.nn.Linear(HIDDEN[-1], 1)
    torch.nn.init.constant_(last.bias, float(np.log(np.average(errors**2, weights=weights))))
    net = torch.nn.Sequential(*layers, last)
    trained(net, *(torch.from_numpy(one.astype(np.float32)) for one in (scaled, errors**2, doubts)),
            chances=np.cumsum(weights / weights.sum()))  # fmt: skip
    with torch.no_grad():
        last.bias -= excess
    linear = [layer for layer in net if isinstance(layer, torch.nn.Linear)]
    weights_of = ((one.weight.detach().numpy(), one.bias.detach().numpy()) for one in linear)
    return ErrorModel(inputs, tuple(weights_of), fitted=1.0)


def trained(
    net: torch.nn.Module,
    scaled: torch.Tensor,
    squares: torch.Tensor,
    doubts: torch.Tensor,
    *,
    chances: np.ndarray,
) -> None:
    generator = np.random.default_rng(0)
    steps = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=1e-4)
    for number in range(STEPS):
        rate = RATE * min(1, (number + 1) / 100) * 0.5 * (1 + np.cos(np.pi * number / STEPS))
        steps.param_groups[0]["lr"] = rate
        drawn = np.searchsorted(chances, generator.random(BATCH))
        chosen = torch.from_numpy(np.minimum(drawn, len(chances) - 1))
        variance = net(scaled[chosen])[:, 0].clamp(-12, 8).exp() + doubts[chosen]
        ratio = squares[chosen] / variance
        ratio = torch.where(ratio > CLIPPED, CLIPPED * (1 + torch.log(ratio / CLIPPED)), ratio)
        loss = 0.5 * (torch.log(variance) + ratio).mean()
        steps.zero_grad()
        loss.backward()
        steps.step()


def described(name: str, values: np.ndarray) -> Feature:
    low, high = np.quantile(values, (0.002, 0.998))
    return Feature(name, *map(rounded, (low, high, values.mean(), values.std() + 1e-3)))


def packed(model: ErrorModel) -> dict[str, Any]:
    """Content of the packaged file."""
    return {
        "schema": SCHEMA,
        "source": "benchmarks/error_map.py calibrate; docs/results/trust/error_map.md",
        "features": [dict(vars(one)) for one in model.inputs],
        "layers": [
            {"weight": [[*map(rounded, row)] for row in weight], "bias": [*map(rounded, bias)]}
            for weight, bias in model.layers
        ],
        "fitted": rounded(model.fitted),
    }


def written(path: Path, model: ErrorModel) -> None:
    """Write the packaged file."""
    path.write_text(json.dumps(packed(model), separators=(",", ":")) + "\n")


def rounded(value: float) -> float:
    return float(f"{value:.5g}")


def covered(images: Sequence[tuple[np.ndarray, ...]], factor: float) -> float:
    """Coverage, mean over images, if standard errors are multiplied by a factor.

    Each image has absolute errors, standard errors, and the variance of its truth.
    """
    shares = (
        np.mean(wrong <= WIDTH * np.sqrt((factor * error) ** 2 + doubt))
        for wrong, error, doubt in images
    )
    return float(np.mean([*shares]))


def factor(images: Sequence[tuple[np.ndarray, ...]]) -> float:
    """Factor of the standard errors with which the coverage is 90 %."""
    low, high = 0.3, 4.0
    for _ in range(30):
        middle = (low * high) ** 0.5
        low, high = (low, middle) if covered(images, middle) > COVERED else (middle, high)
    return middle


def normal_share(width: float) -> float:
    """Share of normally distributed values within a number of standard deviations."""
    return erf(width / sqrt(2))
