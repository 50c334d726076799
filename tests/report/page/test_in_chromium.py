"""Pages in a real browser: they move, load nothing, complain of nothing, and print."""

import base64
import io
import json
import shutil
from collections import Counter

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

from autodip.report.page.reporter import Reporter
from tests.report.page.conftest import HOSTILE

FAST = ("--preset", "fast")


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium that logs what it loads."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("chromium and chromedriver (Debian: chromium, chromium-driver) are missing")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--force-prefers-reduced-motion",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.chrome.service.Service(driver)
    found = webdriver.Chrome(options=options, service=service)
    yield found
    found.quit()


@pytest.fixture
def show(browser):
    """Open a file at a width; at the end nothing else was requested and nothing went wrong."""
    opened = []

    def go(path, width=1100, height=2600):
        browser.get_log("performance"), browser.get_log("browser")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        opened.append(path.as_uri())
        browser.get(path.as_uri())
        return browser

    yield go
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    requested = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert opened[-1] in requested  # the log works
    assert [url for url in requested if not url.startswith(("file:", "data:"))] == []
    assert {url for url in requested if url.startswith("file:")} <= set(opened)
    assert [entry["message"] for entry in browser.get_log("browser")] == []


@pytest.fixture
def result_page(done):
    Reporter(page=True).made(done)
    return done.with_name("cells.tif.autodip.html")


def pixels(element):
    """Screenshot of an element, grey."""
    return np.asarray(Picture.open(io.BytesIO(element.screenshot_as_png)).convert("L")).astype(int)


def element(browser, selector):
    return browser.find_element("css selector", selector)


def slide(browser, value):
    browser.execute_script(
        "arguments[0].value = arguments[1];"
        "arguments[0].dispatchEvent(new Event('input', {bubbles: true}))",
        element(browser, "input[type=range]"),
        value,
    )


def press(browser, selector):
    """Toggle a box by the keyboard."""
    element(browser, selector).send_keys(" ")


def test_the_slider_moves_the_boundary(show, result_page):
    browser = show(result_page)
    frame = element(browser, ".frame")
    shots = {}
    for value in (0, 25, 75, 100):
        slide(browser, value)
        shots[value] = pixels(frame)
    width = shots[0].shape[1]
    changed = (shots[0] != shots[100]).mean(axis=0)
    assert (changed > 0.2).mean() > 0.9  # before and after differ in nearly every column
    moved = np.flatnonzero((shots[25] != shots[75]).mean(axis=0) > 0.2)
    assert abs(moved[0] - 0.25 * width) < 6
    assert abs(moved[-1] - 0.75 * width) < 6
    rough = [np.abs(np.diff(shots[value])).mean() for value in (0, 100)]
    assert rough[1] > 2 * rough[0]  # the noisy image is on the side of "before"


def test_it_moves_by_keyboard_and_by_pointer(show, result_page):
    from selenium.webdriver import ActionChains, Keys  # noqa: PLC0415  (optional)

    browser = show(result_page)
    slider = element(browser, "input[type=range]")
    line = element(browser, ".edge")
    start = float(line.get_attribute("x1"))
    for _ in range(40):
        if browser.switch_to.active_element == slider:
            break
        ActionChains(browser).send_keys(Keys.TAB).perform()
    assert browser.switch_to.active_element == slider
    slider.send_keys(Keys.ARROW_RIGHT * 5)
    assert float(line.get_attribute("x1")) > start
    assert slider.get_attribute("aria-valuetext") == "55 % before"
    frame = element(browser, ".frame")
    browser.execute_script("arguments[0].scrollIntoView()", frame)
    left = -frame.rect["width"] / 2 + 0.2 * frame.rect["width"]
    ActionChains(browser).move_to_element_with_offset(frame, int(left), 0).click().perform()
    assert 18 <= int(slider.get_property("value")) <= 22


def test_the_background_is_stretched(show, result_page):
    browser = show(result_page)
    slide(browser, 0)
    frame = element(browser, ".frame")
    linear = pixels(frame)
    press(browser, ".stretch")
    stretched = pixels(frame)
    dark = linear < np.percentile(linear, 30)
    assert np.median(stretched[dark]) > np.median(linear[dark]) + 40
    press(browser, ".stretch")
    assert (pixels(frame) == linear).mean() > 0.99


def test_the_contrast_is_linear(show, result_page, done):
    """Grey values on the screen are those of the result between the stated limits."""
    browser = show(result_page)
    slide(browser, 0)
    browser.execute_script(
        "document.querySelectorAll('.detail, .edge, .bar, .bartext').forEach(one => one.remove())"
    )
    seen = pixels(element(browser, ".frame"))
    result = tifffile.imread(done).astype(float)
    low, high = np.percentile(result, (0.1, 99.9))
    wanted = 255 * np.clip((result - low) / (high - low), 0, 1)
    scale = seen.shape[0] / result.shape[0]
    at = ((np.arange(result.shape[0]) + 0.5) * scale).astype(int)
    assert np.abs(seen[np.ix_(at, at)] - wanted)[2:-2, 2:-2].mean() < 3


