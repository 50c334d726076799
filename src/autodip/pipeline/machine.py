"""The device that computes, here or on a cluster, and its free memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autodip.compute import device as devices
from autodip.compute import processor

if TYPE_CHECKING:
    from autodip.compute.cluster import Cluster


@dataclass(frozen=True)
class Machine:
    """The device that computes, and its free memory.

    Parameters
    ----------
    device : str
        Name of the torch device.
    free : int
        Number of bytes that a fit may use on it.
    processor : mapping of str to str
        Kind of processor, see :func:`autodip.compute.processor.kind`.
    """

    device: str
    free: int
    processor: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def here(cls, name: str, max_memory: int | None = None) -> Machine:
        """Resolve a device of this machine by its name, for example ``auto``.

        Parameters
        ----------
        name : str
        max_memory : int, optional
            Number of bytes that this process may use in total; has no effect on CUDA devices.

        Raises
        ------
        ParameterError, DeviceError
            If the name is not known, or the device is not available.
        """
        device = devices.resolve(name)
        free = devices.free_memory(device)
        if max_memory is not None and not device.startswith("cuda"):
            free = max(0, min(free, max_memory - devices.held_memory()))
        return cls(device, free, processor.kind(device))

    @classmethod
    def of(cls, cluster: Cluster, name: str) -> Machine:
        """Resolve a device of the workers of a cluster by its name."""
        device = cluster.device(name)
        return cls(device, cluster.free_memory(device), cluster.processor(device))
