import json

import pytest

from autodip.choose.choice import Choice
from autodip.choose.describe import Description
from autodip.choose.from_base import STRATEGIES, Strategy, propose_from_base, unlike
from autodip.choose.measures import MEASURES
from autodip.choose.samples import Sample
from autodip.errors import ParameterError
from autodip.image.kind import Kind
from tests.helpers.curves import LARGE, SMALL, Memory, texture

ACTIN, MITO = ("confocal", "actin"), ("confocal", "mito")
WIDE = ("widefield", "actin")


def described(microscope=None, specimen=None, shape=(64, 64)):
    return Description(shape, microscope, specimen, {"microscope": "given"}, None)


def base():
    """Fine images are best with SMALL early, coarse ones with LARGE late."""
    memory = Memory()
    memory.add("fine", ACTIN, (SMALL, 20), images=texture(1, 1), descriptors={"a": 1.0})
    memory.add("coarse", ACTIN, (LARGE, 100), images=texture(2, 5), descriptors={"a": 5.0})
    memory.add("mito", MITO, (LARGE, 60), images=texture(3, 3), descriptors={"a": 3.0})
    return memory.add("wide", WIDE, (SMALL, 80), images=texture(4, 1), descriptors={"a": 1.2})


def fine(value=1.19):
    return Sample(texture(9, 1), {"a": value})


def choose_from_base(description, sample, base, **options):
    return propose_from_base(description, sample, base, **options).fitted_to(description.shape)


def test_strategies_by_name():
    assert STRATEGIES[0] == "group"
    assert len(STRATEGIES) == 1 + 2 * len(MEASURES)
    assert Strategy.parse("group") == Strategy(True, None)
    assert Strategy.parse("lpips") == Strategy(False, "lpips")
    assert Strategy.parse("group+lpips") == Strategy(True, "lpips")
    with pytest.raises(ParameterError, match=r"Did you mean group\+ssim\? Known are group, l1"):
        Strategy.parse("GROUP+SIMM")


def test_group_goes_by_metadata():
    choice = choose_from_base(described(*MITO), fine(), base())
    assert (choice.net, choice.fit.iterations) == (LARGE.net, 60)
    assert choice.refine == LARGE.refine
    assert choice.evidence.group == Kind("confocal", "mito")
    assert choice.evidence.neighbours == ()
    assert choice.evidence.notes == ()
    assert choice.evidence.source == "best by combined over 1 of 4 images"


@pytest.mark.parametrize(
    ("known", "group", "said"),
    [
        (("confocal", None), ("confocal", None), "specimen unknown"),
        ((None, "mito"), (None, "mito"), "microscope unknown"),
        ((None, None), (None, None), "any kind"),
        (("widefield", "mito"), ("widefield", None), "no calibration image of widefield and mito"),
        (("twophoton", "mito"), (None, "mito"), "calibration images of mito are used instead"),
        (("twophoton", "nucleus"), (None, None), "calibration images of any kind"),
    ],
)
def test_group_falls_back_to_what_is_there_and_says_so(known, group, said):
    evidence = choose_from_base(described(*known), fine(), base()).evidence
    assert evidence.group.names == group
    assert said in " ".join(evidence.notes)


@pytest.mark.parametrize("measure", ["descriptor", "mean_gradient"])
def test_the_nearest_decides(measure):
    # By the descriptor the widefield image is the nearest; with the group it is not considered.
    far = choose_from_base(described(*ACTIN), fine(), base(), strategy="descriptor")
    assert (far.net, far.fit.iterations) == (SMALL.net, 80)
    assert far.evidence.neighbours[0]["name"] == "set/wide"
    near = choose_from_base(described(*ACTIN), fine(), base(), strategy=f"group+{measure}")
    assert (near.net, near.fit.iterations) == (SMALL.net, 20)
    (neighbour,) = near.evidence.neighbours
    assert neighbour["name"] == "set/fine"
    assert neighbour["distance"] > 0
    assert (neighbour["microscope"], neighbour["specimen"]) == ACTIN


