"""Layers of results, the accounts of how they were made, and what else is shown of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from autodip.napari import new_layers
from autodip.napari.account_view import AccountView
from autodip.napari.layer_runs import DenoisedLayer
from autodip.napari.live_layer import add
from autodip.pipeline.error_summary import SD


class Results:
    """Layers of results in a viewer.

    Parameters
    ----------
    viewer : napari.Viewer
    view : AccountView
        Shows the account of a layer.
    report : callable
        Opens the page about an outcome.
    """

    def __init__(
        self, viewer: Any, view: AccountView, report: Callable[[DenoisedLayer], None]
    ) -> None:
        self._viewer, self._view, self._report = viewer, view, report
        self._outcomes: WeakKeyDictionary[Any, DenoisedLayer] = WeakKeyDictionary()

    def __contains__(self, layer: Any) -> bool:
        return layer in self._outcomes

    def keep(self, layer: Any, outcome: DenoisedLayer) -> None:
        """Remember how a layer was made, and show that."""
        self._outcomes[layer] = outcome
        self.show(layer)

    def keep_with_errors(self, layer: Any, outcome: DenoisedLayer) -> None:
        """Like :meth:`keep`; the standard errors, if any, become a hidden layer over the result."""
        if SD in outcome.maps:
            errors = new_layers.named_map(SD, outcome, layer.as_layer_data_tuple()[1])
            errors[1]["visible"] = False
            add(self._viewer, errors)
            self._viewer.layers.selection.active = layer
        self.keep(layer, outcome)

    def show(self, layer: Any) -> None:
        """Show the account of a layer, and offer what else there is."""
        outcome, view = self._outcomes[layer], self._view
        view.show_account(layer.name, outcome.account)
        view.add_action(
            "Show what was removed",
            "Add a layer with the noisy image minus the result",
            partial(self._add_removed, layer),
        )
        view.add_action(
            "Open the report",
            "Show a page about the result in the browser: what was removed, brightness, quality",
            partial(self._report, outcome),
        )
        for name in outcome.maps:
            title = new_layers.title_of(name)
            view.add_action(
                f"Show {title.partition(',')[0]}",
                f"Show the layer with the {title}",
                partial(self._show_map, layer, name),
            )

    def _add_removed(self, layer: Any) -> None:
        made = new_layers.removed(self._outcomes[layer], layer.as_layer_data_tuple()[1])
        add(self._viewer, made)

    def _show_map(self, layer: Any, name: str) -> None:
        """Show the layer of a map, which is added unless it is there."""
        pixels = self._outcomes[layer].maps[name]
        for one in self._viewer.layers:
            if one.data is pixels:
                one.visible = True
                return
        made = new_layers.named_map(name, self._outcomes[layer], layer.as_layer_data_tuple()[1])
        add(self._viewer, made)
