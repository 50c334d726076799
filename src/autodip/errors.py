"""Every exception autodip raises on purpose, under one base.

Each is also the built-in exception a caller would expect, so ``except ValueError``
keeps working for code that does not know autodip.
"""

from __future__ import annotations


class AutodipError(Exception):
    """Base of all errors of autodip; the message says what was seen and what to do."""


class ParameterError(AutodipError, ValueError):
    """A parameter (preset, microscope, depth, axes, ...) has a value that is not allowed."""


class ImageError(AutodipError, ValueError):
    """The pixels cannot be denoised: wrong shape or dtype, NaN, infinite, constant."""


class FormatError(AutodipError, ValueError):
    """A file is empty, truncated, no image, or of a kind that cannot be read or written."""


class OutputError(AutodipError, OSError):
    """An output cannot be written: it exists already, or the place is not writable."""


class DeviceError(AutodipError, RuntimeError):
    """The compute device asked for is not there."""


class OutOfMemoryError(AutodipError, MemoryError):
    """The fit needs more memory than is free; raised before the fit starts."""


class FitError(AutodipError, ArithmeticError):
    """The fit diverged and could not be brought back."""


class ClusterError(AutodipError, ConnectionError):
    """A cluster does not answer, does not fit this installation, or lost a task for good."""


class MissingPackageError(AutodipError, ImportError):
    """An optional package is not installed; the message names the command that installs it."""
