"""Workers of a cluster: the same results as without it, and nothing lost when one dies."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from autodip.compute.cluster import Cluster
from autodip.compute.threads import limited
from autodip.errors import ClusterError, FitError, ParameterError
from autodip.physics.optics import Optics
from autodip.physics.simulation import simulate
from autodip.pipeline.denoise import denoise_steps
from autodip.pipeline.options import Options
from autodip.pipeline.workspace import Workplace

pytest.importorskip("distributed", reason="needs the extra cluster")

QUICK = {"iterations": 4, "depth": 2, "width": 4, "refine": False}


@pytest.fixture(scope="module")
def cluster():
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OMP_NUM_THREADS", raising=False)
        with Cluster.start(2) as workers:
            yield workers


@pytest.fixture(scope="module")
def film():
    noisy, _ = simulate("actin", Optics(), size=200, seed=3)
    return np.stack([noisy, noisy[::-1], noisy[:, ::-1]])


def square(number):
    if number == 3:
        raise FitError("three")
    return number**2, os.getpid()


def slow(number):
    time.sleep(0.5)
    return number, os.getpid()


def deadly(number):
    if number == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def last_of(image, workplace=None, **options):
    given = Options(**{**QUICK, **options})
    *_, last = denoise_steps(image, given, axes="TYX", workplace=workplace)
    return last.result


def test_map(cluster):
    results = list(cluster.map(square, (n for n in range(10) if n != 3)))
    assert sorted(one for one, _ in results) == [n**2 for n in range(10) if n != 3]
    assert os.getpid() not in {worker for _, worker in results}
    assert list(cluster.map(square, [])) == []


def test_errors_of_a_task(cluster):
    outcomes = dict(cluster.attempts(square, range(5)))
    assert str(outcomes.pop(3)) == "three"
    assert {n: value for n, (value, _) in outcomes.items()} == {0: 0, 1: 1, 2: 4, 4: 16}
    with pytest.raises(FitError, match="three"):
        list(cluster.map(square, [3]))


def test_items_are_taken_as_workers_become_free(cluster):
    taken = []

    def items():
        for n in range(50):
            taken.append(n)
            yield n

    results = cluster.map(square, (n + 10 for n in items()))
    next(results)
    assert len(taken) <= 8
    results.close()


@pytest.mark.parametrize("options", [{"tile": 128}, {"independent": True}, {}])
def test_the_result_is_that_of_one_machine(cluster, film, tmp_path, options):
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))  # as in the workers
    here = last_of(film, **options)
    there = last_of(film, Workplace(tmp_path / "work", cluster=cluster), **options)
    assert np.array_equal(here.image, there.image)
    assert [one.index for one in here.planes] == [one.index for one in there.planes]
    assert [one.window for one in here.planes] == [one.window for one in there.planes]
    assert (there.device, there.processor) == ("cpu", here.processor)
    assert there.threads == here.threads


def test_a_worker_killed_in_mid_run_loses_nothing(film):
    with Cluster.start(2) as workers:
        outcomes = workers.attempts(slow, range(8))
        _, (first, victim) = next(outcomes)
        os.kill(victim, signal.SIGKILL)
        others = [value for _, (value, _) in outcomes]
        assert sorted([first, *others]) == list(range(8))


def test_an_image_whose_worker_is_killed_is_complete(film):
    options = {"independent": True, "iterations": 40}
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))  # as in the workers
    alone = last_of(film, **options)
    with Cluster.start(2) as workers:
        place = Workplace(cluster=workers)
        running = denoise_steps(film, Options(**{**QUICK, **options}), axes="TYX", workplace=place)
        first = next(running)
        (victim, *_) = workers._client.run(os.getpid).values()
        os.kill(victim, signal.SIGKILL)
        *_, last = running
    assert first.plane == 1
    assert np.array_equal(last.result.image, alone.image)


def test_a_task_that_kills_its_workers_is_given_up():
    with Cluster.start(1) as workers:
        outcomes = dict(workers.attempts(deadly, range(2)))
    assert outcomes[1] == 1
    assert isinstance(outcomes[0], ClusterError)
    assert "memory" in str(outcomes[0])


def threads(_):
    return torch.get_num_threads()


def test_what_the_workers_are(cluster):
    assert set(cluster.map(threads, range(4))) == {max(1, (os.cpu_count() or 1) // 2)}
    assert "OMP_NUM_THREADS" not in os.environ
    assert cluster.workers == 2


def test_workers_compute_with_as_many_threads_as_are_allowed(cluster):
    with limited(3):
        assert set(cluster.map(threads, range(4))) == {3}
        assert cluster.threads() == 3
    assert set(cluster.map(threads, range(4))) == {cluster.threads()}
    assert cluster.device("auto") == "cpu"
    assert cluster.free_memory("cpu") > 10**8


def test_wrong_numbers_and_addresses(monkeypatch):
    with pytest.raises(ParameterError, match="1 or more"):
        Cluster.start(0)
    monkeypatch.setattr("autodip.compute.cluster.PATIENCE", 1)
    with pytest.raises(ClusterError, match="no dask scheduler answers"):
        Cluster.connect("tcp://127.0.0.1:9")


def test_a_cluster_that_is_there_is_joined(cluster, monkeypatch):
    address = cluster._client.scheduler.address
    with Cluster.connect(address) as joined:
        assert joined.workers == 2
    monkeypatch.setattr("autodip.compute.dask_client.version", lambda name: "0.0")
    with pytest.raises(ClusterError, match="same version"):
        Cluster.connect(address)
    assert cluster.workers == 2


def test_nothing_can_be_reached_from_another_machine(cluster):
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    listening = {
        one.laddr.ip
        for process in processes
        for one in process.net_connections()
        if one.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


@contextmanager
def answering(content):
    """A port that sends these bytes to everybody; None keeps silent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = []

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                kept.append(connection)
                if content is not None:
                    connection.sendall(content)
                if content == b"":
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        for connection in kept:
            connection.close()


