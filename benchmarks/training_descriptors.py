"""Descriptors of training examples, by which an image is compared with what the prior has seen.

python benchmarks/training_descriptors.py recipes/prior-2.yaml DATA src/autodip/data/prior_seen.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from autodip.choose.descriptors import NAMES, descriptors
from autodip.image.scaling import is_constant
from autodip.prior.examples import draw_exposure, shares_of
from autodip.prior.recipe import read_recipe

COUNT, SIDE = 300, 256


def main(recipe_file: str, data: str, target: str) -> None:
    """Draw examples as in the training, and write their descriptors as JSON."""
    recipe = read_recipe(Path(recipe_file))
    pool = list(recipe.pool(Path(data)))
    shares = shares_of(pool)
    sources, rows = [], []
    for number in range(COUNT):
        generator = np.random.default_rng([recipe.seed, COUNT, number])
        place = int(np.searchsorted(shares, generator.random(), side="right"))
        image = draw_exposure([pool[place]], shares_of([pool[place]]), SIDE, generator).image
        if is_constant(image):
            continue
        found = descriptors(image)
        sources.append(place)
        rows.append([round(found[name], 4) for name in NAMES])
    content = {"recipe": Path(recipe_file).name, "names": NAMES, "sources": sources}
    content["descriptors"] = rows
    Path(target).write_text(json.dumps(content) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
