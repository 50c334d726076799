import pytest
import torch

from autodip.compute import device
from autodip.errors import DeviceError, ParameterError


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "cpu:0", "mps:1", ""])
def test_unknown_names_list_the_allowed(name):
    with pytest.raises(ParameterError, match="auto, cpu, cuda, cuda:N and mps"):
        device.resolve(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device")
@pytest.mark.parametrize("name", ["cuda", "cuda:3"])
def test_a_missing_device_lists_those_there(name):
    with pytest.raises(DeviceError, match="this machine has cpu"):
        device.resolve(name)


def test_auto_takes_the_fastest(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert device.resolve("auto") == "cpu"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert device.resolve("auto") == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert device.resolve("auto") == "cuda:0"
    assert device.resolve("cuda:1") == "cuda:1"


def test_free_memory_heeds_the_limit_of_a_container(monkeypatch, tmp_path):
    assert device.free_memory("cpu") > 0
    (tmp_path / "memory.max").write_text("5000\n")
    (tmp_path / "memory.current").write_text("2000\n")
    monkeypatch.setattr(device, "_CGROUP", tmp_path)
    assert device.free_memory("cpu") == 3000
    (tmp_path / "memory.max").write_text("max\n")
    assert device.free_memory("cpu") > 3000
