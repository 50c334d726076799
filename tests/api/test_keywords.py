"""Keywords of autodip.denoise, and how progress is shown."""

import inspect
import io
import sys
import types

import numpy as np
import pytest
import torch

import autodip
from autodip.api import bars
from autodip.errors import DeviceError, ParameterError

FAST = {"preset": "fast", "device": "cpu"}


def test_the_signature_and_the_help_name_all():
    names = set(inspect.signature(autodip.denoise).parameters)
    assert {"image", "preset", "max_memory", "frames", "channel", "progress", "scene"} <= names
    for name in names - {"microscope", "specimen", "iterations", "depth", "width", "skip"}:
        assert f"\n{name} : " in autodip.denoise.__doc__, name
    assert "**keywords" not in autodip.denoise.__doc__


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"iteration": 5}, "no keyword 'iteration'. Did you mean iterations?"),
        ({"Preset": "fast"}, "Did you mean preset?"),
        ({"zzz": 1}, r"no keyword 'zzz'\. All are described"),
        ({"frames": slice(0, 9, 2)}, "select them from the array"),
        ({"frames": 1.5}, "or the number of one frame"),
        ({"frames": "a:b"}, "give A:B"),
        ({"progress": "yes"}, "give True for a progress bar"),
        ({"max_memory": "4XB"}, r"max_memory '4XB'; give a size"),
        ({"max_memory": "0GB"}, "above 0"),
        ({"dtype": "int12"}, "dtype 'int12' is not known. Did you mean uint16"),
        ({"dtype": np.complex64}, "dtype 'complex64' is not known"),
        ({"channel": "DAPI"}, "no channel 'DAPI'"),
        ({"specimen": "DAPI=nucleus,FITC=actin"}, "names a channel 'DAPI'"),
    ],
)
def test_what_is_not_allowed_says_what_is(given, message, sample):
    with pytest.raises(ParameterError, match=message):
        autodip.denoise(sample[0], **given)


@pytest.mark.parametrize("dtype", [np.float32, "float32", np.dtype("<f4"), "<f4", torch.float32])
def test_data_types_have_many_names(dtype):
    assert autodip.Options(dtype=dtype).dtype == "float32"


def test_devices_and_sizes_too(sample):
    options = autodip.Options(device=torch.device("cpu"), max_memory="8GiB")
    assert (options.device, options.max_memory) == ("cpu", 2**33)
    with pytest.raises(DeviceError):
        autodip.denoise(sample[0], device=torch.device("cuda", 99))
    result = autodip.denoise(sample[0], **{**FAST, "dtype": np.float32}, max_memory="99GB")
    assert result.image.dtype == np.float32


def test_a_name_of_a_dye_is_a_specimen(sample):
    result = autodip.denoise(sample[0], specimen="DAPI", **FAST)
    assert result.choice.evidence.known.specimen == "nucleus"


def test_a_function_is_called_with_every_step(sample):
    seen = []
    result = autodip.denoise(np.stack([sample[0]] * 2), axes="ZYX", progress=seen.append, **FAST)
    assert [one.plane for one in seen if one.step] == [0, 0, 1]
    assert seen[-1].result.image is result.image


def test_a_function_may_cancel(sample):
    def cancel(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        autodip.denoise(sample[0], progress=cancel, **FAST)


def test_a_terminal_shows_a_bar_and_a_file_nothing(sample, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    for stream, shown in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setattr(sys, "stderr", stream)
        autodip.denoise(sample[0], progress=True, **FAST)
        assert ("denoising" in stream.getvalue()) is shown


class TestNotebook:
    @pytest.fixture
    def shown(self, monkeypatch):
        """What a notebook shows, as HTML, in order."""
        shown = []

        class Handle:
            def update(self, given):
                shown.append(given._repr_html_())

        def display(given, display_id):
            assert display_id
            shown.append(given._repr_html_())
            return Handle()

        shell = types.SimpleNamespace(kernel=object())
        package = types.ModuleType("IPython")
        package.get_ipython = lambda: shell
        module = types.ModuleType("IPython.display")
        module.display = display
        monkeypatch.setitem(sys.modules, "IPython", package)
        monkeypatch.setitem(sys.modules, "IPython.display", module)
        monkeypatch.setattr(bars, "_OFTEN", 0.0)
        return shown

    def test_a_bar_without_widgets(self, sample, shown):
        autodip.denoise(sample[0], progress=True, **FAST)
        assert "<progress" in shown[0]
        assert "iteration 1/2" in shown[1]
        assert "done in" in shown[-1]

    def test_a_failure_is_not_shown_as_done(self, sample, shown):
        steps = bars.shown(autodip.denoise_steps(sample[0], autodip.Options(**FAST)), True)
        next(steps)
        steps.close()
        assert "stopped after" in shown[-1]
        assert "done in" not in shown[-1]


def test_a_bar_has_text_where_there_is_no_html():
    assert repr(bars.NotebookBar()) == "0 %  reading"
