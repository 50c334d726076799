"""What own pairs are worth: a prior tuned on few or many of them, on held-out fields of view."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autodip.choose import presets
from autodip.datasets.own_images import field_of
from autodip.datasets.pair import Pair, load
from autodip.errors import ImageError, ParameterError
from autodip.image.kind import Kind
from autodip.metrics import alexnet
from autodip.metrics.scores import score_stop
from autodip.physics.estimate import estimate_noise
from autodip.prior.apply import apply_prior
from autodip.prior.architecture import PriorNet
from autodip.prior.learned import load_prior, save_prior
from autodip.prior.setting import BUILTIN, PriorParams, digest_of
from autodip.prior.shots import OwnImage
from autodip.prior.tuning import Tuned, TuneParams, TuneStep, tune
from autodip.util.files import replacing

COUNTS = (1, 3, 10)
"""Numbers of pairs on which a prior is tuned, each of another field of view."""

MOST = 8
"""Largest number of held-out images."""

_ROWS, _DESIGN = "rows.csv", "design.json"


@dataclass(frozen=True)
class WorthRow:
    """Scores of one prior on one held-out image.

    Parameters
    ----------
    pairs : int
        Number of pairs on which the prior was tuned; 0 for the built-in prior.
    kept : bool
        Whether the tuned weights were better on the part that the tuning holds out itself; if
        not, the built-in prior is used.
    name, field : str
        Held-out image and its field of view.
    psnr, ssim : float
    lpips : float or None
        None if the weights of LPIPS are not installed.
    """

    pairs: int
    kept: bool
    name: str
    field: str
    _: KW_ONLY
    psnr: float
    ssim: float
    lpips: float | None


class WorthStudy:
    """Study of a set of pairs; what is done is read back from its folder.

    Parameters
    ----------
    pairs : sequence of Pair
        Of at least two fields of view; a quarter of the fields is held out.
    out : Path
        Existing folder for ``rows.csv``, ``design.json`` and the tuned priors.
    params : TuneParams
    device : str

    Raises
    ------
    ParameterError
        If there is only one field of view, or the folder holds a study of something else.
    """

    def __init__(
        self, pairs: Sequence[Pair], out: Path, params: TuneParams, device: str = "cpu"
    ) -> None:
        fields = list(dict.fromkeys(map(field_of, pairs)))
        if len(fields) < 2:
            raise ParameterError(
                f"the {len(pairs)} pairs show {len(fields)} field of view; the study needs two or "
                "more, as it holds some of them out"
            )
        order = np.random.default_rng(params.seed).permutation(len(fields))
        held = [fields[number] for number in order[: max(1, len(fields) // 4)]]
        self.held_out = [pair for pair in pairs if field_of(pair) in held][:MOST]
        first = {field_of(pair): pair for pair in reversed(pairs)}
        self.training = [first[fields[number]] for number in order if fields[number] not in held]
        self.counts = sorted({min(count, len(self.training)) for count in COUNTS})
        self.out, self.params, self.device = out, params, device
        self._check_design()
        self.rows = _read(out / _ROWS)

    def _check_design(self) -> None:
        design = {
            "builtin": digest_of(BUILTIN),
            "params": self.params.to_dict(),
            "training": [pair.name for pair in self.training],
            "held_out": [pair.name for pair in self.held_out],
        }
        path = self.out / _DESIGN
        if not path.exists():
            with replacing(path) as (part,):
                part.write_text(json.dumps(design, indent=2) + "\n", encoding="utf-8")
        elif json.loads(path.read_text(encoding="utf-8")) != design:
            raise ParameterError(
                f"{path} was written for other pairs, settings or built-in weights; choose another "
                "--out, or delete the folder"
            )

    def run(self) -> Iterator[tuple[int, TuneStep | WorthRow]]:
        """Tune and score what is not done yet; yields the number of pairs with each event."""
        builtin = load_prior(BUILTIN, device=self.device)
        for count in (0, *self.counts):
            if any(row.pairs == count for row in self.rows):
                continue
            tuned = None
            if count:
                images = [_own(pair) for pair in self.training[:count]]
                for event in tune(builtin, images, self.params):
                    if isinstance(event, Tuned):
                        tuned = event.net
                    else:
                        yield count, event
            rows = []
            for row in self._scored(tuned or builtin, count, tuned is not None):
                rows.append(row)
                yield count, row
            if tuned is not None:
                save_prior(tuned, self.out / f"prior-{count}.safetensors", {})
            self.rows += rows
            with replacing(self.out / _ROWS) as (part,):
                part.write_text(to_text(self.rows), encoding="utf-8")

    def _scored(self, net: PriorNet, count: int, kept: bool) -> Iterator[WorthRow]:
        perceptual = alexnet.load()
        row = presets.load("balanced").find(Kind())
        applied = (row.prior if row is not None else None) or PriorParams()
        for pair in self.held_out:
            noisy, truth = load(pair, 0)
            noise = estimate_noise(noisy)
            if noise is None:
                raise ImageError(f"{pair.name}: its noise could not be estimated; leave it out")
            for done in apply_prior(
                net,
                [noisy.astype(np.float64)],
                [noise],
                passes=applied.passes,
                orientations=applied.orientations,
            ):
                result = done.images[0]
            scores = score_stop(result, truth, perceptual)
            found = {name: scores[name] for name in ("psnr", "ssim", "lpips")}
            yield WorthRow(count, kept, pair.name, field_of(pair), **found)


def summarised(rows: Sequence[WorthRow]) -> list[dict[str, Any]]:
    """Means over the held-out images for each number of pairs, and gains in PSNR."""
    reference = {row.name: row.psnr for row in rows if row.pairs == 0}
    lines = []
    for count in sorted({row.pairs for row in rows}):
        own = [row for row in rows if row.pairs == count]
        gains = [row.psnr - reference[row.name] for row in own]
        distances = [row.lpips for row in own if row.lpips is not None]
        lines.append(
            {
                "pairs": count,
                "kept": own[0].kept,
                "images": len(own),
                "psnr": float(np.mean([row.psnr for row in own])),
                "gain": float(np.mean(gains)),
                "worst": float(np.min(gains)),
                "lpips": float(np.mean(distances)) if len(distances) == len(own) else None,
            }
        )
    return lines


def to_text(rows: Sequence[WorthRow]) -> str:
    """Rows as CSV."""
    names = [field.name for field in dataclasses.fields(WorthRow) if field.name != "_"]
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(dataclasses.asdict(row) for row in rows)
    return sheet.getvalue()


def _read(path: Path) -> list[WorthRow]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [_row(row) for row in csv.DictReader(file)]


def _row(row: Mapping[str, str]) -> WorthRow:
    return WorthRow(
        int(row["pairs"]),
        row["kept"] == "True",
        row["name"],
        row["field"],
        psnr=float(row["psnr"]),
        ssim=float(row["ssim"]),
        lpips=float(row["lpips"]) if row["lpips"] else None,
    )


def _own(pair: Pair) -> OwnImage:
    kind = Kind(pair.microscope, pair.specimen)
    return OwnImage(pair.name, field_of(pair), "", pair.read, kind)
