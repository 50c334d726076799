"""The kind of processor, on which the last bits of a result depend."""

import platform

from autodip.compute import processor
from autodip.compute.device import multiplies_bfloat16


def test_kind_of_this_processor():
    found = processor.kind("cpu")
    assert set(found) == {"processor", "instructions", "bfloat16"}
    assert all(found.values())
    assert (found["bfloat16"] == "nothing") == (not multiplies_bfloat16("cpu"))


def test_systems_without_a_file_of_the_processor(monkeypatch, tmp_path):
    monkeypatch.setattr(processor, "_INFORMATION", tmp_path / "none")
    assert processor.flags() == ()
    assert processor.name() in (platform.processor(), platform.machine())


def test_what_linux_states(monkeypatch, tmp_path):
    file = tmp_path / "cpuinfo"
    file.write_text("processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\nflags\t\t: fpu avx2\n")
    monkeypatch.setattr(processor, "_INFORMATION", file)
    assert (processor.name(), processor.flags()) == ("Some CPU @ 3 GHz", ("fpu", "avx2"))
