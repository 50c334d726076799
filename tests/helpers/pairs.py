"""A folder of small noisy and true images with a manifest."""

import json

import numpy as np
from PIL import Image as Picture

from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate


def write(folder, specimens, size=64, **others):
    """Folder with one 8-bit pair for each specimen, of a field of its own, for calibration."""
    folder.mkdir()
    entries = []
    for number, specimen in enumerate(specimens):
        noisy, truth = simulate(specimen, Optics(microscope="confocal"), size=size, seed=number)
        for kind, image in (("noisy", noisy), ("truth", truth)):
            grey = (image.astype(float) / truth.max() * 200).clip(0, 255).astype(np.uint8)
            Picture.fromarray(grey).save(folder / f"{kind}{number}.png")
        entries.append(
            {
                "set": "cells",
                "role": "calibration",
                "file": f"noisy{number}.png",
                "truth": f"truth{number}.png",
                "microscope": "confocal",
                "specimen": specimen,
                "noise_level": "raw",
                "fov": number,
                "capture": 1,
                **others,
            }
        )
    save(folder, entries)
    return folder


def entries_of(folder):
    return json.loads((folder / "manifest.json").read_text())


def save(folder, entries):
    (folder / "manifest.json").write_text(json.dumps(entries))