def test_curves_of_several_neighbours_are_averaged():
    memory = Memory()
    for number, stop in enumerate((20, 60, 40)):
        memory.add(str(number), ACTIN, (SMALL, stop), descriptors={"a": float(number)})
    choice = choose_from_base(
        described(), Sample(None, {"a": 0.0}), memory, strategy="descriptor", neighbours=3
    )
    assert choice.fit.iterations == 40
    assert [one["name"] for one in choice.evidence.neighbours] == ["set/0", "set/1", "set/2"]


def test_the_output_decides_on_average_and_refinement():
    memory = base()
    memory.runs = [_only(run, "last") for run in memory.runs]
    choice = choose_from_base(described(*MITO), fine(), memory)
    assert (choice.fit.average, choice.refine) == (0, None)
    memory.runs = [_only(run, "average") for run in base().runs]
    choice = choose_from_base(described(*MITO), fine(), memory)
    assert (choice.fit.average, choice.refine) == (0.9, None)


def _only(run, output):
    points = tuple(point for point in run.points if point.output == output)
    return type(run)(run.image, run.config, points, run.cost, run.engine)


def test_iterations_are_scaled_to_the_size():
    choice = choose_from_base(described(*MITO, shape=(128, 256)), fine(), base())
    assert choice.fit.iterations == 120
    assert "scaled by the cube root" in " ".join(choice.evidence.notes)


def test_a_shallower_network_for_a_small_image():
    choice = choose_from_base(described(*MITO, shape=(8, 100)), fine(), base())
    assert choice.net.depth == 2
    assert "depth 2 instead of 3" in " ".join(choice.evidence.notes)


def test_pixels_that_were_not_kept():
    memory = base()
    memory.images.clear()
    with pytest.raises(ParameterError, match="--keep-images"):
        choose_from_base(described(*ACTIN), fine(), memory, strategy="l1")
    assert choose_from_base(described(*ACTIN), fine(), memory, strategy="descriptor")


def test_refusals():
    with pytest.raises(ParameterError, match="neighbours is 0"):
        choose_from_base(described(), fine(), base(), neighbours=0)
    with pytest.raises(ParameterError, match="autodip calibrate"):
        choose_from_base(described(), fine(), Memory())


def spread_base(count=10):
    memory = Memory()
    for number in range(count):
        memory.add(str(number), ACTIN, (SMALL, 40), descriptors={"a": float(number)})
    return memory


def test_an_image_unlike_all_others_is_said():
    memory = spread_base()
    inside = choose_from_base(described(*ACTIN), Sample(None, {"a": 4.4}), memory)
    assert not inside.evidence.outside
    outside = choose_from_base(described(*ACTIN), Sample(None, {"a": 30.0}), memory)
    assert outside.evidence.outside
    assert "unlike all 10 calibration images" in outside.evidence.notes[-1]
    assert "look at the result" in outside.evidence.notes[-1]


def test_captures_of_one_field_do_not_make_it_dense():
    memory = spread_base()
    for number in range(10):
        memory.add(
            f"again{number}",
            ACTIN,
            (SMALL, 40),
            fov=f"set/{number}",
            descriptors={"a": number + 0.001},
        )
    entries = list(memory.entries.values())
    assert unlike({"a": 4.5}, entries) is None
    assert unlike({"a": 12.0}, entries) is not None


def test_too_few_fields_tell_nothing():
    entries = list(spread_base(4).entries.values())
    assert unlike({"a": 1000.0}, entries) is None
    assert unlike({}, list(spread_base().entries.values())) is None


def test_evidence_is_read_again_and_old_files_too():
    choice = choose_from_base(described(*ACTIN), fine(), base(), strategy="descriptor")
    plain = json.loads(json.dumps(choice.to_dict()))
    assert Choice.from_dict(plain) == choice
    for new in ("neighbours", "outside"):
        del plain["evidence"][new]
    assert Choice.from_dict(plain).evidence.neighbours == ()


def test_the_version_is_that_of_the_runs():
    first, same = (choose_from_base(described(), fine(), base()) for _ in range(2))
    assert first.evidence.table == same.evidence.table
    assert first.evidence.table.startswith("memory ")
    other = choose_from_base(described(), fine(), base().add("more", MITO, (SMALL, 20)))
    assert other.evidence.table != first.evidence.table
