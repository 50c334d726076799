"""The layer that is to be denoised: the selected image layer that is not itself a result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autodip.napari.new_layers import KEY


class Target:
    """Follows the selection of a viewer.

    Parameters
    ----------
    viewer : napari.Viewer
    changed : callable
        Called after the target, or its pixels, have changed.
    selected : callable
        Called with every selected layer.
    removed : callable
        Called with every layer that is removed.
    """

    def __init__(
        self,
        viewer: Any,
        changed: Callable[[], None],
        selected: Callable[[Any], None],
        removed: Callable[[Any], None],
    ) -> None:
        self._viewer = viewer
        self._changed, self._selected, self._removed = changed, selected, removed
        self.layer: Any = None
        viewer.layers.selection.events.active.connect(self._follow)
        viewer.layers.events.removed.connect(self._forget)
        self._watch(_possible(viewer.layers.selection.active))

    def close(self) -> None:
        """Follow the viewer no longer."""
        self._viewer.layers.selection.events.active.disconnect(self._follow)
        self._viewer.layers.events.removed.disconnect(self._forget)
        self._watch(None)

    def _follow(self, event: Any = None) -> None:
        active = self._viewer.layers.selection.active
        if active is not None:
            self._selected(active)
            self._take(active)

    def _take(self, layer: Any) -> None:
        if _possible(layer) is not None and layer is not self.layer:
            self._watch(layer)
            self._changed()

    def _watch(self, layer: Any) -> None:
        if self.layer is not None:
            self.layer.events.data.disconnect(self._edited)
        self.layer = layer
        if layer is not None:
            layer.events.data.connect(self._edited)

    def _edited(self, event: Any = None) -> None:
        self._changed()

    def _forget(self, event: Any) -> None:
        layer = event.value
        self._removed(layer)
        if layer is self.layer:
            self._watch(None)
            self._changed()


def _possible(layer: Any) -> Any:
    """A layer, unless it is itself a result; else None."""
    return None if layer is None or KEY in layer.metadata else layer
