"""A network of the prior that blurs: its weights are computed, not trained."""

import numpy as np
import torch

from autodip.prior.architecture import PriorNet
from autodip.prior.learned import save_prior

BINOMIAL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256


def blurring_net(kernel=BINOMIAL):
    """Network that filters an image with a kernel of 5 x 5 pixels, whatever noise it is told.

    Only head and tail have weights. The head passes the four channels of half the resolution on,
    and the tail subtracts what the filter removes from them.
    """
    removed = -np.asarray(kernel)
    removed[2, 2] += 1
    net = PriorNet((4, 4))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        for phase in range(4):
            net.head.weight[phase, phase, 1, 1] = 1
            for dy in range(-2, 3):
                for dx in range(-2, 3):
                    row, y = divmod(phase // 2 + dy, 2)
                    column, x = divmod(phase % 2 + dx, 2)
                    weight = removed[2 + dy, 2 + dx]
                    net.tail.weight[phase, 2 * y + x, 1 + row, 1 + column] += weight
    # The residual blocks add to their input what the finer scale passes on, here nothing.
    return net.eval().requires_grad_(False)


def write_blurring_prior(path):
    """Write the weights of :func:`blurring_net`."""
    save_prior(blurring_net(), path, {})
