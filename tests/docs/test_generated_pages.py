"""Tables of the pages of results are those that the stored rows give."""

from importlib import import_module

import pytest

from benchmarks.pages import filled


@pytest.mark.parametrize("name", ["field", "paper"])
def test_page_and_rows_agree(name):
    module = import_module(f"benchmarks.{name}")
    text = module.PAGE.read_text(encoding="utf-8")
    assert filled(text, module.blocks()) == text


def test_blocks_that_do_not_match_are_named():
    text = "a\n<!-- one: generated -->\nold\n<!-- end -->\nb\n"
    assert filled(text, {"one": "new\n"}) == (
        "a\n<!-- one: generated -->\n\nnew\n\n<!-- end -->\nb\n"
    )
    with pytest.raises(KeyError, match="two"):
        filled(text, {"one": "new", "two": "x"})
