"""The number of threads of a block, also of the processes that are started in it."""

import os
import subprocess
import sys

import pytest
import torch

from autodip.compute import dask_client, threads

ASKED = "import os; print(os.environ.get('OMP_NUM_THREADS'), os.environ.get('MKL_NUM_THREADS'))"


def test_a_block_and_its_processes(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "5")
    before = torch.get_num_threads()
    with threads.limited(2), threads.limited(1):
        assert (torch.get_num_threads(), threads.limit()) == (1, 1)
        done = subprocess.run(
            [sys.executable, "-c", ASKED], capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == ["1", "1"]
    assert (torch.get_num_threads(), threads.limit()) == (before, None)
    assert "OMP_NUM_THREADS" not in os.environ
    assert os.environ["MKL_NUM_THREADS"] == "5"


@pytest.mark.parametrize(("limit", "each"), [(None, 2), (3, 3)])
def test_workers_on_this_machine(monkeypatch, limit, each):
    seen = []
    distributed = pytest.importorskip("distributed")
    dask = pytest.importorskip("dask")

    def cluster(**given):
        seen.append(dask.config.get("distributed.nanny.environ")["OMP_NUM_THREADS"])
        raise OSError("enough")

    monkeypatch.setattr(distributed, "LocalCluster", cluster)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(threads, "_limits", [limit] if limit else [])
    with pytest.raises(dask_client.ClusterError):
        dask_client.start(2)
    assert seen == [each]
