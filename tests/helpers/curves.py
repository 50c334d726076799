"""A calibration base in memory whose curves are known by a formula."""

from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import gaussian_filter

from autodip.bases.records import Config, Entry, Point, Run
from autodip.fit.params import FitParams, NetParams
from autodip.refine.refinement import RefineParams

STOPS = (20, 40, 60, 80, 100)
SMALL = Config(NetParams(2, 8), FitParams(100, average=0.9), RefineParams())
LARGE = Config(NetParams(3, 16), FitParams(100, average=0.9), RefineParams())


@dataclass
class Memory:
    """Stands for :class:`autodip.bases.store.Base`."""

    name: str = "memory"
    entries: dict = field(default_factory=dict)
    runs: list = field(default_factory=list)
    images: dict = field(default_factory=dict)
    prior: object = None

    def pixels(self, name):
        return self.images.get(name)

    def add(self, name, kind, best, configs=(SMALL, LARGE), *, fov=None, images=None, **others):
        """Image whose best stop is ``best`` = (config, iteration), by about 5 dB over others."""
        microscope, specimen = kind
        self.entries[name] = Entry(
            **{
                "id": name,
                "name": f"set/{name}",
                "microscope": microscope,
                "specimen": specimen,
                "fov": fov or f"set/{name}",
                "noise_level": "raw",
                "shape": (64, 64),
                "descriptors": {"a": 0.0},
                **others,
            }
        )
        self.runs += [curve(name, config, *best) for config in configs]
        if images is not None:
            self.images[name] = (images, images)
        return self


def curve(name, config, best_config, best_stop):
    points = []
    for stop in STOPS:
        away = abs(stop - best_stop) / 20 + 3 * (config != best_config)
        for output, bonus in (("last", 0.0), ("average", 1.0), ("refined", 2.0)):
            psnr = 30 - away + bonus
            points.append(
                Point(
                    iteration=stop,
                    output=output,
                    psnr=psnr,
                    ssim=psnr / 40,
                    lpips=0.2 - psnr / 200,
                    l1=0.1,
                    mse=0.01,
                    seconds=stop / 10,
                )
            )
    return Run(name, config, tuple(points), {"flop": 1e9, "memory": 1e6, "parameters": 1e4}, "0")


def texture(seed, sigma, shape=(64, 64)):
    """Image in [0, 1] of one coarseness."""
    smooth = gaussian_filter(np.random.default_rng(seed).random(shape), sigma)
    return (smooth - smooth.min()) / np.ptp(smooth)
