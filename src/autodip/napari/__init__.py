"""Plugin for napari: a widget that denoises a layer or a folder, and sample images.

The modules that show something import Qt through qtpy; all others work without Qt.
"""
