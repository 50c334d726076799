import dataclasses

import pytest

from autodip.choose import presets
from autodip.choose.adapt import fitting
from autodip.choose.choice import Explicit
from autodip.choose.describe import Description
from autodip.choose.presets import choose
from autodip.errors import ImageError, ParameterError
from autodip.image.kind import Kind
from autodip.physics.noise import Noise
from autodip.refine.refinement import RefineParams


def described(microscope=None, specimen=None, shape=(512, 512)):
    origin = {"microscope": "given", "specimen": "given"}
    return Description(shape, microscope, specimen, origin, None)


def test_both_known():
    choice = choose(described("widefield", "nucleus"), presets.load("published"))
    assert str(choice.net) == "8/asc_to512/4"
    assert choice.fit.iterations == 300
    assert choice.evidence.group == Kind("widefield", "nucleus")
    assert choice.evidence.notes == ()
    assert "2601.12055" in choice.evidence.source


@pytest.mark.parametrize(
    ("known", "row", "nearest"),
    [
        ({"microscope": "twophoton"}, ("7/128/4", 1000), "LPIPS"),
        ({"specimen": "mito"}, ("4/16/4", 2400), "mean gradient"),
        ({}, ("8/64/4", 700), "UMAP"),
    ],
)
def test_part_known_takes_the_row_of_that_part_and_says_so(known, row, nearest):
    choice = choose(described(**known), presets.load("published"))
    assert (str(choice.net), choice.fit.iterations) == row
    missing, why = choice.evidence.notes
    assert "unknown" in missing
    assert nearest in why
    assert "calibration base" in why


def test_original_does_not_ask_for_a_group():
    choice = choose(described(), presets.load("original"))
    assert (str(choice.net), choice.fit.iterations) == ("5/128/4", 3000)
    assert choice.evidence.notes == ()


def test_a_table_without_the_group_takes_the_more_general_row():
    rows = [row for row in presets.load("published").rows if row.kind.specimen != "actin"]
    smaller = presets.Table("published", "1", "test", tuple(rows))
    choice = choose(described("confocal", "actin"), smaller)
    assert choice.evidence.group == Kind("confocal", None)
    assert "no row for confocal and actin" in choice.evidence.notes[0]


def test_depth_is_reduced_for_a_small_image_and_said():
    choice = choose(described("widefield", "nucleus", (100, 300)), presets.load("published"))
    assert choice.net.depth == 6
    assert choice.net.widths == (16, 32, 64, 128, 256, 512)
    assert "depth 6 instead of 8" in choice.evidence.notes[0]


def test_explicit_values_win_and_are_said():
    explicit = Explicit(iterations=9, depth=3, width=(4, 8, 16), skip=0)
    choice = choose(described("confocal", "mito"), presets.load("published"), explicit)
    assert str(choice.net) == "3/4-8-16/0"
    assert choice.fit.iterations == 9
    assert len(choice.evidence.notes) == 4


@pytest.mark.parametrize("shape", [(256, 256), (512, 512), (1024, 1024)])
@pytest.mark.parametrize("earlier", [False, True])
def test_measured_stops_are_scaled_to_the_size_and_said(shape, earlier):
    table_ = presets.load("untrained")
    row = dataclasses.replace(table_.rows[-1], smaller_stops_earlier=earlier)
    scaled = dataclasses.replace(table_, rows=(row,))
    choice = choose(described("widefield", shape=shape), scaled)
    factor = (shape[0] / 512) ** (2 / 3)
    wanted = row.fit.iterations * (factor if earlier else max(1, factor))
    assert choice.fit.iterations == round(wanted)
    assert any("cube root" in note for note in choice.evidence.notes) == (round(wanted) != 180)
    fixed = choose(described(shape=shape), scaled, Explicit(iterations=7))
    assert fixed.fit.iterations == 7


def test_refinement_is_the_presets_unless_asked_otherwise():
    assert choose(described(), presets.load("balanced")).refine == RefineParams()
    assert choose(described(), presets.load("published")).refine is None
    assert choose(described(), presets.load("balanced"), Explicit(refine=False)).refine is None
    assert (
        choose(described(), presets.load("published"), Explicit(refine=True)).refine
        == RefineParams()
    )


