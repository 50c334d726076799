"""The page about one output."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autodip.bases import builtin
from autodip.errors import AutodipError
from autodip.image.image import Image
from autodip.pictures.contrast import limits
from autodip.pipeline.result import Computed
from autodip.report.page import plots
from autodip.report.page.card import Card
from autodip.report.page.facts import Facts, facts_of
from autodip.report.page.material import Material
from autodip.report.page.shown import selection_note, shown_planes
from autodip.report.page.templating import rendered
from autodip.report.page.views import Contrast, largest_of, thumbnail, views
from autodip.report.page.wording import always, choice_sentences, doubts
from autodip.runs import map_files
from autodip.runs.saving import sidecar_of
from autodip.runs.sidecar import Sidecar, beside
from autodip.runs.unsupported_structure import numbers_of_places
from autodip.util.text import name_text

_NEIGHBOURS = 3
_THUMB = 160
_VERSIONS = {
    "machine": "Architecture",
    "python": "Python",
    "processor": "Processor",
    "instructions": "Vector instructions",
    "bfloat16": "Computed in bfloat16",
    "accelerator": "GPU",
}


def page(material: Material) -> str:
    """The page about an output, as HTML."""
    content = material.content
    shown = facts_of(material)
    what = doubts(content, shown)
    return rendered(
        "page.html",
        "style.css",
        "page.js",
        title=material.name,
        card=_card(material, shown, what).script(),
        content=content,
        missing=material.missing,
        selection=selection_note(material.denoised, shown_planes(material.denoised)),
        planes=[_plane(facts, number, len(shown)) for number, facts in enumerate(shown)],
        has_errors=any(facts.shown.errors is not None for facts in shown),
        errors_file=_errors_file(content),
        channels=[_channel(material, number) for number in range(len(content.channels))],
        doubts=what,
        always=list(always(shown)),
        facts=_table(content, material.denoised),
        commands=_commands(material),
        shape=" × ".join(map(str, content.input.get("shape", ()))),
        cost=_cost(content),
    )


def _errors_file(content: Sidecar) -> str:
    stated = map_files.stated_in(content)
    return "in memory" if stated is None else str(stated.get("file"))


def page_of_result(
    noisy: np.ndarray | Image, result: Computed, content: Sidecar | None = None
) -> str:
    """The page about a result in memory, as HTML.

    Parameters
    ----------
    noisy : ndarray or Image
        Image that was denoised; an array needs the axes of the result to be ``YX``.
    result : Computed
    content : Sidecar, optional
        Sidecar of the result; by default one is made.
    """
    image = noisy if isinstance(noisy, Image) else Image(np.asarray(noisy), "YX")
    return page(Material.of(image, result, content or sidecar_of(image, result)))


def _plane(facts: Facts, number: int, planes: int) -> dict[str, Any]:
    """What the template shows of a plane."""
    examined = facts.examined
    drawn = {
        "histogram": plots.histogram_plot,
        "linearity": plots.linearity_plot,
        "spectrum": plots.spectrum_plot,
        "frc": plots.frc_plot,
    }
    return {
        **{name: plot(examined) if examined else None for name, plot in drawn.items()},
        "name": facts.name,
        "facts": facts,
        "examined": examined,
        "views": views(facts, number, largest_of(planes)),
        "noise_plot": plots.noise_plot(facts),
        "loss_plot": plots.loss_plot(facts),
        "resolution": _resolution(facts),
        "steps": facts.records[0].curve if facts.records else (),
        "fitted": facts.fitted,
        "allowed": facts.channel.choice.fit.iterations,
    }


def _resolution(facts: Facts) -> str:
    """Resolution that the photons of the input support, as text; empty if unknown."""
    frc = facts.examined.frc if facts.examined else None
    if frc is None:
        return ""
    found = frc.resolution()
    if found is None:
        return "2 pixels or finer: it is limited by the pixels"
    if not np.isfinite(found):
        return "none: the two halves do not correlate at any frequency"
    size = f" ({found * facts.pixel_size:.2g} µm)" if facts.pixel_size else ""
    return f"{found:.1f} pixels{size}"


def _channel(material: Material, number: int) -> dict[str, Any]:
    channel = material.content.channels[number]
    neighbours = channel.choice.evidence.neighbours[:_NEIGHBOURS]
    pictures = _pictures(material, [str(one["name"]) for one in neighbours])
    return {
        "name": channel.name or (f"channel {number}" if len(material.content.channels) > 1 else ""),
        "sentences": list(choice_sentences(channel, material.content)),
        "neighbours": [(one, pictures.get(str(one["name"]))) for one in neighbours],
        "pictured": bool(pictures),
    }


def _pictures(material: Material, names: Sequence[str]) -> Mapping[str, str]:
    """Thumbnails of calibration images by name, as far as their base stores pixels."""
    place = material.content.base
    if place is None or material.target is None or not names:
        return {}
    try:
        base = builtin.load(material.target.parent / place)
        found = {}
        for entry in base.entries.values():
            stored = base.pixels(entry.id) if entry.name in names else None
            if stored is not None:
                found[entry.name] = thumbnail(stored[0], limits(stored[0]), _THUMB)
        return found
    except (AutodipError, OSError):
        return {}


def _table(content: Sidecar, image: Image) -> list[tuple[str, str]]:
    """Provenance."""
    known = content.input
    sizes = ", ".join(f"{a} {size:.4g} µm" for a, size in image.pixel_size.items())
    rows = [
        ("Input", str(known.get("path") or known.get("file") or "an array in memory")),
        ("SHA-256 of the input", str(known.get("sha256") or "not recorded")),
        ("Axes and shape", f"{known.get('axes')} {known.get('shape')}, {known.get('dtype')}"),
        ("Pixel size", sizes or "not in the metadata"),
        ("Output", f"{content.output.get('file') or 'in memory'}, {content.output.get('dtype')}"),
        ("Preset", ", ".join(dict.fromkeys(c.choice.evidence.preset for c in content.channels))),
        ("Seed", str(content.seed)),
        ("Finished", content.finished or "not recorded"),
    ]
    if content.base is not None:
        rows.append(("Calibration base", content.base))
    priors = [channel.choice.prior for channel in content.channels if channel.choice.prior]
    rows += [
        ("Learned prior", f"{prior.weights}, SHA-256 {prior.sha256}")
        for prior in dict.fromkeys(priors)
    ]
    return rows + [(_VERSIONS.get(name, name), text) for name, text in _versions(content)]


def _versions(content: Sidecar) -> list[tuple[str, str]]:
    return [*(content.versions or {}).items(), *(content.processor or {}).items()]


def _cost(content: Sidecar) -> list[tuple[str, str]]:
    peak = content.peak_memory
    return [
        ("Computation", f"{content.seconds:.1f} s"),
        ("Peak memory of the process", f"{peak / 1e9:.2f} GB" if peak else "not reported"),
        ("Device", content.device),
        ("Threads", str(content.threads)),
    ]


def _commands(material: Material) -> list[str]:
    """Commands that repeat the run, in the folder of the output; empty for results in memory."""
    if material.target is None:
        return []
    known = material.content.input
    source = str(known.get("path") or known.get("file"))
    beside_it = name_text(beside(material.target).name)
    words = ["autodip", "denoise", source, "-o", "again/", "--params", beside_it]
    return [shlex.join(words)]


def _amount(facts: Facts) -> float | None:
    """What was removed, relative to the expected noise: measured, or as recorded."""
    if facts.examined is not None:
        return facts.examined.amount
    assessed = facts.records[0].assessment if facts.records else None
    return None if assessed is None else assessed.removed_to_noise


def _card(material: Material, shown: Sequence[Facts], what: Sequence[str]) -> Card:
    """Card for an index, from the first plane that is shown."""
    facts = shown[0]
    contrast = Contrast.of(facts)
    ends = contrast.low, contrast.high
    span = ends[1] - ends[0]
    examined = facts.examined
    near = facts.channel.choice.evidence.familiarity
    return Card(
        name=material.name,
        preset=facts.channel.choice.evidence.preset,
        before="" if facts.shown.before is None else thumbnail(facts.shown.before, ends),
        after=thumbnail(facts.shown.after, ends),
        noise=facts.noise.sigma / span if facts.noise else None,
        removed=_amount(facts),
        whiteness=examined.white.excess if examined and examined.white else None,
        psnr=facts.psnr,
        flux=100 * (examined.after - examined.before) / span if examined else None,
        familiarity=near.distance / near.limit if near else None,
        **numbers_of_places(material.content.planes),
        seconds=material.content.seconds,
        doubts=tuple(what),
    )
