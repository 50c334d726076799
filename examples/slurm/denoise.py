"""Denoise on the nodes of a Slurm cluster.

    python examples/slurm/denoise.py --nodes 20 -- INPUTS -o OUT [OPTIONS OF autodip denoise]

runs on a login node, or in a job of its own with one core. It requests workers from Slurm (jobs
of 8 cores, or of one GPU with ``--gpus``), denoises on those that have started, and releases them.
If the job of a worker ends early, its task goes to another worker. All nodes must see the folders
of inputs and outputs and the environment that this Python runs in.

Needs ``pip install '.[cluster]' dask-jobqueue`` in a checkout. Settings that the site requires
(account, partition) go into ``~/.config/dask/jobqueue.yaml`` or ``--directive``.
"""

from __future__ import annotations

import argparse
import sys

from dask_jobqueue import SLURMCluster

from autodip.cli.main import run


def main() -> int:
    words = sys.argv[1:]
    at = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=4, help="number of workers, one job each")
    parser.add_argument("--cores", type=int, default=8, help="cores of each worker")
    parser.add_argument("--memory", default="16GB", help="memory of each worker")
    parser.add_argument("--walltime", default="04:00:00")
    parser.add_argument("--gpus", action="store_true", help="one GPU for each worker")
    parser.add_argument(
        "--directive",
        action="append",
        default=[],
        help="option of sbatch, for example --partition=bio",
    )
    given = parser.parse_args(words[:at])
    cluster = SLURMCluster(
        cores=1,  # number of simultaneous tasks; the fit itself uses all cores of the job
        processes=1,
        memory=given.memory,
        walltime=given.walltime,
        job_cpu=given.cores,
        job_extra_directives=[*given.directive, *(["--gpus=1"] if given.gpus else [])],
        job_script_prologue=[f"export OMP_NUM_THREADS={given.cores}"],
        python=sys.executable,
    )
    with cluster:
        cluster.scale(given.nodes)
        cluster.wait_for_workers(1)  # no timeout: the queue may be long; others join as they start
        address = cluster.scheduler_address
        return run(["denoise", *words[at + 1 :], "--scheduler", address])


if __name__ == "__main__":
    sys.exit(main())
