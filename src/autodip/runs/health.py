"""Whether this installation works: versions, device, memory, optional packages and own files."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import resources
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any, Literal

import platformdirs
import psutil

from autodip.bases import builtin, packing
from autodip.errors import AutodipError
from autodip.metrics import weights
from autodip.prior.setting import BUILTIN, digest_of
from autodip.runs import defaults
from autodip.util.files import check_writable
from autodip.util.optional import install_command
from autodip.util.paths import free_space

Status = Literal["ok", "missing", "failed"]

OPTIONAL = {
    "zarr": ("zarr", "OME-Zarr"),
    "nd2": ("nd2", "Nikon ND2"),
    "liffile": ("lif", "Leica LIF"),
    "czifile": ("czi", "Zeiss CZI"),
    "mrcfile": ("mrc", "MRC"),
    "yaml": ("calibrate", "grids, recipes and detectors as YAML files"),
    "distributed": ("cluster", "--workers and --scheduler"),
    "pytorch_msssim": ("benchmark", "multi-scale SSIM"),
    "pywt": ("benchmark", "the method wavelet"),
    "bm3d": ("bm3d", "the method bm3d; for non-commercial use"),
    "umap": ("umap", "the similarity measure umap"),
    "matplotlib": ("plot", "figures of results in Python"),
    "napari": ("napari", "the plugin for napari"),
}
"""Optional modules, each with the extra that installs it and what it is for."""

_NEEDED = ("numpy", "scipy", "scikit-image", "tifffile", "imagecodecs", "safetensors")
_LITTLE_SPACE, _LITTLE_MEMORY = 1e9, 1e9
"""Free bytes below which disk or memory is reported as too little."""


@dataclass(frozen=True)
class Check:
    """Result of one check.

    Parameters
    ----------
    name, value : str
        What was checked, and what was found.
    status : "ok", "missing" or "failed"
        "missing" if something optional is missing, "failed" if autodip does not work as it should.
    advice : str
        What to do; empty if nothing has to be done.
    """

    name: str
    value: str
    status: Status = "ok"
    advice: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Convert to a plain, JSON-ready dictionary."""
        return asdict(self)


def checks(*, test: bool = True) -> Iterator[Check]:
    """Examine this installation, one check after the other.

    Parameters
    ----------
    test : bool
        Whether a small image is denoised at the end, which takes seconds.
    """
    yield Check("autodip", _version("autodip"))
    yield Check("python", f"{platform.python_version()}, {platform.system()} {platform.machine()}")
    yield Check("packages", ", ".join(f"{name} {_version(name)}" for name in _NEEDED))
    yield from (_guarded(name, check) for name, check in _OF_MACHINE)
    yield from map(_optional, OPTIONAL)
    yield from (_guarded(name, check) for name, check in _OF_FILES)
    if test:
        yield _guarded("self-test", _self_test)


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    """Result of a check; what it raises is its result as well."""
    try:
        return check()
    except AutodipError as error:
        return Check(name, str(error), "failed")
    except Exception as error:
        return Check(name, f"{type(error).__name__}: {error}", "failed")


def _torch() -> Check:
    import torch  # noqa: PLC0415  (takes a second)

    build = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "for the CPU"
    return Check("torch", f"{torch.__version__}, built {build}")


def _device() -> Check:
    import torch  # noqa: PLC0415

    if torch.cuda.is_available():
        names = ", ".join(map(torch.cuda.get_device_name, range(torch.cuda.device_count())))
        return Check("device", f"cuda: {names}")
    if torch.backends.mps.is_available():
        return Check("device", "mps: Apple GPU")
    if torch.version.cuda:
        advice = "without a GPU, a CPU build of torch saves gigabytes"
        return Check("device", "cpu; this torch is built for CUDA but finds no GPU", "ok", advice)
    return Check("device", "cpu")


