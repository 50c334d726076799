"""Damaged and crafted files, in a watched process; ``python -m benchmarks.hostile`` reads more."""

import sys

import pytest

from benchmarks.hostile.cases import Cases
from benchmarks.hostile.report import run

_FORMATS = r"\.(png|np[yz]|mrc|zarr|nd2|lif|czi|tiff?)$"


@pytest.mark.skipif(sys.platform != "linux", reason="memory and files are watched by /proc")
def test_every_file_is_read_or_refused_clearly(tmp_path):
    found = run(Cases(tmp_path, per=6, seed=20, only=_FORMATS, every=9))
    assert found.faults == []
    assert found.cases > 300
    assert {"ok", "clear"} == {outcome for count in found.outcomes.values() for outcome in count}
