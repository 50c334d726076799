"""The examples run; the commands of Slurm and Nextflow are imitated by shell scripts."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import tifffile
import yaml

from autodip import io

EXAMPLES = Path(__file__).parents[2] / "examples"
QUICK = ("--iterations", "3", "--depth", "2", "--width", "4", "--no-refine", "--device", "cpu")

SBATCH = """#!/bin/sh
cp "$1" "$JOBS/script.$$"  # sbatch keeps a copy as well; the file is deleted after it
setsid sh "$JOBS/script.$$" > "$JOBS/log.$$" 2>&1 &
echo $! >> "$JOBS/pids"
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
for id; do kill -- "-$id" 2> /dev/null; done
exit 0
"""


@pytest.fixture
def image(tmp_path, sample):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, sample[0])
    return path


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Commands of Slurm that run a job immediately, on this machine."""
    pytest.importorskip("dask_jobqueue", reason="needs dask-jobqueue")
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (folder / name).write_text(text)
        (folder / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.setenv("JOBS", str(tmp_path))


@pytest.mark.skipif(sys.platform != "linux", reason="needs a POSIX shell with setsid")
def test_slurm(slurm, image, tmp_path):
    command = [sys.executable, str(EXAMPLES / "slurm" / "denoise.py")]
    command += ["--nodes", "1", "--cores", "1", "--memory", "2GB", "--"]
    command += [str(image), "-o", str(tmp_path / "out"), *QUICK]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    assert io.read(tmp_path / "out" / "cells.tif").data.shape == (64, 64)
    assert len((tmp_path / "pids").read_text().split()) == 1


def test_nextflow(image, tmp_path):
    text = (EXAMPLES / "nextflow/modules/autodip/denoise/main.nf").read_text()
    (script,) = re.findall(r'script:.*?"""\n(.*?)"""', text, re.DOTALL)
    values = {
        "${task.cpus}": "1",
        "${task.process}": "AUTODIP_DENOISE",
        "${image}": image.name,
        "${microscope}": "--microscope 'confocal'",
        "${specimen}": "--specimen 'mito'",
        "${args}": " ".join(QUICK),
    }
    for name, value in values.items():
        assert name in script
        script = script.replace(name, value)
    assert "${" not in script
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    command = ["bash", "-euo", "pipefail", "-c", script]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=120)
    assert sorted(path.name for path in (tmp_path / "denoised").iterdir()) == [
        "cells.tif",
        "cells.tif.autodip.json",
    ]
    versions = yaml.safe_load((tmp_path / "versions.yml").read_text())["AUTODIP_DENOISE"]
    assert {"autodip", "python", "torch"} <= set(versions)
    for name in ("meta.yml", "environment.yml"):
        yaml.safe_load((EXAMPLES / "nextflow/modules/autodip/denoise" / name).read_text())