@pytest.mark.parametrize(
    "content",
    [None, b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n", bytes(99), b"\xff" * 99],
)
def test_a_port_that_is_no_scheduler(content, monkeypatch):
    monkeypatch.setattr("autodip.compute.cluster.PATIENCE", 1)
    with answering(content) as address, pytest.raises(ClusterError) as caught:
        Cluster.connect(address)
    assert "'dask scheduler' prints it" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["", "nonsense", "127.0.0.1", "http://a:1", "tcp://:::", "tls://a:1", "inproc://1"]
)
def test_addresses_that_are_none(address):
    with pytest.raises(ClusterError, match="no dask scheduler answers"):
        Cluster.connect(address)


def test_the_address_of_a_worker(cluster):
    (address, *_) = cluster._client.scheduler_info(n_workers=-1)["workers"]
    with pytest.raises(ClusterError, match="it is the address of a worker"):
        Cluster.connect(address)


@pytest.fixture
def elsewhere():
    """A scheduler and a worker that no nanny replaces, both in processes of their own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    path = os.pathsep.join(filter(None, (str(Path.cwd()), os.environ.get("PYTHONPATH"))))
    environ = {**os.environ, "PYTHONPATH": path}
    quiet = {"env": environ, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    tool = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard"]
    scheduler = subprocess.Popen([*tool, "--host", "127.0.0.1", "--port", str(port)], **quiet)
    tool = [sys.executable, "-m", "distributed.cli.dask_worker", "--no-nanny", "--no-dashboard"]
    worker = subprocess.Popen([*tool, "--nthreads", "1", address], **quiet)
    yield address, scheduler, worker
    for process in (worker, scheduler):
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("victim", "message"),
    [(0, "no longer answers.*start it again"), (1, "all workers are lost.*start workers")],
)
def test_a_cluster_that_is_lost_is_not_waited_for(elsewhere, monkeypatch, victim, message):
    address, *processes = elsewhere
    with Cluster.connect(address) as workers:
        outcomes = workers.attempts(slow, range(8))
        assert next(outcomes)[0] == 0
        monkeypatch.setattr("autodip.compute.cluster.PATIENCE", 5)
        processes[victim].kill()
        with pytest.raises(ClusterError, match=message) as caught:
            list(outcomes)
        assert "\n" not in str(caught.value)


class Cards:
    """A client of workers on two machines, with two cards on the first."""

    status = "running"

    def run(self, function, device):
        bare = device == "cpu"
        cards = {"tcp://a:1": "x", "tcp://a:2": "x", "tcp://a:3": "y", "tcp://b:1": "x"}
        free = {"x": 80, "y": 50}
        about = {"card": lambda card: "" if bare else card, "free_memory": free.get}
        return {address: about[function.__name__](card) for address, card in cards.items()}


def test_workers_on_one_card_share_its_memory():
    cluster = Cluster(Cards())
    assert cluster.free_memory("cuda:0") == 40
    assert cluster.free_memory("cpu") == 50 // 3
