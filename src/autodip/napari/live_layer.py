"""The layer in which the result of a run grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autodip.napari import new_layers
from autodip.napari.layer_runs import DenoisedLayer, Region
from autodip.napari.live import LivePixels
from autodip.napari.tally import Tally


class LiveLayer:
    """The layer in which the result of a run grows, in a viewer of napari.

    Parameters
    ----------
    viewer : napari.Viewer
    source : napari.layers.Image
        Layer that is denoised.
    """

    def __init__(self, viewer: Any, source: Any) -> None:
        self._viewer, self.source = viewer, source
        self.keywords: Mapping[str, Any] = source.as_layer_data_tuple()[1]
        self.layer: Any = None
        self._pixels: LivePixels | None = None

    def show(self, pixels: LivePixels) -> None:
        """Show the results so far."""
        self._pixels = pixels
        if self.layer is None:
            made = new_layers.interrupted(pixels.pixels, self.keywords, "running")
            self.layer = add(self._viewer, made)
        else:
            self.layer.data = pixels.pixels

    def finish(self, outcome: DenoisedLayer) -> Any:
        """Show the result instead; return its layer."""
        return self._replace(new_layers.denoised(outcome, self.keywords))

    def interrupt(self, tally: Tally) -> Any:
        """Keep the results so far, marked as interrupted; None if there are none."""
        if self._pixels is None:
            return None
        done = f"{self._pixels.finished} of {tally.planes} {tally.part}s finished"
        if tally.planes == 1:
            done = "before the last step"
        # A copy, as the run may still write into the array until it ends.
        return self._replace(
            new_layers.interrupted(self._pixels.pixels.copy(), self.keywords, done)
        )

    def discard(self) -> None:
        """Remove the layer."""
        if self.layer is not None and self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)
        self.layer = None

    def _replace(self, made: new_layers.LayerTuple) -> Any:
        self.discard()
        return add(self._viewer, made)


def add(viewer: Any, made: new_layers.LayerTuple) -> Any:
    """Add a layer to a viewer, and return it."""
    pixels, keywords, _ = made
    return viewer.add_image(pixels, **keywords)


def placed(source: Any, region: Region) -> Sequence[float]:
    """Translation of a layer that shows a region of another, wherever that lies."""
    world = source.data_to_world(region.corner)
    return tuple(map(float, source.affine.inverse(world)))
