import re

import numpy as np

from autodip.pictures.markup import figures, thumbnail


def test_large_pictures_are_shrunk_and_small_ones_enlarged():
    assert thumbnail(np.zeros((1000, 500), np.uint8)).size == (120, 240)
    assert thumbnail(np.zeros((1, 5000), np.uint8)).size == (240, 1)
    assert thumbnail(np.zeros((64, 32), np.uint8)).size == (96, 192)
    assert thumbnail(np.full((200, 200), 7, np.uint8)).getextrema() == (7, 7)


def test_text_is_escaped():
    html = figures({'"><b>': np.zeros((4, 4), np.uint8)}, ["<i>&"])
    assert "<b>" not in html
    assert "<i>" not in html
    assert 'alt="&quot;&gt;&lt;b&gt;"' in html
    assert "&lt;i&gt;&amp;" in html


def test_without_pictures_there_is_text():
    html = figures({}, ["one", "two"])
    assert "<img" not in html
    assert re.search("one<br>two", html)
