"""The result of a call from Python: looked at, used as an array, and saved."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autodip import io
from autodip.api import lazy, side_by_side
from autodip.api.containers import Container
from autodip.api.export import placed
from autodip.errors import ParameterError
from autodip.image.image import Image, PlaneIndex
from autodip.pictures.contrast import grey, limits
from autodip.pictures.markup import figures
from autodip.pipeline.error_summary import SD
from autodip.pipeline.options import Options
from autodip.pipeline.result import Computed
from autodip.report.page.material import Material
from autodip.report.page.reporter import Reporter
from autodip.runs import map_files
from autodip.runs.notes import notes
from autodip.runs.plane_records import ChannelRecord, PlaneRecord
from autodip.runs.saving import files_of, sidecar_of, write_pixels
from autodip.runs.selection import Selection
from autodip.runs.sidecar import beside
from autodip.util.text import to_json, valid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHORT = 90
"""Characters of the notes in a ``repr``."""


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Result(Computed):
    """Denoised image, with what it was made from and a record of how.

    ``numpy.asarray(result)`` has the denoised pixels, so that functions of numpy take a result.

    Parameters
    ----------
    container : Container
        What was given to :func:`autodip.denoise`.
    options, selection : Options, Selection
        Options that were specified, and the part of the input.

    Examples
    --------
    >>> import autodip
    >>> noisy, truth = autodip.sample("nucleus", size=128)
    >>> result = autodip.denoise(noisy, preset="fast")
    >>> result
    <Result YX 128 × 128 uint16, 0.1 µm per pixel; fast, learned prior, ... s>
    >>> print(result.summary())
    Denoised    YX 128 × 128 uint16, 0.1 µm per pixel
    Method      learned prior, preset fast, on cpu in ... s
    Noise       standard deviation ... at the median brightness, ... grey values per photon
    Removed     ... times the expected noise; the mean changed by ...
    Residual    correlation of neighbouring pixels ... along Y, ... along X
    >>> result.residual.data.mean().round(1)  # what was removed
    np.float32(...)
    >>> result.save("denoised.tif").name
    'denoised.tif'
    """

    container: Container = field(repr=False)
    options: Options
    selection: Selection

    @classmethod
    def of(
        cls, computed: Computed, container: Container, options: Options, selection: Selection
    ) -> Result:
        """Add to what was computed what it was made from."""
        own = {one.name: getattr(computed, one.name) for one in fields(Computed)}
        return cls(**own, container=container, options=options, selection=selection)

    @property
    def noisy(self) -> Image:
        """The image that was denoised; its pixels are those that were given, not a copy."""
        return self.container.image

    @property
    def denoised(self) -> Image:
        """The denoised image with the axes and metadata of the noisy one."""
        return self.noisy.replace(data=self.image)

    @property
    def data(self) -> Any:
        """Denoised pixels in a container of the kind that was given.

        An array of numpy; a DataArray with its coordinates and attributes; a dask array, for dask
        and zarr, whose planes are denoised when they are computed; an :class:`Image` for an Image
        or a path.
        """
        return self.container.wrap(self.image)

    @property
    def uncertainty(self) -> Any:
        """Standard error of every pixel, float32, in a container like :attr:`data`.

        In units of the image; NaN where nothing was measured or denoised. None unless the option
        ``uncertainty`` was set.
        """
        return self.container.wrap_errors(self.maps[SD]) if SD in self.maps else None

    @property
    def residual(self) -> Any:
        """What was removed, noisy - denoised, as floats, in a container like :attr:`data`."""
        before, after = self.noisy.data, self.image
        if self.container.lazy:
            before, after = (lazy.as_dask(self.noisy, one) for one in (before, after))
        double = max(before.dtype.itemsize, after.dtype.itemsize) > 4
        dtype = np.float64 if double else np.float32
        return self.container.wrap(before.astype(dtype) - after.astype(dtype))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Denoised pixels; a lazy result is computed."""
        return np.array(self.image, dtype, copy=None if self.container.lazy else copy)

    def __repr__(self) -> str:
        found = "; ".join(self._notes()) if not self.container.lazy else "; ".join(self.notes)
        short = found if len(found) <= _SHORT else found[: _SHORT - 2] + " …"
        return f"<Result {self._words()}>" + (f"\nnote: {short}" if short else "")

    def _words(self) -> str:
        done = "computed when it is read"
        if not self.container.lazy:
            done = f"{sum(plane.seconds for plane in self.planes):.1f} s"
        return f"{self.denoised.words}; {self.choice.evidence.preset}, {self._method()}, {done}"

    def _method(self) -> str:
        if self.choice.prior is not None:
            return "learned prior"
        return f"fitted in {self.choice.fit.iterations} iterations"

    def _notes(self) -> list[str]:
        channels, planes = map(ChannelRecord.of, self.plans), map(PlaneRecord.of, self.planes)
        return notes(channels, planes, (*self.noisy.notes, *self.notes))

    def summary(self) -> str:
        """What was done, what was removed and what to look at, in plain words.

        A lazy result is computed.
        """
        return "\n".join(f"{name:<12}{text}" for name, text in self._lines())

    def _lines(self) -> Iterator[tuple[str, str]]:
        seconds = sum(plane.seconds for plane in self.planes)
        preset = self.choice.evidence.preset
        yield "Denoised", self.denoised.words
        yield "Method", f"{self._method()}, preset {preset}, on {self.device} in {seconds:.1f} s"
        first = self.planes[0]
        noise, found = first.description.noise, first.assessment
        which = " (first plane)" if len(self.planes) > 1 else ""
        if noise is None:
            yield "Noise", f"could not be estimated{which}"
        else:
            yield (
                "Noise",
                f"standard deviation {noise.sigma:.3g} at the median brightness, "
                f"{noise.gain:.3g} grey values per photon{which}",
            )
        if found is not None:
            ratio = found.removed_to_noise
            much = "" if ratio is None else f"{ratio:.2f} times the expected noise; "
            yield "Removed", f"{much}the mean changed by {found.mean_shift:.2g}{which}"
            along_y, along_x = found.residual_correlation
            yield (
                "Residual",
                f"correlation of neighbouring pixels {along_y:.2f} along Y, {along_x:.2f} along X"
                f"{which}",
            )
        if first.errors is not None:
            yield "Error", f"{first.errors.words}{which}"
        for note in self._notes():
            yield "Note", note

    def _repr_html_(self) -> str:
        if self.container.lazy:
            return figures({}, repr(self).splitlines())
        index = next(self.noisy.indices())
        before, after = self.noisy.block(index), self.denoised.block(index)
        removed, common = before.astype(float) - after, limits(after)
        images = {
            "before": grey(before, *common),
            "after": grey(after, *common),
            "removed": grey(removed, *limits(removed)),
        }
        return figures(images, (f"{name}: {text}" for name, text in self._lines()))

    def plot(self, *, t: int = 0, c: int = 0, z: int = 0) -> Figure:
        """Draw a plane before and after, with a common contrast, and what was removed.

        Parameters
        ----------
        t, c, z : int
            Frame, channel (or colour) and slice, from 0.

        Returns
        -------
        matplotlib.figure.Figure
            A notebook shows it; elsewhere use ``matplotlib.pyplot.show()`` or its ``savefig``.

        Raises
        ------
        ParameterError
            If there is no such plane.
        MissingPackageError
            If matplotlib is not installed.
        """
        index = self._index({"T": t, "C": 0, "S": 0, "Z": z, self.noisy.channel_axis: c})
        place = ", ".join(f"{axis} {number}" for axis, number in index)
        title = f"{self.choice.evidence.preset}, {self._method()}" + (place and f"; {place}")
        before, after = self.noisy.block(index), self.denoised.block(index)
        return side_by_side.compare(
            before, after, pixel_size=self.noisy.pixel_size.get("X"), title=title
        )

    def _index(self, wanted: dict[str, int]) -> PlaneIndex:
        """Position of a plane; an axis that the image does not have has one position, 0."""
        for axis, number in wanted.items():
            length = self.noisy.size(axis)
            if not 0 <= number < length:
                raise ParameterError(
                    f"there is no {axis} {number}; the image has {length}, numbered 0 to "
                    f"{length - 1}"
                )
        return tuple((axis, wanted[axis]) for axis in self.noisy.axes if axis not in "YX")

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        format: str | None = None,
        figure: bool = False,
        report: bool = False,
    ) -> Path:
        """Write the denoised image, and next to it the sidecar that repeats the run.

        The file has the metadata of the input, as from :func:`autodip.write`. The sidecar,
        ``<path>.autodip.json``, states how it was made; ``autodip denoise INPUT -o OUT --params
        <path>.autodip.json`` repeats it on the same input. Standard errors are written as well if
        they were computed: ``x.sd.tif`` for ``x.tif``. A lazy result is computed.

        Parameters
        ----------
        path : str or Path
            Its ending determines the format.
        overwrite : bool
            Whether existing files are replaced.
        format : str, optional
            One of :data:`autodip.io.FORMATS`; takes precedence over the ending.
        figure, report : bool
            Whether a figure, ``<path>.autodip.png``, and a page about the result,
            ``<path>.autodip.html``, are written as well, as by ``autodip denoise``.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OutputError, FormatError
            As from :func:`autodip.write`.
        """
        target, original = Path(path), self.container.original
        known = {
            "file": None if original is None else valid(original.path.name),
            "sha256": None if original is None else original.sha256,
        }
        about = Reporter(figure, report)
        *maps, _ = files_of(target, self)
        others = about.paths(target).values()
        with placed(target, beside(target), *maps, *others, overwrite=overwrite) as parts:
            described, *between, part = parts
            pixels = [*between[: len(maps)], part]
            written = write_pixels(pixels, target, self.noisy, self, format)
            content = sidecar_of(
                self.noisy.noted(*io.losses(target, self.noisy)),
                self,
                input=known,
                output={"file": valid(target.name), **written},
                options=self.options,
                selection=self.selection,
            )
            described.write_text(to_json(content.to_dict()) + "\n", encoding="utf-8")
            about.put(Material.of(self.noisy, self, content), between[len(maps) :])
            map_files.clear(target, self)
        return target
