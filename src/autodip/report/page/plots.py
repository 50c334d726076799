"""Plots of a page."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from autodip.report.page.examined import Examined
from autodip.report.page.facts import Facts
from autodip.report.page.svg import Axis, Plot, columns

_GREY = "brightness, grey values"


def noise_plot(facts: Facts) -> Markup | None:
    """Variance against brightness: measured, the line of the model, and what was removed."""
    noise = facts.noise
    if noise is None or noise.absent:
        return None
    plot = Plot(
        Axis(_GREY),
        Axis("variance, grey values²", low=0),
        "Variance of the noise against brightness: measured in the input, the line of the noise "
        "model, and the variance of what was removed",
    )
    curve = list(noise.curve or ())
    removed = list(facts.examined.removed) if facts.examined else []
    ends = [x for x, _ in (*curve, *removed)] or [0.0, 1.0]
    line = np.linspace(min(ends), max(ends), 60)
    model = np.maximum(noise.gain * line + noise.constant, noise.floor)
    plot.line(list(zip(line, model, strict=True)), "model: gain × brightness + constant", "s2")
    if removed:
        plot.points(removed, "removed, in twentieths of the pixels", "s3")
    if curve:
        plot.points(curve, "measured in the input", "s1")
    return plot.svg()


def histogram_plot(examined: Examined) -> Markup:
    """Histogram before and after, with a logarithmic count."""
    before, after = (columns(examined.edges, np.maximum(counts, 0.5)) for counts in examined.counts)
    return (
        Plot(
            Axis(_GREY),
            Axis("pixels", logarithmic=True, low=0.8),
            "Histogram of the grey values before and after",
        )
        .line(before, "before", "s3")
        .line(after, "after", "s1")
        .svg()
    )


def linearity_plot(examined: Examined) -> Markup:
    """Change of the mean in tenths of the pixels, with twice its standard error."""
    tenths = examined.tenths
    change = [(one.after, one.after - one.before) for one in tenths]
    above = [(one.after, 2 * one.error) for one in tenths]
    below = [(x, -y) for x, y in above]
    most = 1.15 * max(abs(y) for _, y in (*change, *above)) or 1.0
    return (
        Plot(
            Axis(_GREY + ", mean of a tenth of the pixels"),
            Axis("after − before, grey values", low=-most, high=most),
            "Change of the mean brightness in tenths of the pixels, from the darkest to the "
            "brightest",
        )
        .line(above, "twice the standard error", "s2", dashed=True)
        .line(below, "", "s2", dashed=True)
        .points(change, "change of the mean", "s1")
        .svg()
    )


def spectrum_plot(examined: Examined) -> Markup | None:
    """Power of what was removed against spatial frequency."""
    if not examined.spectrum:
        return None
    most = max(power for _, power in (*examined.spectrum, *examined.expected))
    return (
        Plot(
            Axis("spatial frequency, cycles per pixel", low=0, high=0.5),
            Axis("power, relative to the noise", low=0, high=1.1 * most),
            "Power spectrum of what was removed, relative to the noise, and that of the noise "
            "itself",
        )
        .line(examined.expected, "noise", "s2", dashed=True)
        .line(examined.spectrum, "removed", "s1")
        .svg()
    )


def frc_plot(examined: Examined) -> Markup | None:
    """Ring correlation of two halves of the photons of the input."""
    frc = examined.frc
    if frc is None:
        return None
    smooth = frc.smoothed(3)
    resolution = frc.resolution()
    seventh = [(0.0, 1 / 7), (float(frc.frequency[-1]), 1 / 7)]
    plot = (
        Plot(
            Axis("spatial frequency, cycles per pixel", low=0, high=0.5),
            Axis("correlation", low=min(-0.2, *smooth), high=1),
            "Fourier ring correlation of two halves of the photons of the input",
        )
        .line(list(zip(frc.frequency, smooth, strict=True)), "two halves of the photons", "s1")
        .line(seventh, "threshold 1/7", "s2", dashed=True)
    )
    if resolution is not None and np.isfinite(resolution):
        plot.mark(1 / resolution, f"{resolution:.1f} pixels")
    return plot.svg()


def loss_plot(facts: Facts) -> Markup | None:
    """Loss against iterations of a fit, with its stop; None for the learned prior."""
    record = next((one for one in facts.records if len(one.curve) > 2), None)
    if record is None:
        return None
    last = record.curve[-1]
    allowed = facts.channel.choice.fit.iterations
    why = "stopped by the noise" if last[0] < allowed and not record.follows else "last iteration"
    return (
        Plot(
            Axis("iteration", logarithmic=True, low=1),
            Axis("loss, mean squared error on [0, 1]", logarithmic=True),
            f"Loss of the fit against iterations; it ended at iteration {last[0]:.0f}",
        )
        .line(record.curve, "loss", "s1")
        .mark(last[0], f"{why}: {last[0]:.0f}")
        .svg()
    )
