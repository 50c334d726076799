import subprocess
import sys

import autodip

NAMES = {
    "AutodipError", "Base", "Choice", "FitParams", "Image", "NetParams", "Noise", "Options", "Plan",
    "Progress", "RefineParams", "Result", "__version__", "calibrate", "denoise", "denoise_steps",
    "estimate_noise", "metrics", "plan", "read", "sample", "write",
}  # fmt: skip


def test_they_are_listed_and_there():
    assert set(autodip.__all__) == NAMES
    assert set(dir(autodip)) >= NAMES
    assert all(getattr(autodip, name) is not None for name in NAMES)


def test_calibrate_is_the_function_whatever_was_imported():
    code = "import autodip.calibration.work, autodip; print(callable(autodip.calibrate))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_neither_the_package_nor_the_help_loads_torch():
    code = (
        "import sys, autodip; from autodip.cli.main import run; "
        "autodip.Options, autodip.Plan, autodip.RefineParams, autodip.Base; "
        "autodip.denoise, autodip.Result, autodip.write, autodip.metrics.lpips; "
        "assert run(['denoise', '--help']) == 0; "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
