"""A command that is ended from outside states what is kept, leaves no process and no half file."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from autodip.cli import signals
from autodip.cli.main import run
from autodip.datasets import sources
from tests.cli.conftest import QUICK
from tests.helpers.bases import GRID
from tests.helpers.pairs import write

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

MAIN = [sys.executable, "-c", "from autodip.cli.main import main; main()"]
ENDLESS = ("--preset", "untrained", "--iterations", "1000000", "--depth", "2", "--width", "4")


def start(*words, **options):
    """Start a command in a process group of its own."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
    return subprocess.Popen([*MAIN, *map(str, words)], start_new_session=True, **pipes)


def when(condition, process, patience=120):
    """Wait until a condition holds while the process runs."""
    end = time.monotonic() + patience
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


def ended(process, number, *, group=False):
    """Exit code and standard error after a signal; the children have ended as well."""
    children = psutil.Process(process.pid).children(recursive=True)
    (os.killpg if group else os.kill)(process.pid, number)
    _, err = process.communicate(timeout=60)
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []
    assert "Traceback" not in err
    return process.returncode, err


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_denoise(cells, tmp_path, name, code):
    out, first = tmp_path / "out", tmp_path / "a.png"
    first.write_bytes(cells.read_bytes())
    assert run(["denoise", str(first), "-o", str(out), *QUICK]) == 0
    running = start("denoise", first, cells, "-o", out, "--skip-existing", *ENDLESS)
    when(lambda: any(b"cells" in path.read_bytes() for path in out.glob(".*.jsonl")), running)
    found, err = ended(running, getattr(signal, name), group=name == "SIGINT")
    assert found == code
    expected = f"autodip: interrupted; not written: {cells}; the same command resumes the run\n"
    assert err == expected
    journal, *written = sorted(p.name for p in out.iterdir())
    assert journal.startswith(".autodip-run-")
    assert written == ["a.png", "a.png.autodip.json"]


def test_during_the_imports(cells, tmp_path):
    for delay in (0.3, 0.6, 1.2):
        running = start("denoise", cells, "-o", tmp_path / "out.png", *ENDLESS)
        time.sleep(delay)
        code, err = ended(running, signal.SIGTERM)
        assert code == 143 or (code, err) == (-signal.SIGTERM, "")  # Python itself was starting
        assert err.count("\n") == (code == 143)
    assert not (tmp_path / "out.png").exists()


def test_a_second_signal_and_the_time_end_it_at_once(tmp_path):
    code = (
        "import os, signal, time\n"
        "from autodip.cli import signals\n"
        "signals.PATIENCE = {}\n"
        "with signals.stoppable():\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "    finally:\n"
        "        {}\n"
        "        while True: time.sleep(0.1)\n"
    )
    for patience, again in ((60, "os.kill(os.getpid(), signal.SIGINT)"), (0.2, "")):
        text = code.format(patience, again)
        done = subprocess.run([sys.executable, "-c", text], check=False, timeout=60)
        assert done.returncode in (130, 143)


def test_a_signal_in_a_callback_is_not_lost():
    """Python drops exceptions of callbacks of the garbage collector, such as dask has."""
    code = (
        "import gc, os, signal, sys, time\n"
        "from autodip.cli import signals\n"
        "def callback(phase, info):\n"
        "    gc.callbacks.remove(callback)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(0.1)\n"
        "gc.callbacks.append(callback)\n"
        "with signals.stoppable():\n"
        "    gc.collect()\n"
        "    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=False, timeout=60, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (143, "")


def test_calibrate(tmp_path):
    root = write(tmp_path / "data", ["mito", "actin"])
    (tmp_path / "grid.yaml").write_text(GRID.replace("iterations: 6", "iterations: 1000000"))
    base = tmp_path / "base"
    running = start("calibrate", root, "--grid", tmp_path / "grid.yaml", "--base", base)
    when(lambda: any((base / "runs").glob("*.claim")), running)
    code, err = ended(running, signal.SIGTERM)
    assert code == 143
    assert err.endswith(
        "autodip: interrupted; the recorded runs are kept in the base; the same command resumes\n"
    )
    assert not any((base / "runs").iterdir())


def test_benchmark_and_the_processes_of_its_cells(tmp_path):
    root, out = write(tmp_path / "data", ["mito"]), tmp_path / "out"
    words = ("benchmark", "shared", "--root", root, "--where", "role=calibration")
    running = start(*words, "--methods", "n2v", "--out", out, "--quiet")
    process = psutil.Process(running.pid)
    when(process.children, running)
    time.sleep(0.3)
    code, err = ended(running, signal.SIGINT, group=True)
    assert (code, err) == (
        130,
        "autodip: interrupted; the finished cells are kept in results.csv; the same command "
        "resumes\n",
    )
    assert not (out / "results.csv").exists()


def test_the_processes_of_cells_end_with_a_benchmark_that_is_killed(tmp_path):
    root = write(tmp_path / "data", ["mito"])
    words = ("benchmark", "shared", "--root", root, "--where", "role=calibration")
    running = start(*words, "--methods", "original", "--out", tmp_path / "out")
    process = psutil.Process(running.pid)
    when(lambda: len(process.children()) > 1, running)
    children = process.children()
    running.kill()
    running.communicate()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []


def test_workers_end_as_well(cells, tmp_path):
    pytest.importorskip("distributed", reason="needs the extra cluster")
    words = ("denoise", cells, "-o", tmp_path / "out.png", "--workers", "1", *ENDLESS)
    running = start(*words)
    process = psutil.Process(running.pid)
    when(lambda: len(process.children()) > 1, running)
    time.sleep(2)
    code, err = ended(running, signal.SIGINT, group=True)
    assert code == 130
    assert err.count("\n") == 1


def test_output_that_nobody_reads(cells, tmp_path):
    other = tmp_path / "b.png"
    other.write_bytes(cells.read_bytes())
    ends = os.pipe()
    os.close(ends[0])
    out = tmp_path / "out"
    words = ("denoise", cells, other, "-o", out, *QUICK)
    running = start(*words, stdout=ends[1])
    os.close(ends[1])
    _, err = running.communicate(timeout=120)
    assert running.returncode == signals.OUTPUT_CLOSED
    assert err == (
        f"autodip: standard output was closed; not written: {other}; the same command resumes "
        "the run\n"
    )
    assert (out / "cells.png").exists()
    assert run([*map(str, words)]) == 0


def test_run_itself_reports_an_interruption(cli, monkeypatch, tmp_path):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(sources, "load", interrupted)
    code, out, err = cli("data", "fetch", "fmd", "-o", tmp_path)
    assert (code, out) == (130, "")
    assert err == "autodip: interrupted; what has arrived is kept; the same command resumes\n"


def test_a_broken_pipe_elsewhere_is_an_error(cli, monkeypatch, tmp_path):
    def broken(*_, **__):
        raise BrokenPipeError("of a worker")

    monkeypatch.setattr(sources, "load", broken)
    code, _, err = cli("data", "fetch", "fmd", "-o", tmp_path)
    assert (code, err) == (1, "autodip: unexpected BrokenPipeError: of a worker\n")


def test_signals_that_are_ignored_remain_so(cells, tmp_path):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    handlers = {name: signal.getsignal(getattr(signal, name)) for name in signals.NAMES}
    try:
        with signals.stoppable():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        for name, handler in handlers.items():
            signal.signal(getattr(signal, name), handler)
        signal.signal(signal.SIGHUP, before)
