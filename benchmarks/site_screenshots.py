"""Screenshots of the built documentation, on a desktop and on a phone, by headless Chromium.

    make docs
    python benchmarks/site_screenshots.py docs/_build/html OUT [--pages index gallery ...]

Needs Chromium with its driver, and ``pip install selenium``; nothing is downloaded. Every page is
shown 1280 and 390 pixels wide; one that is wider than its window is reported.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

WIDTHS = {"desktop": 1280, "phone": 390}
TALLEST = 6000
"""Height in pixels at which a long page is cut."""


def main() -> None:
    """Take the screenshots."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path, help="Folder with index.html.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--pages", nargs="+", default=["index", "tutorial"])
    parser.add_argument("--height", type=int, default=0, help="Default: that of the page.")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    options = webdriver.ChromeOptions()
    for word in ("--headless=new", "--no-sandbox", "--hide-scrollbars", "--disable-gpu"):
        options.add_argument(word)
    with webdriver.Chrome(options, Service(shutil.which("chromedriver"))) as browser:
        for page in arguments.pages:
            for name, width in WIDTHS.items():
                show(browser, arguments.site / f"{page}.html", width, arguments.height)
                file = arguments.out / f"{page.replace('/', '-')}-{name}.png"
                browser.save_screenshot(str(file))
                across = browser.execute_script("return document.documentElement.scrollWidth")
                print(f"{file}{'' if across <= width else f'  {across} pixels wide'}")


def show(browser: webdriver.Chrome, page: Path, width: int, height: int) -> None:
    """Load a page in a window of this width, as high as the page unless a height is given."""
    size = {"width": width, "height": height or 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(page.resolve().as_uri())
    if not height:
        found = browser.execute_script("return document.documentElement.scrollHeight")
        size["height"] = min(found, TALLEST)
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


if __name__ == "__main__":
    main()
