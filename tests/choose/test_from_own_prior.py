import pytest

from autodip.bases import own_prior, store
from autodip.choose import presets
from autodip.choose.describe import Description
from autodip.choose.from_base import covers
from autodip.choose.propose import Search, propose
from autodip.choose.samples import Sample
from autodip.image.kind import Kind
from tests.helpers.curves import SMALL, Memory
from tests.helpers.priors import NOTES, with_prior

ACTIN, WIDE, BRAIN = ("confocal", "actin"), ("widefield", "actin"), ("twophoton", "brain")
SAMPLE = Sample(None, {"a": 1.0})


def proposed(base, microscope, specimen, preset="balanced"):
    described = Description((64, 64), microscope, specimen, {}, None)
    return propose(described, SAMPLE, preset, Search(base))


@pytest.fixture
def base(tmp_path):
    return store.load(with_prior(tmp_path / "mine", NOTES.replace(kinds=(Kind(*ACTIN),))))


@pytest.fixture
def calibrated(base):
    """The same base with an image of a widefield microscope."""
    memory = Memory()
    memory.add("wide", WIDE, (SMALL, 80), descriptors={"a": 1.2})
    for entry in memory.entries.values():
        store.add_entry(base.path, entry)
    for run in memory.runs:
        store.add_run(base.path, run)
    return store.load(base.path)


def test_a_base_with_a_prior_alone_covers_all_images(base):
    proposal = proposed(base, *ACTIN, preset="untrained")
    assert proposal.prior.weights == str(own_prior.path_in(base.path))
    balanced = presets.load("balanced").rows[0].prior
    assert proposal.prior == balanced.replace(weights=proposal.prior.weights)
    assert proposal.fit == presets.load("untrained").rows[0].fit
    evidence = proposal.evidence
    assert (evidence.table, evidence.preset) == ("mine", "untrained")
    assert "which has no calibration images" in evidence.source
    (note,) = evidence.notes
    assert note.startswith("prior of the base mine, tuned on 3 pairs, 2 single noisy images")


def test_images_of_other_kinds_are_named(base):
    *_, note = proposed(base, *BRAIN).evidence.notes
    assert "tuned on confocal and actin, and this image is twophoton and brain" in note
    assert len(proposed(base, None, None).evidence.notes) == 1


def test_calibrated_images_decide_on_the_fit(calibrated):
    proposal = proposed(calibrated, *WIDE)
    assert (proposal.net, proposal.fit.iterations) == (SMALL.net, 80)
    assert proposal.prior.weights == str(own_prior.path_in(calibrated.path))
    assert proposal.evidence.strategy == "group"
    assert covers(calibrated, Kind(*ACTIN))
    assert not covers(calibrated, Kind(*BRAIN))
    other = proposed(calibrated, *BRAIN, preset="published")
    assert other.prior is None
    assert "has no image of twophoton and brain" in other.remarks[0]
