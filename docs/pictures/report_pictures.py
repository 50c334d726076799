"""Pictures of docs/report.md: a page, a phone, an index and a figure, of simulated images.

    python docs/pictures/report_pictures.py [FOLDER]

It needs selenium, chromium and chromedriver (Debian: chromium, chromium-driver).
"""

from __future__ import annotations

import base64
import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image as Picture
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from autodip.cli.main import run
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate

COLOURS = 56


def simulated(folder: Path) -> None:
    """Write seven images; one has very few photons, one has hot pixels."""
    folder.mkdir()
    for number, (specimen, microscope, photons) in enumerate(
        (
            ("nucleus", "confocal", 30),
            ("nucleus", "confocal", 30),
            ("mito", "confocal", 30),
            ("mito", "confocal", 30),
            ("mito", "confocal", 1.5),
            ("actin", "confocal", 30),
            ("actin", "confocal", 30),
        )
    ):
        optics = Optics(microscope=microscope, photons=photons)
        pixels, _ = simulate(specimen, optics, size=512, seed=10 + number)
        if number == 1:
            places = np.random.default_rng(0).integers(0, 512, (2, 40))
            pixels[tuple(places)] = 9000
        name = folder / f"well{number + 1}_{specimen}.tif"
        tifffile.imwrite(name, pixels, imagej=True, resolution=(10, 10), metadata={"unit": "um"})


def browser() -> webdriver.Chrome:
    """Headless Chromium."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))


def shoot(
    chrome: webdriver.Chrome, path: Path, size: tuple[int, int], start: str = "", script: str = ""
) -> Picture.Image:
    """Screenshot of a page from an element on, after a script."""
    settings = {"width": size[0], "height": size[1], "deviceScaleFactor": 1}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**settings, "mobile": False})
    chrome.get(path.as_uri())
    chrome.execute_script(script)
    top = "document.querySelector(arguments[0]).getBoundingClientRect().top + scrollY - 16"
    y = max(0, chrome.execute_script(f"return {top}", start)) if start else 0
    clip: dict[str, Any] = {"x": 0, "y": y, "width": size[0], "height": size[1], "scale": 1}
    options = {"captureBeyondViewport": True, "clip": clip}
    shot = chrome.execute_cdp_cmd("Page.captureScreenshot", options)
    return Picture.open(io.BytesIO(base64.b64decode(shot["data"])))


def saved(picture: Picture.Image, path: Path) -> None:
    """Write a picture with few colours, which makes its file small."""
    few = picture.convert("RGB").quantize(COLOURS, dither=Picture.Dither.NONE)
    few.save(path, optimize=True)


SLIDE = (
    "const slider = document.querySelector('input[type=range]'); slider.value = 42;"
    "slider.dispatchEvent(new Event('input'));"
)
STRETCH = SLIDE + "document.querySelector('.stretch').click();"


def main() -> None:
    """Write all pictures."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "plate7"
        simulated(folder)
        out = Path(temporary) / "denoised"
        options = ["--microscope", "confocal", "--report", "--figure", "--quiet"]
        if run(["denoise", str(folder), "-o", str(out), *options]):
            raise SystemExit("denoising failed")
        page = out / "well3_mito.tif.autodip.html"
        chrome = browser()
        try:
            pictures = {
                "report-page": shoot(chrome, page, (1320, 900), "#pictures", SLIDE),
                "report-top": shoot(chrome, out / "well5_mito.tif.autodip.html", (1100, 640)),
                "report-plots": shoot(chrome, page, (1100, 1500), "#removed"),
                "report-phone": shoot(chrome, page, (390, 900), "#pictures", STRETCH),
                "report-index": shoot(chrome, out / "index.html", (1280, 1180)),
            }
        finally:
            chrome.quit()
        with Picture.open(out / "well1_nucleus.tif.autodip.png") as figure:
            small = figure.resize((figure.width // 2, figure.height // 2))
        pictures["report-figure"] = small
        for name, picture in pictures.items():
            saved(picture, target / f"{name}.png")


if __name__ == "__main__":
    main()
