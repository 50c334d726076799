import dataclasses
import gzip
import json
import os
import platform
import subprocess
import sys
import time

import numpy as np
import pytest

from autodip.bases import claims, criteria, grid, packing, store
from autodip.bases.claims import claim
from autodip.bases.criteria import group_rows, pick
from autodip.bases.records import Config, Entry, Point, Run
from autodip.errors import FormatError, MissingPackageError, OutputError, ParameterError
from autodip.fit.params import FitParams, NetParams
from autodip.image.kind import Kind
from autodip.refine.refinement import RefineParams
from autodip.report.surface import surface
from tests.helpers.curves import LARGE, SMALL, Memory

ACTIN, MITO = ("confocal", "actin"), ("confocal", "mito")


def filled(path, names=("a", "b"), best=(SMALL, 40), **others):
    """Create a base on disk whose curves follow a known formula."""
    memory = Memory()
    for name in names:
        memory.add(name, ACTIN, best, **others)
    store.create(path)
    for entry in memory.entries.values():
        store.add_entry(path, entry)
    for run in memory.runs:
        store.add_run(path, run)
    return path


def test_a_base_is_read_as_it_was_written(tmp_path):
    base = store.load(filled(tmp_path / "base"))
    assert base.name == "base"
    assert list(base.entries) == ["a", "b"]
    assert {(run.image, run.config) for run in base.runs} == {
        (image, config) for image in "ab" for config in (SMALL, LARGE)
    }
    (one,) = (r for r in base.runs if (r.image, r.config) == ("a", SMALL))
    assert one.points[0] == Point(
        iteration=20,
        output="last",
        psnr=29.0,
        ssim=0.725,
        lpips=0.055,
        l1=0.1,
        mse=0.01,
        seconds=2.0,
    )
    assert base.pixels("a") is None
    assert store.load_run(base.path, "a", SMALL) == one
    assert store.load_run(base.path, "c", SMALL) is None


def test_figures_are_rounded_but_settings_are_not(tmp_path):
    config = dataclasses.replace(SMALL, fit=FitParams(100, learning_rate=0.0123456789))
    point = Point(
        iteration=20,
        output="last",
        psnr=31.123456,
        ssim=0.912345678,
        lpips=None,
        l1=0.00123456789,
        mse=1.23456789e-6,
        seconds=1 / 3,
    )
    base = filled(tmp_path / "base", names=("a",))
    store.add_run(base, Run("a", config, (point,), {"flop": 1234567.0, "parameters": 1234567}, "0"))
    run = store.load_run(base, "a", config)
    assert run.config == config
    figures = (31.1235, 0.91235, None, 0.0012346, 1.2346e-6, 0.33333)
    assert dataclasses.astuple(run.points[0])[2:] == figures
    assert run.cost == {"flop": 1234600.0, "parameters": 1234567}


def test_pixels_are_kept_as_floats(tmp_path, rng):
    base = filled(tmp_path / "base", names=("a",))
    noisy, truth = rng.integers(0, 60000, (2, 64, 64)).astype(np.uint16)
    store.add_entry(base, store.load(base).entries["a"], (noisy, truth))
    kept = store.load(base).pixels("a")
    assert all(image.dtype == np.float32 for image in kept)
    assert (kept[0] == noisy).all()
    assert (kept[1] == truth).all()
    store.pixels_path(base, "a").write_bytes(b"PK broken")
    with pytest.raises(FormatError, match=r"a\.npz"):
        store.load(base).pixels("a")


def first(base, kind):
    return sorted((base / kind).glob("*.json"))[0]


