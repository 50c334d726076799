"""The reference network and fit, written plainly from their description, sharing no code."""

import torch
from torch import nn


class Join(nn.Module):
    def __init__(self, branch, deeper):
        super().__init__()
        self.branch, self.deeper = branch, deeper

    def forward(self, x):
        a, b = self.branch(x), self.deeper(x)
        height, width = min(a.shape[2], b.shape[2]), min(a.shape[3], b.shape[3])
        return torch.cat([a[:, :, :height, :width], b[:, :, :height, :width]], dim=1)


class Crop(nn.Module):
    """Without a skip branch there is no concatenation that crops; the image's size decides."""

    def __init__(self, deeper):
        super().__init__()
        self.deeper = deeper

    def forward(self, x):
        return self.deeper(x)[:, :, : x.shape[2], : x.shape[3]]


def conv(channels_in, channels, kernel, stride=1, down="stride"):
    layers = [nn.ReflectionPad2d(1)] if kernel == 3 else []
    layers.append(nn.Conv2d(channels_in, channels, kernel, stride if down == "stride" else 1))
    if stride == 2 and down == "avg":
        layers.append(nn.AvgPool2d(2, 2, ceil_mode=True))
    if stride == 2 and down == "max":
        layers.append(nn.MaxPool2d(2, 2, ceil_mode=True))
    layers += [nn.BatchNorm2d(channels), nn.LeakyReLU(0.2)]
    return layers


def scale(channels_in, widths, skip, down, up):
    width = widths[0]
    branch = nn.Sequential(*conv(channels_in, skip, 1)) if skip else None
    deeper = [*conv(channels_in, width, 3, 2, down), *conv(width, width, 3)]
    inner = width
    if len(widths) > 1:
        deeper.append(scale(width, widths[1:], skip, down, up))
        inner = widths[1]
    deeper.append(nn.Upsample(scale_factor=2, mode=up))
    deeper = nn.Sequential(*deeper)
    return nn.Sequential(
        Join(branch, deeper) if skip else Crop(deeper),
        nn.BatchNorm2d(skip + inner),
        *conv(skip + inner, width, 3),
        *conv(width, width, 1),
    )


def network(widths, skip=4, channels_in=32, down="stride", up="bilinear"):
    body = scale(channels_in, tuple(widths), skip, down, up)
    return nn.Sequential(body, nn.Conv2d(widths[0], 1, 1), nn.Sigmoid())


def copy_weights(source, target):
    """Both networks list their weights from the finest scale inwards and out again."""
    with torch.no_grad():
        for a, b in zip(source.parameters(), target.parameters(), strict=True):
            assert a.shape == b.shape
            b.copy_(a)


def fit(net, z, target, iterations, learning_rate=0.01):
    """Outputs of every iteration of the reference's fit."""
    optimizer = torch.optim.Adam(net.parameters(), lr=learning_rate)
    outputs = []
    for _ in range(iterations):
        optimizer.zero_grad()
        output = net(z)
        loss = nn.functional.mse_loss(output, target)
        loss.backward()
        optimizer.step()
        outputs.append(output.detach().cpu().numpy()[0, 0])
    return outputs
