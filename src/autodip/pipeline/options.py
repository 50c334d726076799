"""All options that a user can set, each defined once with its type, its limits and its help.

The parameters of :func:`autodip.denoise`, the options of the command line, the keys of the config
file and of manifests, and the settings that a sidecar repeats are derived from the fields of
:class:`Options`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autodip.bases.builtin import NAME as BUILTIN
from autodip.bases.criteria import CRITERIA
from autodip.choose.choice import Choice, Explicit
from autodip.choose.from_base import STRATEGIES
from autodip.choose.presets import PRESETS
from autodip.errors import ParameterError
from autodip.fit.params import Width, parse_width
from autodip.image.channels import PerChannel
from autodip.pipeline.option_checks import (
    DTYPES,
    check_above_zero,
    check_known,
    check_seed,
    check_tile,
    name_of,
)
from autodip.pipeline.specs import said, specs_of
from autodip.util.text import parse_size, parse_switch


@dataclass(frozen=True, kw_only=True)
class Options:
    """All options that a user can set; each has a default.

    Parameters
    ----------
    microscope, specimen : str, mapping of str to str, or PerChannel, optional
        Name from the vocabulary, or any synonym. None uses the metadata; "other" ignores it. To
        set channels separately, give a mapping from their names or numbers, or text such as
        ``DAPI=nucleus,GFP=actin``.
    preset : str
        Table of parameters: ``original``, ``published``, ``fast``, ``balanced``, ``best`` or
        ``untrained``.
    base : Path or str, optional
        Folder of a calibration base, which determines the parameters instead of the preset for
        the kinds of images that it covers. ``builtin`` is the base included in the package.
    strategy : str, optional
        How the base is searched, one of :data:`autodip.choose.from_base.STRATEGIES`; ``group``
        by default.
    criterion : str, optional
        Criterion for the best setting of the base, one of
        :data:`autodip.bases.criteria.CRITERIA`; ``combined`` by default, ``psnr`` if LPIPS was not
        measured.
    iterations, depth, width, skip : optional
        Override the chosen values: number of iterations, number of scales of the network, channels
        of each scale (``32``, ``(8, 16, 32)`` or ``asc_to512``), channels of the skip branches.
    refine : bool, optional
        Whether the result of the fit is refined; None leaves this to the preset or the base.
    budget : float, optional
        Seconds allowed for the whole image on the CPU. ``preset`` is replaced by the best of
        ``best``, ``balanced`` and ``fast`` whose predicted time is within the budget.
    independent : bool
        Compute every plane of a film or stack independently. By default, the learned prior is
        told for each plane how strong the noise was in the first plane of the channel; a fit of
        ``untrained``, ``fast``, ``balanced`` or ``best`` starts from scratch for the first plane
        and continues for each later plane from the weights of the plane before it, with a tenth
        of the iterations, or more if it differs more, and all planes share one intensity scale.
    tile : int, optional
        Side, in pixels, of the overlapping windows in which planes are computed and then blended;
        0 computes whole planes. By default, planes of more than two million pixels, and planes
        that do not fit into memory, are cut into windows of 512 pixels or less.
    max_memory : int or str, optional
        Number of bytes that the whole process may use, or text such as ``4GB``; by default all
        free memory.
    device : str or torch.device
        ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
    seed : int
        Determines the random weights and the random input; 0 to 2**32 - 1.
    dtype : str or dtype, optional
        Data type of the result, one of :data:`autodip.pipeline.option_checks.DTYPES`, by its name
        or as ``np.float32``; by default that of the image, or float32 for integers whose noise is
        so weak, in grey levels, that rounding would add to the error, such as photon counts.
        Integers are rounded and clipped.
    keep_outliers : bool
        Return hot and dead pixels as they were. By default, they are replaced.
    uncertainty : bool
        Also compute the standard error of every pixel of the result, in units of the image; it is
        NaN where nothing was measured or denoised.
    axes : str, optional
        Order of the dimensions of an array, in letters of ``TCZYXS``; required unless there are
        two, which are (Y, X) by default. Every (Y, X) plane is fitted with the parameters of its
        channel.
    choices : sequence of Choice, optional
        One for all channels or one for each; used unchanged, for example to repeat a run.

    Raises
    ------
    ParameterError
        If a value is not allowed, or two of them exclude each other.

    Examples
    --------
    >>> import autodip
    >>> options = autodip.Options(preset="fast", max_memory="4GB", seed=1)
    >>> options.max_memory
    4000000000
    >>> noisy, truth = autodip.sample(size=64)
    >>> for progress in autodip.denoise_steps(noisy, options):
    ...     pass
    """

    microscope: str | Mapping[str, str] | PerChannel | None = field(
        default=None,
        metadata=said(
            "Microscope (confocal, twophoton, widefield, or another name), overriding the "
            "metadata; to set channels separately, use DAPI=confocal,1=widefield.",
            metavar="NAME",
            example="confocal",
            in_manifest=True,
            chooses=True,
        ),
    )
    specimen: str | Mapping[str, str] | PerChannel | None = field(
        default=None,
        metadata=said(
            "Labelled structure (actin, mito, nucleus, or another name), overriding the metadata; "
            "to set channels separately, use DAPI=nucleus,1=actin.",
            metavar="NAME",
            example="mito",
            in_manifest=True,
            chooses=True,
        ),
    )
    preset: str = field(
        default="balanced",
        metadata=said(
            "Table from which the parameters are taken.",
            choices=PRESETS,
            example="balanced",
            in_manifest=True,
            chooses=True,
        ),
    )
    base: Path | str | None = field(
        default=None,
        metadata=said(
            "Calibration base (a folder, or builtin) that determines the parameters for the kinds "
            "of images it covers.",
            metavar="DIR",
            example="base",
            chooses=True,
        ),
    )
    strategy: str | None = field(
        default=None,
        metadata=said(
            "How the base is searched for similar images.",
            metavar="NAME",
            choices=STRATEGIES,
            example="group+descriptor",
            chooses=True,
        ),
    )
    criterion: str | None = field(
        default=None,
        metadata=said(
            "Criterion for the best setting of the base.",
            metavar="NAME",
            choices=CRITERIA,
            example="combined",
            chooses=True,
        ),
    )
    iterations: int | None = field(
        default=None,
        metadata=said(
            "Number of iterations, overriding the chosen number.",
            kind="int",
            metavar="N",
            chooses=True,
        ),
    )
    depth: int | None = field(
        default=None,
        metadata=said(
            "Number of scales of the network.",
            kind="int",
            metavar="D",
            chooses=True,
        ),
    )
    width: Width | str | None = field(
        default=None,
        metadata=said(
            "Channels of each scale: 32, or 8,16,32, or asc_to512.", metavar="W", chooses=True
        ),
    )
    skip: int | None = field(
        default=None,
        metadata=said(
            "Number of channels of the skip branches.",
            kind="int",
            metavar="S",
            chooses=True,
        ),
    )
    refine: bool | None = field(
        default=None,
        metadata=said(
            "Recover, from the data, fine structure that early stopping leaves out; the preset "
            "sets the default.",
            kind="switch",
            chooses=True,
        ),
    )
    budget: float | None = field(
        default=None,
        metadata=said(
            "Use the best of fast, balanced and best whose predicted time is within this limit.",
            kind="float",
            metavar="SECONDS",
            chooses=True,
        ),
    )
    independent: bool = field(
        default=False,
        metadata=said(
            "Compute every frame and slice on its own, not from those before it.",
            kind="flag",
        ),
    )
    tile: int | None = field(
        default=None,
        metadata=said(
            "Compute in overlapping windows of this side, in pixels; 0 computes whole planes.",
            kind="int",
            metavar="SIDE",
        ),
    )
    max_memory: int | None = field(
        default=None,
        metadata=said(
            "Maximum memory to use, for example 4GB; large planes are cut to fit.",
            kind="size",
            metavar="SIZE",
            of_run=True,
        ),
    )
    device: str = field(
        default="auto",
        metadata=said(
            "Device to compute on: auto, cpu, cuda[:N] or mps.", example="auto", of_run=True
        ),
    )
    seed: int = field(default=0, metadata=said("Seed of the random weights and input.", kind="int"))
    dtype: str | None = field(
        default=None,
        metadata=said(
            "Data type of the output; by default that of the input, or float32 where it has few "
            "grey levels.",
            choices=DTYPES,
            of_run=True,
        ),
    )
    keep_outliers: bool = field(
        default=False,
        metadata=said("Return hot and dead pixels as they were.", kind="flag"),
    )
    uncertainty: bool = field(
        default=False,
        metadata=said(
            "Also write NAME.sd.tif (with the ending of the output): the standard error of every "
            "pixel.",
            kind="switch",
            example="true",
            in_manifest=True,
            of_run=True,
        ),
    )
    axes: str | None = None
    choices: Sequence[Choice] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("seed", "iterations", "depth", "width", "skip"):
            value = getattr(self, name)
            if isinstance(value, np.integer):
                object.__setattr__(self, name, int(value))
        object.__setattr__(self, "device", str(self.device))
        object.__setattr__(self, "dtype", name_of(self.dtype))
        object.__setattr__(self, "max_memory", parse_size(self.max_memory, "max_memory"))
        object.__setattr__(self, "uncertainty", parse_switch(self.uncertainty, "uncertainty"))
        check_seed(self.seed)
        check_above_zero("budget", self.budget, "a number of seconds")
        check_above_zero("max_memory", self.max_memory, "a number of bytes")
        check_tile(self.tile)
        for name in ("microscope", "specimen"):
            self.per_channel(name)  # raises if it cannot be parsed
        check_known("preset", self.preset, PRESETS)
        check_known("dtype", self.dtype, DTYPES)
        for name, known in (("strategy", STRATEGIES), ("criterion", CRITERIA)):
            value = getattr(self, name)
            if value is not None and self.base is None:
                raise ParameterError(f"{name} {value!r} needs a base; specify one, or {BUILTIN!r}")
            check_known(name, value, known)
        if self.base is not None and self.budget is not None:
            raise ParameterError(
                "a budget selects among the presets, which a base replaces; omit one of the two"
            )

    @property
    def explicit(self) -> Explicit:
        """The values that override the choice."""
        width = parse_width(self.width) if isinstance(self.width, str) else self.width
        return Explicit(self.iterations, self.depth, width, self.skip, self.refine)

    def per_channel(self, name: str) -> PerChannel:
        """Microscopes or specimens (``name``) of the channels."""
        return PerChannel.of(getattr(self, name), name)

    def replace(self, **changes: Any) -> Options:
        """Return a copy with some values changed, validated again."""
        return dataclasses.replace(self, **changes)


SPECS = specs_of(Options)
"""Options by name, in the order of ``--help``."""
