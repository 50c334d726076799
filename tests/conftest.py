import os
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from autodip.benchmark import cell
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
from autodip.prior import learned, setting
from tests.helpers.blurring_prior import write_blurring_prior

# A busy machine is no defect; on CI the examples are the same at every run.
hypothesis.settings.register_profile("steady", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("steady")

REPOSITORY = Path(__file__).parents[1]


def shared_folder():
    named = os.environ.get("AUTODIP_SHARED")
    return Path(named) if named else REPOSITORY.parent / "shared"


@pytest.fixture
def shared():
    """Folder with real noisy/true pairs (data/) and LPIPS weights (weights/)."""
    folder = shared_folder()
    if not (folder / "data" / "manifest.json").exists():
        pytest.skip(f"no real images at {folder}; name their folder in AUTODIP_SHARED")
    return folder


@pytest.fixture(scope="session")
def sample():
    """Noisy and true confocal image of mitochondria, 64 x 64 pixels, uint16."""
    return simulate("mito", Optics(microscope="confocal"), size=64)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def blurring(tmp_path, monkeypatch):
    """File of a network that blurs, in place of the built-in prior."""
    path = tmp_path / "blurring" / "prior.safetensors"
    path.parent.mkdir()
    write_blurring_prior(path)
    own = setting.path_of

    def path_of(weights):
        return path if weights == setting.BUILTIN else own(weights)

    for module in (setting, learned):
        monkeypatch.setattr(module, "path_of", path_of)
    return path


@pytest.fixture
def same_process(monkeypatch):
    """Cells of a benchmark run in this process, as starting a new one takes seconds."""

    def answer(work, *arguments):
        try:
            return work(*arguments)
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"}

    monkeypatch.setattr(cell, "_in_process", answer)


@pytest.fixture(autouse=True)
def _no_config(tmp_path_factory, monkeypatch):
    """The config file of whoever runs the tests is left aside."""
    empty = tmp_path_factory.getbasetemp() / "config.toml"
    empty.touch()
    monkeypatch.setenv("AUTODIP_CONFIG", str(empty))


@pytest.fixture(scope="session")
def _threads():
    import torch  # noqa: PLC0415  (after autodip, which tells OpenMP not to spin)

    return torch.get_num_threads()


@pytest.fixture(autouse=True)
def _same_threads(_threads):
    """A test that changes the number of threads, or its fixtures do, does not disturb the next."""
    import torch  # noqa: PLC0415

    torch.set_num_threads(_threads)
