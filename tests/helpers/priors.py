"""A tiny prior that is trained within seconds, and images of a laboratory."""

from functools import cache

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from autodip.bases import own_prior, store
from autodip.bases.own_prior import OwnPrior
from autodip.image.kind import Kind
from autodip.prior.architecture import PriorNet, conditions
from autodip.prior.clean import draw_scenes
from autodip.prior.examples import draw_example, shares_of
from autodip.prior.shots import OwnImage
from autodip.prior.training import loss_of
from autodip.prior.tuning import TuneParams

QUICK = TuneParams(steps=40, patch=64, batch=6, scenes=4, rate=1e-3, checks=2)


@cache
def trained(steps=60, widths=(8, 12)):
    """Network after a few steps on drawn scenes: it denoises a little."""
    pool = list(draw_scenes(6, 160, 0, weight=1, photons=300))
    shares = shares_of(pool)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = PriorNet(widths)
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    for step in range(steps):
        samples = [draw_example(pool, shares, 48, (1, step, number)) for number in range(4)]
        noisy, truth, deviation = (
            torch.from_numpy(np.stack([getattr(one, name) for one in samples]))[:, None]
            for name in ("noisy", "truth", "deviation")
        )
        lags = torch.from_numpy(np.stack([one.correlation for one in samples]))
        given = conditions(deviation, lags, tuple(noisy.shape)) * (step % 3 > 0)
        loss = loss_of(net(noisy, given), truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    net.eval()
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    return net


def stripes(number, size=96):
    """Photons of stripes in one direction, which no drawn scene has."""
    y, x = np.mgrid[:size, :size]
    wave = np.sin(2 * np.pi * (x + 0.3 * y) / 7 + number)
    return 12 * (1 + 0.9 * wave) + 4


def coloured(generator, shape):
    """Gaussian noise of variance 1, correlated between neighbours."""
    noise = gaussian_filter(generator.standard_normal(shape), 0.7, mode="wrap")
    return noise / noise.std()


def own_image(number, *, truth=True, capture=0, stretched=False, series=""):
    """Image with 3 grey values per photon and correlated noise."""

    def read():
        light = stripes(number)
        generator = np.random.default_rng([number, capture])
        noisy = 3 * (light + np.sqrt(light) * coloured(generator, light.shape))
        true = 3 * light if not stretched else 0.2 * light - 1
        return noisy, true if truth else None

    kind = Kind("confocal", "actin")
    return OwnImage(f"{number}-{capture}", f"f{number}", series or f"f{number}", read, kind)


NOTES = OwnPrior(
    pairs=3,
    captures=0,
    single=2,
    kinds=(Kind("confocal", "actin"), Kind()),
    held_out="1 of 4 fields of view",
    measure="compared with the truth",
    before=30.0,
    after=31.5,
    builtin="a" * 64,
    start="b" * 64,
    steps=10,
    seed=0,
    version="0.1",
)


def with_prior(path, notes=NOTES):
    """Base with a prior that was never trained."""
    store.create(path)
    own_prior.write(path, PriorNet((4, 6)), notes)
    return path
