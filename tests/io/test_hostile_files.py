"""Damaged and crafted files, in a watched process; ``python -m benchmarks.hostile`` reads more."""

import sys

import pytest

from benchmarks.hostile.cases import Cases
from benchmarks.hostile.report import run


@pytest.mark.skipif(sys.platform != "linux", reason="memory and files are watched by /proc")
def test_every_file_is_read_or_refused_clearly(tmp_path):
    found = run(Cases(tmp_path, per=3, seed=20, every=23))
    assert found.faults == []
    assert found.cases > 300
    assert {"ok", "clear"} == {outcome for count in found.outcomes.values() for outcome in count}
