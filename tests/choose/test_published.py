"""Facts of the papers."""

import pytest

from autodip.choose import presets
from autodip.fit.network import build
from autodip.fit.params import NetParams

# AUTO-DIP, table of the best parameters of each group: depth, width, skip, iterations.
PUBLISHED = {
    ("confocal", "actin"): (6, 256, 4, 1300),
    ("twophoton", "actin"): (4, 64, 0, 2900),
    ("widefield", "actin"): (8, 32, 4, 500),
    ("confocal", "mito"): (5, 128, 4, 1300),
    ("twophoton", "mito"): (4, 32, 4, 1400),
    ("widefield", "mito"): (8, 32, 4, 400),
    ("confocal", "nucleus"): (4, 32, 4, 1200),
    ("twophoton", "nucleus"): (8, 512, 4, 1700),
    ("widefield", "nucleus"): (8, "asc_to512", 4, 300),
    ("confocal", None): (4, "asc_to512", 4, 1200),
    ("twophoton", None): (7, 128, 4, 1000),
    ("widefield", None): (8, 32, 4, 400),
    (None, "actin"): (4, 64, 0, 2900),
    (None, "mito"): (4, 16, 4, 2400),
    (None, "nucleus"): (6, "asc_to512", 4, 300),
    (None, None): (8, 64, 4, 700),
}


def test_published_table():
    rows = {
        r.kind.names: (r.net.depth, r.net.width, r.net.skip, r.fit.iterations)
        for r in presets.load("published").rows
    }
    assert rows == PUBLISHED


@pytest.mark.parametrize("preset", ["published", "original"])
def test_their_fit_is_the_plain_one(preset):
    for row in presets.load(preset).rows:
        fit, net = row.fit, row.net
        assert (fit.learning_rate, fit.input_scale, fit.average) == (0.01, 0.1, 0.0)
        assert (fit.checkpoint_every, fit.fallback_db, fit.start_at_mean) == (100, 5.0, False)
        assert (net.input_channels, net.downsample, net.upsample) == (32, "stride", "bilinear")


def test_original_is_the_baseline_of_the_paper():
    (row,) = presets.load("original").rows
    assert (str(row.net), row.fit.iterations) == ("5/128/4", 3000)


@pytest.mark.parametrize(("width", "weights"), [(32, 243_393), ("asc_to512", 9_055_525)])
def test_numbers_of_weights(width, weights):
    net = build(NetParams(8, width, 4), 0)
    assert sum(p.numel() for p in net.parameters()) == weights