def test_replaced_pixels_are_marked_on_demand(show, cli, noisy, tmp_path):
    hot = noisy.copy()
    hot[10::40, 10::40] = 60000
    tifffile.imwrite(tmp_path / "hot.tif", hot)
    assert cli("denoise", tmp_path / "hot.tif", "-o", tmp_path / "o/", *FAST, "--report")[0] == 0
    browser = show(tmp_path / "o" / "hot.tif.autodip.html")
    marks = element(browser, ".marks")
    assert not marks.is_displayed()
    press(browser, ".show-marks")
    assert marks.is_displayed()


@pytest.mark.parametrize("width", [390, 768, 1400])
def test_nothing_is_wider_than_the_screen(show, result_page, width):
    browser = show(result_page, width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_it_is_accessible(show, result_page):
    browser = show(result_page)
    assert browser.execute_script("return document.documentElement.lang") == "en"
    for landmark in ("header", "nav[aria-label]", "main", "footer", "h1"):
        assert element(browser, landmark)
    unnamed = browser.execute_script(
        "return [...document.querySelectorAll('img:not([alt]), svg[role=img]:not([aria-label])')]"
        ".length"
    )
    assert unnamed == 0
    levels = browser.execute_script(
        "return [...document.querySelectorAll('h1,h2,h3,h4')].map(h => Number(h.tagName[1]))"
    )
    assert levels[0] == 1
    assert Counter(levels)[1] == 1
    for box in browser.find_elements("css selector", "input"):
        assert box.accessible_name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(show, result_page, scheme):
    """Contrast of at least 4.5 to 1 (WCAG AA) in both colour schemes."""
    browser = show(result_page)
    feature = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
    colours = browser.execute_script(
        "const page = getComputedStyle(document.body);"
        "const of = s => getComputedStyle(document.querySelector(s)).color;"
        "return [page.backgroundColor, page.color, of('.kind'), of('nav a'), of('figcaption')]"
    )
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    back, *texts = [luminance(colour) for colour in colours]
    assert (back < 0.1) == (scheme == "dark")
    for text in texts:
        assert (max(back, text) + 0.05) / (min(back, text) + 0.05) >= 4.5


def luminance(colour):
    """Relative luminance of a colour of CSS."""
    parts = [int(one) / 255 for one in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_it_prints(show, result_page):
    browser = show(result_page)
    printed = base64.b64decode(
        browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
    )
    assert printed.startswith(b"%PDF")
    assert 2 <= printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") <= 12
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not element(browser, ".controls").is_displayed()
    assert not element(browser, "nav").is_displayed()
    assert element(browser, ".canvas").is_displayed()
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_hostile_names_are_shown_and_not_executed(show, cli, hostile, tmp_path):
    out = tmp_path / "out"
    assert cli("denoise", hostile, "-o", out, *FAST, "--report")[0] == 0
    browser = show(out / "index.html")
    names = [one.text for one in browser.find_elements("css selector", "tbody th a")]
    assert len(names) == len(HOSTILE)
    assert HOSTILE[0] in names
    assert browser.title == "out – autodip"
    links = [
        one.get_attribute("href") for one in browser.find_elements("css selector", "tbody th a")
    ]
    page = next(path for path in out.glob("<script>*.html"))
    assert page.as_uri() in links
    browser = show(page)
    assert element(browser, "h1").text == HOSTILE[0]
    assert browser.title == f"{HOSTILE[0]} – autodip"


def test_the_index_sorts_and_filters(show, cli, several, tmp_path):
    out = tmp_path / "out"
    assert cli("denoise", several, "-o", out, *FAST, "--report")[0] == 0
    browser = show(out / "index.html")

    def column(number):
        return [
            one.get_attribute("data-value")
            for one in browser.find_elements("css selector", f"tbody tr > :nth-child({number})")
        ]

    names = column(3)
    assert names == sorted(names)
    head = element(browser, "button[data-column=noise]")
    head.send_keys("\n")
    values = [float(value) for value in column(5)]
    assert values == sorted(values)
    assert column(3)[-1] == "other.png"
    assert head.find_element("xpath", "..").get_attribute("aria-sort") == "ascending"
    head.send_keys("\n")
    assert [float(value) for value in column(5)] == sorted(values, reverse=True)
    marked = browser.find_elements("css selector", "tr.marked")
    assert [one.find_element("css selector", "th a").text for one in marked] == ["other.png"]
    press(browser, "#only")
    shown = [one for one in browser.find_elements("css selector", "tbody tr") if one.is_displayed()]
    assert shown == marked
    assert element(browser, "#said").text == "1 shown"
    for width in (390, 1200):
        browser = show(out / "index.html", width)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_the_policy_stops_what_does_not_belong_to_the_page(browser, result_page):
    """A page into which somebody has written does not run it, nor load anything."""
    text = result_page.read_text(encoding="utf-8")
    added = (
        "<script>document.title = 'run'</script><img src='http://127.0.0.1:9/x.png'>"
        "<img src=x onerror=\"document.title = 'run'\">"
    )
    result_page.write_text(text.replace("<main", added + "<main", 1), encoding="utf-8")
    browser.get_log("browser")
    browser.get(result_page.as_uri())
    assert browser.title == "cells.tif – autodip"
    refused = " ".join(entry["message"] for entry in browser.get_log("browser"))
    assert refused.count("Content Security Policy") >= 3
