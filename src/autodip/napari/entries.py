"""What a user enters in the widget, as options of a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autodip.pipeline.options import Options

OTHER = "other"
"""Name of a microscope or specimen that is none of those in the vocabulary."""


@dataclass(frozen=True, kw_only=True)
class Entries:
    """What a user enters in the widget.

    Parameters
    ----------
    microscopes, specimens : tuple of str
        One name for each channel, or one for all; "" leaves it to the metadata of the file.
    preset, device : str
    budget : float or None
        Seconds allowed for the whole image, which then determine the preset.
    axes : str or None
        Order of the dimensions of the layer; None as the file or the layer states it.
    uncertainty : bool
        Whether the standard error of every pixel is computed as well.
    """

    microscopes: tuple[str, ...] = ("",)
    specimens: tuple[str, ...] = ("",)
    preset: str = "balanced"
    device: str = "auto"
    budget: float | None = None
    axes: str | None = None
    uncertainty: bool = False

    def keywords(self) -> dict[str, Any]:
        """Keywords of :class:`Options` that repeat the run.

        The preset and the device are always stated, so that a config file changes neither.
        """
        found: dict[str, Any] = {}
        for name, values in (("microscope", self.microscopes), ("specimen", self.specimens)):
            text = _per_channel(values)
            if text:
                found[name] = text
        if self.budget is None:
            found["preset"] = self.preset
        else:
            found["budget"] = self.budget
        more = {"uncertainty": True} if self.uncertainty else {}
        return {**found, "device": self.device, **more}

    def options(self) -> Options:
        """Options of the run; raises a ParameterError if a value is not allowed."""
        return Options(**self.keywords())

    def of_channel(self, number: int) -> Entries:
        """Copy for an image with only one of the channels, and without other axes."""
        microscopes, specimens = (
            values[number : number + 1] if len(values) > 1 else values
            for values in (self.microscopes, self.specimens)
        )
        return dataclasses.replace(self, axes=None, microscopes=microscopes, specimens=specimens)


def _per_channel(values: Sequence[str]) -> str:
    """Names of the channels as text for an option; empty if none is entered."""
    if len(set(values)) == 1:
        return values[0]
    return ",".join(f"{number}={name}" for number, name in enumerate(values) if name)
