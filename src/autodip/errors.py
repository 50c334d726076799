"""Exceptions that autodip raises deliberately, with a common base class.

Each one is also a subclass of the built-in exception that a caller would expect, so that
``except ValueError`` works in code that does not know autodip.
"""

from __future__ import annotations


class AutodipError(Exception):
    """Base class of all errors of autodip; the message states what was found and what to do.

    Examples
    --------
    >>> import autodip
    >>> try:
    ...     autodip.denoise("missing.tif")
    ... except autodip.AutodipError as error:
    ...     error
    FormatError('missing.tif: there is no such file')
    """


class ParameterError(AutodipError, ValueError):
    """A parameter (preset, microscope, depth, axes, ...) has a value that is not allowed."""


class ImageError(AutodipError, ValueError):
    """The pixels cannot be processed: wrong shape or dtype, NaN, infinite or constant values."""


class FormatError(AutodipError, ValueError):
    """A file is missing, empty, truncated, not an image, or of an unsupported format."""


class OutputError(AutodipError, OSError):
    """An output cannot be written: it exists already, or the location is not writable."""


class DeviceError(AutodipError, RuntimeError):
    """The requested compute device is not available."""


class OutOfMemoryError(AutodipError, MemoryError):
    """The pixels or the fit need more memory than is free; raised before the fit starts."""


class FitError(AutodipError, ArithmeticError):
    """The fit diverged and could not be recovered."""


class ClusterError(AutodipError, ConnectionError):
    """A cluster does not answer, does not match this installation, or has lost a task for good."""


class MissingPackageError(AutodipError, ImportError):
    """An optional package is not installed; the message names the command that installs it."""