def test_published_stops_hold_for_all_sizes():
    choice = choose(described("widefield", "nucleus", (257, 257)), presets.load("published"))
    assert choice.fit.iterations == 300


def test_a_list_of_widths_sets_the_depth():
    choice = choose(described(), presets.load("original"), Explicit(width=(4, 8)))
    assert choice.net.depth == 2


def test_depth_cuts_or_doubles_the_widths_of_a_preset():
    preset = presets.load("balanced")
    widths = preset.rows[-1].net.widths
    assert choose(described(), preset, Explicit(depth=3)).net.widths == widths[:3]
    deeper = choose(described(), preset, Explicit(depth=7)).net.widths
    assert deeper[: len(widths)] == widths
    assert len(deeper) == 7
    assert max(deeper) <= 512


@pytest.mark.parametrize("explicit", [Explicit(depth=8), Explicit(width=(4,) * 8)])
def test_explicit_depth_too_large_names_the_one_that_fits(explicit):
    with pytest.raises(ParameterError, match="use --depth 6"):
        choose(described(shape=(100, 300)), presets.load("published"), explicit)


def test_too_small_for_any_network():
    for preset in ("published", "balanced"):
        with pytest.raises(ImageError, match="3 x 3 is the least"):
            choose(described(shape=(2, 300)), presets.load(preset))


def test_a_small_image_is_fitted_at_full_resolution():
    choice = choose(described(shape=(4, 300)), presets.load("untrained"))
    assert (choice.net.reduction, choice.net.depth) == (1, 1)
    assert choice.evidence.notes[-2].startswith("full resolution")
    assert choose(described(shape=(5, 300)), presets.load("balanced")).net.reduction == 2
    with pytest.raises(ImageError, match="5 x 5 is the least"):
        fitting(presets.load("balanced").rows[-1].net, (4, 300), fixed=True)


def test_correlated_noise_ends_the_fit_earlier():
    def noisy(correlation, shape=(512, 512)):
        found = Noise(0.1, 1.0, 1.0, (correlation, correlation), 1.0, saturated=0.0)
        return dataclasses.replace(described(shape=shape), noise=found)

    untrained = presets.load("untrained")
    assert choose(noisy(0.1), untrained).fit.iterations == 180
    earlier = choose(noisy(0.6), untrained)
    assert earlier.fit.iterations == 180
    assert "correlated between neighbours" in earlier.evidence.notes[0]
    assert choose(noisy(0.6, (256, 256)), untrained).fit.iterations == 113
    assert choose(noisy(0.6), presets.load("balanced")).evidence.notes == ()
    assert choose(noisy(0.6), presets.load("published")).evidence.notes == (
        choose(noisy(0.1), presets.load("published")).evidence.notes
    )


@pytest.mark.parametrize("shape", [(4, 300), (100, 100), (2000, 2000)])
def test_with_a_learned_prior_notes_on_the_fit_are_left_out(shape):
    choice = choose(described(shape=shape), presets.load("balanced"))
    assert choice.prior is not None
    assert choice.evidence.notes == ()


@pytest.mark.parametrize(
    "explicit",
    [
        Explicit(iterations=7),
        Explicit(depth=3),
        Explicit(width=8),
        Explicit(skip=0),
        Explicit(refine=True),
        Explicit(refine=False),
    ],
)
@pytest.mark.parametrize("preset", presets.BY_QUALITY)
def test_explicit_parameters_bring_the_fit_back_and_it_is_said(preset, explicit):
    choice = choose(described(), presets.load(preset), explicit)
    assert choice.prior is None
    assert any("learned prior is not used" in note for note in choice.evidence.notes)
    ((name, value),) = explicit.items()
    assert f"{name} {value} was set explicitly" in choice.evidence.notes
    plain = choose(described(), presets.load("untrained"), explicit)
    assert not any("learned prior" in note for note in plain.evidence.notes)
    if preset == "balanced":
        assert (choice.net, choice.fit, choice.refine) == (plain.net, plain.fit, plain.refine)