def _processor() -> Check:
    import torch  # noqa: PLC0415

    of_process = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    cores = of_process or os.cpu_count()
    threads = torch.get_num_threads()
    text = f"{cores} cores, torch uses {threads} thread{'s' * (threads != 1)}"
    return Check("processor", text)


def _memory() -> Check:
    found = psutil.virtual_memory()
    text = f"{found.available / 1e9:.1f} of {found.total / 1e9:.1f} GB free"
    little = found.available < _LITTLE_MEMORY
    advice = "close other programs, or use --max-memory" if little else ""
    return Check("memory", text, "failed" if little else "ok", advice)


def _cache() -> Check:
    folder = platformdirs.user_cache_path("autodip")
    check_writable(folder, dry=True)
    free = free_space(folder)
    if free is None:
        return Check("cache", str(folder))
    little = free < _LITTLE_SPACE
    text = f"{folder}, writable, {free / 1e9:.1f} GB free"
    return Check("cache", text, "failed" if little else "ok", "free some space" * little)


def _optional(module: str) -> Check:
    extra, purpose = OPTIONAL[module]
    if find_spec(module) is not None:
        return Check(module, f"installed, for {purpose}")
    return Check(module, f"not installed, for {purpose}", "missing", install_command(extra))


def _lpips() -> Check:
    path = weights.location()
    if not path.exists():
        return Check("LPIPS", f"no weights at {path}", "missing", "autodip weights install")
    weights.read(path)
    return Check("LPIPS", f"weights in {path}")


def _base() -> Check:
    problems = packing.validate(builtin.folder())
    if problems:
        return Check("built-in base", problems[0], "failed", "install autodip again")
    base = builtin.load(builtin.NAME)
    return Check("built-in base", f"valid, {len(base.entries)} images, {len(base.runs)} runs")


def _prior() -> Check:
    file = resources.files("autodip") / "data" / "checksums.json"
    wanted = json.loads(file.read_text(encoding="utf-8"))["prior.safetensors"]
    found = digest_of(BUILTIN)
    if found != wanted:
        text = f"SHA-256 {found[:12]}, but {wanted[:12]} belongs to this version"
        return Check("built-in prior", text, "failed", "install autodip again")
    return Check("built-in prior", f"SHA-256 {found[:12]}, as it should be")


def _config() -> Check:
    path = defaults.find(None)
    if path is None:
        return Check("config file", f"none at {defaults.location()}")
    names = ", ".join(defaults.read(path)) or "nothing"
    return Check("config file", f"{path}, sets {names}")


def _self_test() -> Check:
    from autodip.image.image import Image  # noqa: PLC0415
    from autodip.metrics.fidelity import psnr  # noqa: PLC0415
    from autodip.physics.optics import Optics  # noqa: PLC0415
    from autodip.physics.simulation import simulate  # noqa: PLC0415
    from autodip.pipeline.denoise import denoise_steps  # noqa: PLC0415
    from autodip.pipeline.options import Options  # noqa: PLC0415

    noisy, truth = simulate("mito", Optics(microscope="confocal"), size=128)
    begin = time.perf_counter()
    *_, last = denoise_steps(Image(noisy, "YX"), Options(preset="fast"))
    assert last.result is not None  # the last step has it
    seconds = time.perf_counter() - begin
    data_range = float(truth.max() - truth.min())
    before, after = (psnr(one, truth, data_range=data_range) for one in (noisy, last.result.image))
    text = f"128 x 128 pixels in {seconds:.1f} s, PSNR {before:.1f} -> {after:.1f} dB"
    return Check("self-test", text, "ok" if after > before + 1 else "failed")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


_OF_MACHINE = (
    ("torch", _torch),
    ("device", _device),
    ("processor", _processor),
    ("memory", _memory),
    ("cache", _cache),
)
_OF_FILES = (
    ("LPIPS", _lpips),
    ("built-in base", _base),
    ("built-in prior", _prior),
    ("config file", _config),
)