@pytest.mark.parametrize("kind", ["images", "runs"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[:-40], "not readable as JSON"),
        (lambda text: text.replace('"schema":1', '"schema":2'), "update autodip"),
        (lambda text: text.replace('"schema":1,', ""), "no schema"),
        (lambda text: text.replace("0", "1"), "SHA-256"),
        (lambda text: "[1]", "no schema"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, kind, change, said):
    base = filled(tmp_path / "base")
    file = first(base, kind)
    file.write_text(change(file.read_text()))
    with pytest.raises(FormatError, match=said) as error:
        store.load(base)
    assert str(file) in str(error.value)
    assert any(str(file) in problem for problem in packing.validate(base))


def test_what_is_no_base(tmp_path):
    with pytest.raises(FormatError, match="no calibration base"):
        store.load(tmp_path)
    (tmp_path / "cells.tif").write_bytes(b"")
    with pytest.raises(OutputError, match=r"cells\.tif"):
        store.create(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="file"):
        store.create(tmp_path / "file")
    (tmp_path / "head").mkdir()
    (tmp_path / "head" / "base.json").write_text('{"schema": 1}')
    with pytest.raises(FormatError, match="no name"):
        store.load(tmp_path / "head")


def test_creating_a_base_again_leaves_it_alone(tmp_path):
    base = filled(tmp_path / "base")
    assert len(store.create(base).runs) == 4


@pytest.mark.parametrize("compress", [False, True])
def test_a_packed_base_is_the_same(tmp_path, compress):
    base = filled(tmp_path / "base")
    merged = packing.merge([base], tmp_path / "packed", packing.Packing(compress))
    loose, packed = store.load(base), store.load(tmp_path / "packed")
    assert (packed.entries, packed.runs) == (loose.entries, loose.runs)
    assert (merged.duplicates, merged.differing) == (0, ())
    name = "runs.jsonl" + ".gz" * compress
    assert {p.name for p in packed.path.iterdir()} == {"base.json", "images.jsonl", name}
    assert packing.validate(packed.path) == []
    file = packed.path / name
    content = file.read_bytes()
    text = (gzip.decompress(content) if compress else content).replace(b'"psnr":[2', b'"psnr":[3')
    file.write_bytes(gzip.compress(text) if compress else text)
    with pytest.raises(FormatError, match="line 1: its content"):
        store.load(packed.path)
    file.write_bytes(content[:-10])
    with pytest.raises(FormatError, match=name):
        store.load(packed.path)


def test_a_packed_base_can_be_gone_on_with(tmp_path):
    packing.merge([filled(tmp_path / "base")], tmp_path / "packed")
    filled(tmp_path / "packed", names=("b", "c"))
    base = store.load(tmp_path / "packed")
    assert list(base.entries) == ["a", "b", "c"]
    assert len(base.runs) == 6
    filled(tmp_path / "packed", names=("a",), best=(SMALL, 60))
    with pytest.raises(FormatError, match="other values"):
        store.load(tmp_path / "packed")
    assert "other values" in " ".join(packing.validate(tmp_path / "packed"))


def test_merging_says_what_differs(tmp_path, rng):
    one, two = filled(tmp_path / "one"), filled(tmp_path / "two", names=("b", "c"))
    three = filled(tmp_path / "three", names=("c",), best=(SMALL, 60), specimen="mito")
    image = rng.random((64, 64))
    store.add_entry(two, store.load(two).entries["c"], (image, image))
    merged = packing.merge([one, two, three], tmp_path / "all")
    assert list(merged.base.entries) == ["a", "b", "c"]
    assert merged.base.entries["c"].specimen == "actin"
    assert len(merged.base.runs) == 6
    assert merged.duplicates == 3
    assert len(merged.differing) == 3
    assert all(str(three) in sentence for sentence in merged.differing)
    assert merged.base.pixels("c") is not None
    (kept,) = (r for r in merged.base.runs if (r.image, r.config) == ("c", SMALL))
    assert max(kept.points, key=lambda point: point.psnr).iteration == 40
    with pytest.raises(OutputError, match="not empty"):
        packing.merge([one], tmp_path / "all")
    with pytest.raises(ParameterError, match="no base to merge"):
        packing.merge([], tmp_path / "none")


def test_validate_tells_everything(tmp_path):
    base = filled(tmp_path / "base")
    assert packing.validate(base) == []
    first(base, "images").rename(base / "images" / "z.json")
    first(base, "runs").write_text("{")
    store.add_run(base, Run("ghost", SMALL, (), {}, "0"))
    early, late = (
        Point(
            iteration=n,
            output="last",
            psnr=20.0,
            ssim=0.5,
            lpips=None,
            l1=0.1,
            mse=0.1,
            seconds=1.0,
        )
        for n in (20, 200)
    )
    store.add_run(base, Run("b", dataclasses.replace(SMALL, seed=7), (late, early), {}, "0"))
    (base / "pixels").mkdir()
    for name, shape in (("b", (8, 8)), ("ghost", (64, 64))):
        np.savez(base / "pixels" / f"{name}.npz", noisy=np.ones(shape), truth=np.ones(shape))
    problems = "\n".join(packing.validate(base))
    for said in ("holds the image a", "not readable", "image ghost is missing", "no points",
                 "not in order", "b.npz: its shape", "ghost.npz: its image"):  # fmt: skip
        assert said in problems
    with pytest.raises(FormatError):
        store.load(base)
    assert "no calibration base" in packing.validate(tmp_path)[0]


def test_a_claim_is_for_one(tmp_path):
    path = tmp_path / "runs" / "a.claim"
    mine = claim(path)
    assert claim(path) is None
    mine.release()
    assert not path.exists()
    assert claim(path) is not None


def test_a_claim_of_a_dead_process_is_taken_over(tmp_path):
    path = tmp_path / "a.claim"
    lines = ["import pathlib, sys", "from autodip.bases.claims import claim"]
    code = "\n".join([*lines, "claim(pathlib.Path(sys.argv[1]))"])
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    theirs = path.read_text()
    mine = claim(path)
    assert mine is not None
    assert json.loads(path.read_text())["pid"] == os.getpid()
    path.write_text(theirs)  # another process took it over in turn
    mine.release()
    assert path.exists()


def test_a_claim_without_a_sign_of_life_is_taken_over(tmp_path, monkeypatch):
    path = tmp_path / "a.claim"
    owner = {"host": "elsewhere", "pid": 1, "started": 0, "time": 0}
    path.write_text(json.dumps(owner))
    assert claim(path) is None
    path.write_text(json.dumps({**owner, "host": platform.node(), "pid": os.getpid()}))
    assert claim(path) is not None  # our process number, but another start time
    path.write_text(json.dumps(owner))
    old = time.time() - claims.STALE - 1
    os.utime(path, (old, old))
    mine = claim(path)
    assert mine is not None
    os.utime(path, (old, old))
    mine.refresh()
    assert path.stat().st_mtime == pytest.approx(old)
    monkeypatch.setattr(claims, "REFRESH", 0.0)
    mine.refresh()
    assert path.stat().st_mtime > old + 100
    path.write_text("{")
    os.utime(path, (old, old))
    assert claim(path) is not None


def two_images():
    memory = Memory().add("a", ACTIN, (SMALL, 40)).add("b", MITO, (SMALL, 60))
    return memory.runs


@pytest.mark.parametrize("criterion", ["psnr", "lpips", "ssim", "combined"])
def test_the_best_over_the_images_is_picked(criterion):
    best = pick(two_images(), criterion)
    assert (best.config, best.output) == (SMALL, "refined")
    assert best.iteration == 40  # as good as 60, and cheaper
    assert best.scores["psnr"] == pytest.approx(31.5)
    assert best.cost == pytest.approx({"flop": 4e8, "memory": 1e6, "parameters": 1e4})


def test_psnr_and_lpips_may_want_different_settings():
    def point(stop, psnr, lpips):
        return Point(
            iteration=stop,
            output="last",
            psnr=psnr,
            ssim=psnr / 40,
            lpips=lpips,
            l1=0.1,
            mse=0.01,
            seconds=1.0,
        )

    points = (point(20, 30, 0.1), point(40, 31, 0.2), point(60, 30.9, 0.11), point(80, 29, 0.3))
    run = Run("a", SMALL, points, {"flop": 1e9}, "0")
    found = {name: pick([run], name).iteration for name in criteria.CRITERIA}
    assert found == {"psnr": 40, "lpips": 20, "ssim": 40, "combined": 20, "cheapest": 20}
    # Ranks 3+1, 1+3, 2+2: equal except for the costs.
    assert pick([run], "cheapest", within=(0, 0)).iteration == 20


def test_cheapest_gives_up_little():
    def point(stop, psnr, lpips):
        return Point(
            iteration=stop,
            output="refined",
            psnr=psnr,
            ssim=0.9,
            lpips=lpips,
            l1=0.1,
            mse=0.01,
            seconds=1.0,
        )

    points = (point(20, 30, 0.15), point(40, 31.85, 0.109), point(60, 32, 0.1))
    run = Run("a", SMALL, points, {"flop": 1e9}, "0")
    assert pick([run], "combined").iteration == 60
    assert pick([run], "cheapest").iteration == 40
    assert pick([run], "cheapest", within=(0.1, 0.01)).iteration == 60
    assert pick([run], "cheapest", within=(5, 1)).iteration == 20


def test_only_what_all_images_have_is_compared():
    runs = [run for run in two_images() if run.image == "a" or run.config == LARGE]
    assert pick(runs, "psnr").config == LARGE
    runs = [run for run in runs if run.image == "b" or run.config == SMALL]
    with pytest.raises(ParameterError, match="no setting was run on all 2 images"):
        pick(runs, "psnr")
    with pytest.raises(ParameterError, match="no run"):
        pick([], "psnr")


def without_lpips(runs):
    return [
        dataclasses.replace(r, points=tuple(dataclasses.replace(p, lpips=None) for p in r.points))
        for r in runs
    ]


def test_criteria_are_checked():
    with pytest.raises(ParameterError, match="known are combined, psnr"):
        pick(two_images(), "taste")
    runs = without_lpips(two_images())
    assert pick(runs, "psnr").scores["lpips"] is None
    for criterion in ("combined", "lpips", "cheapest"):
        with pytest.raises(ParameterError, match="autodip weights install"):
            pick(runs, criterion)


def in_memory(runs, entries):
    return store.Base(
        path=None, name="", description="", created="", entries=entries, runs=tuple(runs)
    )


def test_rows_of_all_groups():
    memory = Memory()
    memory.add("a", ACTIN, (SMALL, 20)).add("b", MITO, (LARGE, 60))
    memory.add("c", ("widefield", None), (SMALL, 100), fov="field")
    base = in_memory(memory.runs, memory.entries)
    rows = group_rows(base, "combined")
    assert list(rows) == [
        Kind(*ACTIN), Kind(*MITO), Kind("confocal"), Kind("widefield"),
        Kind(specimen="actin"), Kind(specimen="mito"), Kind(),
    ]  # fmt: skip
    assert (rows[Kind(*MITO)].config, rows[Kind(*MITO)].iteration) == (LARGE, 60)
    actin = rows[Kind(specimen="actin")]
    assert (actin.config, actin.iteration) == (SMALL, 20)
    assert Kind("widefield") not in group_rows(base, "combined", exclude=("field",))
    assert group_rows(base, "psnr", exclude=[e.fov for e in memory.entries.values()]) == {}
    lacking = [r for r in memory.runs if (r.image, r.config) not in (("a", SMALL), ("b", LARGE))]
    rows = group_rows(in_memory(lacking, memory.entries), "combined")
    assert Kind("confocal") not in rows
    assert rows[Kind(*ACTIN)].config == LARGE


def test_the_figure_has_a_line_for_each_network():
    memory = Memory().add("a", ACTIN, (SMALL, 40)).add("b", MITO, (LARGE, 60))
    sheet = surface(in_memory(memory.runs, memory.entries), "combined")
    bare = surface(in_memory(without_lpips(memory.runs), memory.entries), "psnr")
    assert bare.size == sheet.size
    assert sheet.width == 1400
    pixels = np.asarray(sheet)
    colours = {tuple(colour) for colour in pixels.reshape(-1, 3)}
    assert {(0, 114, 178), (213, 94, 0)} <= colours  # a line for each of the two networks
    with pytest.raises(ParameterError, match="nothing to draw"):
        surface(in_memory((), memory.entries), "psnr")


def test_grids_by_name():
    paper = grid.load("paper")
    assert len(paper) == len(set(paper)) == 70
    assert {config.fit for config in paper} == {FitParams(3000)}
    assert all(config.refine is None and config.every == 100 for config in paper)
    assert Config(NetParams(8, "asc_to512", 0), FitParams(3000), None, 100) in paper
    small = grid.load("small")
    assert len(small) == 5
    assert all(c.fit.average == 0.95 and c.refine == RefineParams() for c in small)
    assert len(grid.load("tiny")) == 2
    with pytest.raises(ParameterError, match="known are paper, small, tiny"):
        grid.load("large")


def test_a_grid_from_a_file(tmp_path):
    path = tmp_path / "grid.yaml"
    path.write_text(
        "nets:\n"
        '  - {depth: 3, width: ["4,8,16", 8], skip: [0, 4], lean: true}\n'
        "  - {depth: 3, width: 8, lean: true}\n"
        "fit: {iterations: 40, learning_rate: [0.01, 0.02], average: 0.9}\n"
        "every: 5\n"
        "refine: {strengths: [1.0]}\n"
    )
    configs = grid.load(str(path))
    assert len(configs) == 2 * 2 * 2  # the second network is one of the first
    assert configs[0].net == NetParams(3, (4, 8, 16), 0, lean=True)
    assert {config.fit.learning_rate for config in configs} == {0.01, 0.02}
    assert {(config.every, config.refine) for config in configs} == {
        (5, RefineParams(strengths=(1.0,)))
    }


GOOD = {"nets": [{"depth": 2, "width": 4}], "fit": {"iterations": 10}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"net": []}, "unknown net; allowed are nets, fit, every, refine"),
        ({"nets": []}, "give a list of networks"),
        ({"nets": [3]}, "a net is 3"),
        ({"nets": [{"depth": 2, "breadth": 4}]}, "unknown breadth; allowed are depth, width"),
        ({"nets": [{"depth": 2, "width": []}]}, "width is an empty list"),
        ({"nets": [{"depth": 2, "width": "4,4,4"}]}, "3 widths"),
        ({"nets": [{"width": 4}]}, "depth missing"),
        ({"fit": None}, "fit is None"),
        ({"fit": {"iterations": 10, "noise_limit": 1.0}}, "unknown noise_limit"),
        ({"every": 0}, "every is 0"),
        ({"refine": {"power": 3}}, "unknown power"),
        ({"refine": 3}, "refine is 3"),
    ],
)
def test_wrong_grids_are_explained(change, said):
    with pytest.raises(ParameterError, match=said):
        grid.parse({**GOOD, **change})


