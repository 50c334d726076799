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


MODULE = EXAMPLES / "nextflow/modules/autodip/denoise"


def block(name, values):
    """Shell commands of a block of the module, with values in place of Groovy's expressions."""
    text = (MODULE / "main.nf").read_text()
    (script,) = re.findall(rf'{name}:.*?"""\n(.*?)"""', text, re.DOTALL)
    for key, value in values.items():
        assert key in script
        script = script.replace(key, value)
    assert not re.search(r"(?<!\\)\$\{", script)
    return script.replace("\\$", "$")


def emitted(folder):
    """Names of the files of each output of the module, which Nextflow finds by its patterns."""
    text = (MODULE / "main.nf").read_text()
    found = {}
    for pattern, name in re.findall(r'path\(?\s*"([^"]+)"\)?, emit: (\w+)', text):
        (choices,) = re.findall(r"\{(.*)\}", pattern) or [""]
        patterns = [re.sub(r"\{.*\}", choice, pattern) for choice in choices.split(",")]
        found[name] = sorted(path.name for one in patterns for path in folder.glob(one))
    return found


def run_block(script, folder):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", "-euo", "pipefail", "-c", script]
    subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path}, check=True, timeout=120)


def test_nextflow(image, tmp_path):
    values = {
        "${task.cpus}": "1",
        "${task.process}": "AUTODIP_DENOISE",
        "${image}": image.name,
        "${microscope}": "--microscope 'confocal'",
        "${specimen}": "--specimen 'mito'",
        "${args}": " ".join(QUICK),
    }
    run_block(block("script", values), tmp_path)
    assert emitted(tmp_path) == {
        "image": ["cells.tif"],
        "sidecar": ["cells.tif.autodip.json"],
        "report": [],
        "versions": ["versions.yml"],
    }
    versions = yaml.safe_load((tmp_path / "versions.yml").read_text())["AUTODIP_DENOISE"]
    assert {"autodip", "python", "torch"} <= set(versions)


def test_stub_of_nextflow(tmp_path):
    values = {"${image}": "cells.tif", "${task.process}": "AUTODIP_DENOISE"}
    run_block(block("stub", values), tmp_path)
    assert emitted(tmp_path) == {
        "image": ["cells.tif"],
        "sidecar": ["cells.tif.autodip.json"],
        "report": [],
        "versions": ["versions.yml"],
    }
    assert yaml.safe_load((tmp_path / "versions.yml").read_text())["AUTODIP_DENOISE"]["autodip"]


def test_outputs_of_nextflow_are_described():
    outputs = yaml.safe_load((MODULE / "meta.yml").read_text())["output"]
    patterns = {
        name: [key for part in parts for one in part for key in one if "/" in key]
        for name, parts in outputs.items()
        if name != "versions"
    }
    text = (MODULE / "main.nf").read_text()
    for name, (pattern,) in patterns.items():
        assert f'path("{pattern}"), emit: {name}' in text


def test_environment_and_image_of_nextflow_exist():
    text = (MODULE / "main.nf").read_text() + (EXAMPLES / "nextflow/nextflow.config").read_text()
    assert "${projectDir}/../../environment.yml" in text
    for name in ("environment.yml", "install/Dockerfile", "install/autodip.def"):
        assert name in text
        assert (EXAMPLES.parent / name).exists()
