"""One cell (image × method), run in its own process so that its time and memory are its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from autodip.benchmark.method import Method
from autodip.benchmark.rows import to_json
from autodip.compute.device import peak_memory
from autodip.compute.processes import SIGNALS, signals_blocked
from autodip.denoisers.context import Context
from autodip.image.scaling import to_dtype
from autodip.metrics.scores import Truth, score


def run(method: Method, noisy: np.ndarray, truth: Truth, context: Context) -> dict[str, Any]:
    """Run a method in a new process, and score its result.

    Parameters
    ----------
    method : Method
    noisy : ndarray, shape (Y, X)
    truth : Truth
        True image for scoring; the method itself has access to it only if the context contains it.
    context : Context

    Returns
    -------
    dict
        Either ``error`` alone, or the scores, ``parameters``, run times, memory, and ``image``:
        the result in the type of the noisy image.
    """
    return _in_process(_denoise, method, noisy, truth, context)


def _in_process(work: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """Call ``work`` in a new interpreter; any failure there is returned as ``error``."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_answer, args=(there, work, arguments), daemon=True)
    try:
        with signals_blocked():
            process.start()
        there.close()
        answer: dict[str, Any] = here.recv()
        process.join(1)
    except (EOFError, OSError):  # the process ended before it had answered completely
        process.join()
        answer = {"error": f"its process exited with code {process.exitcode}{_signal(process)}"}
    finally:
        if process.pid is not None:
            process.kill()
            process.join()
        here.close()
    return answer


def _signal(process: Any) -> str:
    return ", as happens when memory runs out" if process.exitcode == -9 else ""


def _answer(
    there: Connection, work: Callable[..., dict[str, Any]], arguments: tuple[Any, ...]
) -> None:
    # The parent handles signals and ends this process; if it is killed, this process ends itself.
    for number in SIGNALS:
        signal.signal(number, lambda *_: None)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        answer = work(*arguments)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    there.send(answer)
    there.close()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _denoise(method: Method, noisy: np.ndarray, truth: Truth, context: Context) -> dict[str, Any]:
    # Import first, so that the time of the imports does not count as that of the method.
    import_module(method.function.partition(":")[0])
    for module in method.modules:
        with suppress(ImportError):  # the method itself reports what to install
            import_module(module)
    wall, processor = time.perf_counter(), time.process_time()
    outcome = method(noisy, context)
    figures: dict[str, Any] = {
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - processor,
        "memory_mb": _peak_memory(),
        "gpu_memory_mb": _peak_gpu_memory(context.device),
        "parameters": to_json(outcome.parameters),
    }
    if outcome.image.shape != noisy.shape or not np.isfinite(outcome.image).all():
        raise ArithmeticError("the result has a different shape, or NaN or infinite pixels")
    image = to_dtype(outcome.image, noisy.dtype)
    return {**figures, **score(noisy, image, truth), "image": image}


def _peak_memory() -> float | None:
    """Peak resident memory of this process, in 1e6 bytes; None if the system does not report it."""
    status = Path("/proc/self/status")
    if status.exists():  # on Linux, the value of getrusage includes the peak of the parent
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) * 1024 / 1e6
    peak = peak_memory()
    return None if peak is None else peak / 1e6


def _peak_gpu_memory(device: str) -> float | None:
    if not device.startswith("cuda"):
        return None
    import torch  # noqa: PLC0415  (only if it is needed anyway)

    return torch.cuda.max_memory_allocated(device) / 1e6