def test_refinement_is_the_default():
    assert grid.parse(GOOD)[0].refine == RefineParams()
    assert grid.parse({**GOOD, "refine": False})[0].refine is None


def test_grid_files_that_cannot_be_read(tmp_path, monkeypatch):
    path = tmp_path / "grid.yml"
    with pytest.raises(FormatError, match="there is no such file"):
        grid.load(str(path))
    path.write_text("nets: [")
    with pytest.raises(FormatError, match="not readable as YAML"):
        grid.load(str(path))
    path.write_text("nets: 3\nfit: {iterations: 3}\n")
    with pytest.raises(ParameterError, match=r"grid\.yml: nets is 3"):
        grid.load(str(path))
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(MissingPackageError, match=r'pip install.* "pyyaml>=6"'):
        grid.load(str(path))


def test_an_entry_survives_odd_names(tmp_path):
    entry = Entry(
        id="a",
        name="set/naïve\u2028name",
        microscope=None,
        specimen=None,
        fov="f",
        noise_level="",
        shape=(64, 64),
        descriptors={"x": 1.0},
    )
    store.create(tmp_path / "base")
    store.add_entry(tmp_path / "base", entry)
    merged = packing.merge([tmp_path / "base"], tmp_path / "packed")
    assert merged.base.entries == {"a": entry}
