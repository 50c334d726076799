"""Every word that the program prints is in the glossary."""

import re

import pytest
import tifffile

from autodip.bases.criteria import CRITERIA
from autodip.choose.presets import PRESETS
from autodip.cli.main import run
from autodip.runs.summary import FIELDS
from tests.docs.blocks import DOCS

TEXT = (DOCS / "glossary.md").read_text(encoding="utf-8")
TERMS = {
    term.strip(" `").lower()
    for line in re.findall(r"^(.+)\n: ", TEXT, re.MULTILINE)
    for term in line.split(",")
}
WORDS = [
    "grain",
    "lag",
    "prior",
    "group",
    "base",
    "sidecar",
    "residual",
    "FRC",
    "LPIPS",
    "SSIM",
    "PSNR",
    "stop",
    "iterations",
    "tile",
    "window",
    "gain",
    "sigma",
    "refinement",
    "preset",
    "strategy",
    "criterion",
    "passes",
    "neighbours",
    "note",
    "bins",
    "orientations",
    "seed",
    "budget",
    "manifest",
    "journal",
    "capture",
    "truth",
    "outliers",
    "repairs",
    "SURE",
    "dB",
    "checkpoint",
    "familiarity",
    "descriptors",
]
"""Words of notes, errors and results."""


@pytest.mark.parametrize("word", [*WORDS, *FIELDS])
def test_word_is_explained(word):
    assert word.lower() in TERMS


def test_names_are_explained():
    for name in (*PRESETS, *CRITERIA):
        assert f"`{name}`" in TEXT, name


def test_labels_of_the_output_are_explained(tmp_path, monkeypatch, sample, capsys):
    """Words at the start of the lines of ``info``, ``params`` and ``denoise -v``."""
    monkeypatch.chdir(tmp_path)
    tifffile.imwrite("a.tif", sample[0])
    for words in (
        ["info", "a.tif"],
        ["params", "a.tif"],
        ["params", "a.tif", "--preset", "untrained"],
    ):
        assert run(words) == 0
    labels = set(re.findall(r"^ {2}([a-z][a-z ]*?) {2,}", capsys.readouterr().out, re.MULTILINE))
    assert {"noise", "prior", "cost"} <= labels
    missing = {label for label in labels if not _explained(label)}
    assert missing == set()


def _explained(label):
    return label in TERMS or f"{label}s" in TERMS or label.removesuffix("s") in TERMS
