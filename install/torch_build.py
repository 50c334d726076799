"""Print the options with which pip installs the build of torch that suits this computer.

``auto`` prefers PyTorch's CPU build on Linux without an NVIDIA GPU: the build on PyPI needs CUDA
there, which is gigabytes. If PyTorch's index cannot be reached, pip uses the one that it is
configured to use, as it does with ``default``.
"""

import argparse
import shutil
import subprocess
import sys
from urllib.error import URLError
from urllib.request import urlopen

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
BUILDS = ("auto", "cpu", "default")


def options(build: str) -> str:
    cpu = build == "cpu" or (
        build == "auto" and sys.platform == "linux" and not has_nvidia_gpu() and is_reachable()
    )
    return f"--extra-index-url {CPU_INDEX}" if cpu else ""


def has_nvidia_gpu() -> bool:
    command = shutil.which("nvidia-smi")
    if command is None:
        return False
    return subprocess.run([command], capture_output=True, check=False).returncode == 0


def is_reachable() -> bool:
    try:
        with urlopen(f"{CPU_INDEX}/torch/", timeout=5):
            return True
    except (URLError, TimeoutError):
        return False


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", choices=BUILDS)
    print(options(parser.parse_args().build))
