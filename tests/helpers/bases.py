"""A small grid, and what a base holds."""

import dataclasses

from autodip.bases import store

GRID = """
nets:
  - {depth: 2, width: ["2,4", 4], input_channels: 2, lean: true}
fit: {iterations: 6, average: 0.8, start_at_mean: true}
every: 2
refine: false
"""


def content(base):
    """What a base holds, without seconds."""
    loaded = store.load(base)
    runs = [
        dataclasses.replace(
            one, points=tuple(dataclasses.replace(point, seconds=0.0) for point in one.points)
        )
        for one in loaded.runs
    ]
    return loaded.entries, runs
