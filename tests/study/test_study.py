import csv
import dataclasses
import io
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image as Picture
from scipy.stats import wilcoxon

from autodip.bases import store
from autodip.bases.records import Config, Point, Run
from autodip.choose import presets as tables
from autodip.choose.measures import MEASURES
from autodip.choose.samples import Sample
from autodip.cli import main
from autodip.cli import study_command as command
from autodip.errors import ParameterError
from autodip.fit.params import FitParams, NetParams
from autodip.report.losses import _axis, losses
from autodip.report.study_table import table
from autodip.study import Design, prepare, summarise, to_csv
from autodip.study.statistics import paired_test
from tests.helpers.curves import LARGE, SMALL, Memory, texture

FINE, COARSE = ("confocal", "actin"), ("confocal", "mito")
DESCRIPTOR = ("group", "descriptor", "group+descriptor")
QUICK = Design(strategies=DESCRIPTOR)


def base(count=4, shift=0, images=False):
    """Images of two groups: one is best with SMALL stopped early, the other with LARGE late."""
    memory = Memory()
    for number in range(count):
        seed = 10 * shift + number
        for letter, kind, best, sigma in (
            ("f", FINE, (SMALL, 20), 1),
            ("c", COARSE, (LARGE, 80), 5),
        ):
            memory.add(
                f"{letter}{shift}{number}",
                kind,
                best,
                images=texture(seed, sigma) if images else None,
                descriptors={"a": sigma + 0.01 * number + 0.003 * shift},
            )
    return memory


def write(path, memory):
    """Write a base in memory to a folder, with its pixels."""
    store.create(path)
    for image, entry in memory.entries.items():
        store.add_entry(path, entry, memory.images[image])
    for run in memory.runs:
        store.add_run(path, run)


def by_strategy(rows, name):
    return [row for row in rows if row.strategy == name]


def test_groups_and_neighbours_find_what_the_fixed_setting_misses():
    rows = list(prepare(base(), options=QUICK).rows())
    optimum = {row.image: row.psnr for row in by_strategy(rows, "optimum")}
    assert len(optimum) == 8
    assert set(optimum.values()) == {32.0}
    for name in DESCRIPTOR:
        assert [row.psnr for row in by_strategy(rows, name)] == [32.0] * 8
    fixed = by_strategy(rows, "fixed")
    assert sum(row.psnr < 32 for row in fixed) >= 4
    assert {row.output for row in fixed} == {"refined"}


def test_no_field_of_view_chooses_for_itself():
    memory = base(2)
    # A second capture: by far the nearest, but with the optimum of the other group.
    memory.add("again", FINE, (LARGE, 100), fov="set/f00", descriptors={"a": 1.0})
    rows = list(prepare(memory, options=QUICK).rows())
    for image in ("f00", "again"):
        (row,) = (one for one in by_strategy(rows, "descriptor") if one.image == image)
        assert row.neighbours == "set/f01"
        assert (row.net, row.iteration, row.stop) == (str(SMALL.net), 20, 20)
        assert row.distance > 0


def test_validation_is_judged_by_the_base_alone():
    rows = list(prepare(base(), base(2, shift=1), QUICK).rows())
    assert {row.image for row in rows} == {"f10", "c10", "f11", "c11"}
    names = {row.neighbours for row in by_strategy(rows, "descriptor")}
    assert all(name[5] == "0" for name in names)


def test_a_field_on_both_sides_does_not_choose():
    target = Memory()
    target.add("same", FINE, (SMALL, 20), fov="set/f00", descriptors={"a": 1.0})
    rows = list(prepare(base(2), target, QUICK).rows())
    (row,) = by_strategy(rows, "descriptor")
    assert row.neighbours == "set/f01"


@pytest.mark.parametrize(
    ("output", "psnr", "outputs"),
    [("any", 32, {"refined"}), ("average", 31, {"average"}), ("refined", 32, {"refined"})],
)
def test_outputs_are_compared_among_themselves(output, psnr, outputs):
    options = Design(output=output, strategies=("group",))
    rows = list(prepare(base(), options=options).rows())
    group = by_strategy(rows, "group")
    assert {row.output for row in group} == outputs
    assert {row.psnr for row in group} == {psnr}


def test_measures_of_pixels_agree_with_direct_calls():
    memory = base(3, images=True)
    rows = list(prepare(memory, options=Design(strategies=("l1", "group+ssim"))).rows())
    assert all(row.psnr is not None for row in by_strategy(rows, "l1"))
    for row in by_strategy(rows, "group+ssim"):
        assert row.group in ("confocal actin", "confocal mito")
        assert row.neighbours[4] == row.image[0]
    (row,) = (one for one in by_strategy(rows, "l1") if one.image == "f00")
    others = [name for name in memory.entries if name != "f00"]
    pool = [Sample(memory.images[name][0], {}) for name in others]
    found = MEASURES["l1"].distance(Sample(memory.images["f00"][0], {}), pool)
    assert row.distance == pytest.approx(found.min())
    assert row.neighbours == f"set/{others[found.argmin()]}"


def test_what_cannot_be_measured_has_a_reason():
    rows = list(prepare(base(), options=Design(strategies=("l1", "group"))).rows())
    assert all("--keep-images" in row.reason for row in by_strategy(rows, "l1"))
    assert all(row.psnr is None for row in by_strategy(rows, "l1"))
    text = table(rows, "autodip study base --out out", Design())
    assert "| l1 | 0 | – |" in text
    (row,) = (line for line in text.splitlines() if line.startswith("| confocal actin |"))
    assert row == "| confocal actin | confocal actin | 4 | 6.00 / 0.030 | 0.00 / 0.000 |"
    assert "- l1: the measure l1 compares pixels" in text


def test_the_stop_is_scaled_to_the_size():
    target = Memory()
    target.add("large", COARSE, (LARGE, 100), shape=(64, 128), descriptors={"a": 5.0})
    (row,) = by_strategy(list(prepare(base(), target, QUICK).rows()), "group")
    assert (row.iteration, row.stop) == (101, 100)


def test_references_are_read_where_they_were_recorded():
    original = Config(NetParams(5, 128, 4), FitParams(3000), None, every=1000)
    memory = base()
    for image in memory.entries:
        points = tuple(
            Point(
                iteration=stop,
                output="last",
                psnr=20 + stop / 1000,
                ssim=0.5,
                lpips=0.3,
                l1=0.1,
                mse=0.01,
                seconds=1.0,
            )
            for stop in (1000, 2000, 3000)
        )
        memory.runs.append(Run(image, original, points, {"flop": 1e12}, "0"))
    rows = list(prepare(memory, options=QUICK).rows())
    assert {row.psnr for row in by_strategy(rows, "original DIP")} == {23.0}
    assert {row.reason for row in by_strategy(rows, "preset untrained")} == {"not in the grid"}


def test_a_preset_matches_its_own_curve(monkeypatch):
    row = tables.load("untrained").rows[0]
    row = dataclasses.replace(row, fit=row.fit.replace(iterations=60), correlated_iterations=None)
    table = dataclasses.replace(tables.load("untrained"), rows=(row,))
    load = tables.load
    monkeypatch.setattr(tables, "load", lambda name: table if name == "untrained" else load(name))
    config = Config(row.net, row.fit.replace(iterations=100, noise_limit=None), row.refine)
    memory = Memory()
    for number in range(2):
        memory.add(str(number), FINE, (config, 60), [config], shape=(512, 512))
    rows = list(prepare(memory, options=Design(strategies=("group",))).rows())
    assert {(one.stop, one.psnr) for one in by_strategy(rows, "preset untrained")} == {(60, 32.0)}


def test_settings_that_only_some_images_have():
    memory = base()
    memory.runs = [run for run in memory.runs if run.image != "f00" or run.config != LARGE]
    study = prepare(memory, options=QUICK)
    assert "8 images of 8 fields of view; settings that were run on all: 1" in study.notes[0]
    assert LARGE.key in study.notes[1]
    assert {row.config for row in study.rows() if row.config} == {SMALL.key}


def test_a_validation_without_the_grid_is_refused():
    target = base(2, shift=1)
    target.runs = [run for run in target.runs if run.config != LARGE or run.image == "f10"]
    with pytest.raises(ParameterError, match=f"{LARGE.key} on 3 of 4 images") as error:
        prepare(base(), target, QUICK)
    assert SMALL.key not in str(error.value)


@pytest.mark.parametrize(
    ("memory", "said"),
    [
        (Memory(), "no calibrated image"),
        (Memory().add("one", FINE, (SMALL, 20)), "two fields of view"),
        (
            Memory().add("a", FINE, (SMALL, 20), [SMALL]).add("b", FINE, (LARGE, 20), [LARGE]),
            "no setting was run on all 2 images",
        ),
    ],
)
def test_bases_that_cannot_be_compared(memory, said):
    with pytest.raises(ParameterError, match=said):
        prepare(memory)


def test_outputs_that_were_not_recorded():
    memory = base()
    memory.runs = [
        Run(r.image, r.config, tuple(p for p in r.points if p.output == "last"), r.cost, "0")
        for r in memory.runs
    ]
    with pytest.raises(ParameterError, match="no outputs refined"):
        prepare(memory, options=Design(output="refined"))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"output": "best"}, "any, average, refined"),
        ({"neighbours": 0}, "1 or more"),
        ({"strategies": ("astrology",)}, "astrology"),
    ],
)
def test_options_are_checked(values, said):
    with pytest.raises(ParameterError, match=said):
        Design(**values)


def test_the_summary_is_that_of_the_rows():
    rows = list(prepare(base(), options=QUICK).rows())
    by_name = {one.strategy: one for one in summarise(rows)}
    fixed, group = by_name["fixed"], by_name["group"]
    values = [row.psnr for row in by_strategy(rows, "fixed")]
    assert fixed.psnr.mean == pytest.approx(np.mean(values))
    assert fixed.psnr.deviation == pytest.approx(np.std(values, ddof=1))
    assert fixed.psnr.loss == pytest.approx(32 - np.mean(values))
    assert (group.images, group.fields) == (8, 8)
    assert group.psnr.loss == 0
    expected = wilcoxon(32 - np.array(values)).pvalue
    assert group.psnr.against["fixed"] == pytest.approx(expected)
    assert by_name["descriptor"].psnr.against["group"] is None
    assert by_name["optimum"].psnr.against == {}
    assert fixed.ssim.loss == pytest.approx(fixed.psnr.loss / 40)
    assert (group.same, group.missing) == (8, 0)
    assert fixed.same == sum(value == 32 or value > 29 for value in values)
    assert fixed.lpips.loss > 0


def test_a_field_counts_once():
    apart = {str(n): [0.1 * n + 0.05] for n in range(6)}
    together = {name: values * 10 for name, values in apart.items()}
    assert paired_test(together) == pytest.approx(paired_test(apart))
    assert paired_test(apart) == pytest.approx(2 / 2**6)
    assert paired_test({"a": [0.0]}) is None
    assert paired_test({}) is None


@pytest.mark.parametrize(
    ("count", "tied"), [(5, False), (12, False), (12, True), (13, True), (40, False), (60, False)]
)
def test_the_test_is_that_of_scipy(rng, count, tied):
    values = rng.normal(0.3, 1, count)
    values = np.round(values) if tied else values
    found = paired_test({str(number): [value] for number, value in enumerate(values)})
    assert found == pytest.approx(wilcoxon(values).pvalue, rel=1e-9)


def test_rows_are_a_csv_with_a_schema():
    rows = list(prepare(base(), options=QUICK).rows())
    read = list(csv.DictReader(io.StringIO(to_csv(rows))))
    assert len(read) == len(rows) == 8 * (2 + 3 + 3)
    assert {line["schema"] for line in read} == {"2"}
    assert all(line["outside"] == str(row.outside) for line, row in zip(read, rows, strict=True))
    assert read[0]["strategy"] == "optimum"
    assert float(read[0]["psnr"]) == rows[0].psnr


def test_the_command_writes_table_rows_and_figure(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "load", lambda path: base(shift=int(path.name)))
    code = main.run(
        ["study", "0", "--validation", "1", "--out", str(tmp_path), "--measures", "descriptor"]
    )
    said = capsys.readouterr()
    assert code == 0
    text = (tmp_path / "table.md").read_text()
    assert text == said.out
    assert "8/8" in said.err
    assert f"$ autodip study 0 --out {tmp_path} --validation 1 --criterion combined" in text
    assert "--measures descriptor" in text
    assert "| group+descriptor | 8 | 32.00 ± 0.00 | 0.00 | 0.800 ± 0.000 | 0.000 |" in text
    assert "- calibration base memory: 8 images of 8 fields of view; settings" in text
    assert "0 of 8 images (0 %) are unlike all that choose" in text
    assert "| original DIP | not in the grid | – |" in text
    assert "another set of images" in text
    assert "34.99 | 0.098" in text
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 1 + 8 * 8
    with Picture.open(tmp_path / "figure.png") as figure:
        assert figure.width > 400


def test_a_base_on_disk_is_studied_with_its_pixels(tmp_path, capsys):
    path = tmp_path / "base"
    write(path, base(2, images=True))
    out = tmp_path / "out"
    assert main.run(["study", str(path), "--out", str(out), "--measures", "l1,ssim", "-q"]) == 0
    assert "| group+ssim | 4 | 32.00 ± 0.00 | 0.00 |" in capsys.readouterr().out


@pytest.mark.skipif(find_spec("umap") is None, reason="umap-learn is not installed")
def test_umap_of_a_base_on_disk(tmp_path, capsys):
    path, validation = tmp_path / "base", tmp_path / "validation"
    for place, memory in ((path, base(4, images=True)), (validation, base(1, 1, images=True))):
        write(place, memory)
    command = ["study", str(path), "--validation", str(validation), "--measures", "umap", "-q"]
    assert main.run([*command, "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "| group+umap | 2 | 32.00 ± 0.00 | 0.00 |" in said.out
    with (tmp_path / "out" / "rows.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["strategy"].endswith("umap")]
    assert all(row["neighbours"].startswith("set/") for row in rows)
    assert all(0 < float(row["distance"]) < np.inf for row in rows)


def test_images_outside_of_the_base_are_told_apart():
    target = base(2, shift=1)
    target.add("far", ("confocal", "nucleus"), (SMALL, 40), descriptors={"a": 99.0})
    rows = list(prepare(base(), target, QUICK).rows())
    assert {row.image for row in rows if row.outside} == {"far"}
    text = table(rows, "autodip study", QUICK)
    assert "1 of 5 images (20 %) is unlike all that choose" in text
    lines = {line.split(" | ")[0]: line for line in text.splitlines()}
    assert "| *unlike all* | confocal any | 1 |" in lines["| *unlike all*"]
    assert "| confocal nucleus | confocal any | 1 |" in lines["| confocal nucleus"]
    assert "| *the others* | confocal actin, confocal mito | 4 |" in lines["| *the others*"]
    few = list(prepare(base(2), options=QUICK).rows())
    assert {row.outside for row in few} == {None}
    assert "is not determined with fewer than" in table(few, "autodip study", QUICK)


def test_simulated_calibration_images_are_said():
    memory = base()
    memory.add("drawn", FINE, (SMALL, 20), source={"simulated": {"seed": 0}})
    assert "9 images of 9 fields of view, 1 of them simulated" in prepare(memory).notes[0]


def test_of_many_measures_a_few_are_shown_by_group():
    measures = ("l1", "ssim", "mean_gradient", "descriptor")
    options = Design(strategies=("group", *measures, *(f"group+{name}" for name in measures)))
    rows = list(prepare(base(3, images=True), options=options).rows())
    text = table(rows, "autodip study", Design())
    header = text.split("## Loss by group")[1].split("|---")[0].splitlines()
    (titles,) = (line for line in header if line.startswith("| group | asked |"))
    assert titles == "| group | asked | images | fixed | group | descriptor | group+descriptor |"


def test_the_axis_of_the_figure_is_that_of_the_strategies():
    low, ticks = _axis([0.0, 0.3, 1.9, -0.1])
    assert (low, ticks) == (-0.1, [0.0, 0.5, 1.0, 1.5, 2.0])
    assert _axis([0.0]) == (0.0, pytest.approx([0, 0.0002, 0.0004, 0.0006, 0.0008, 0.001]))
    rows = list(prepare(base(), options=QUICK).rows())
    (one,) = (row for row in rows if (row.image, row.strategy) == ("f00", "group"))
    far = [dataclasses.replace(one, strategy="original DIP", psnr=2.0, lpips=0.9)]
    plain, wide = (np.asarray(losses(some))[:, 190:] for some in (rows, rows + far))
    line = 22
    assert wide.shape[0] == plain.shape[0] + line
    top = 34 + 4 * line
    assert (wide[34:top] == plain[34:top]).all()


def test_the_command_refuses_unknown_measures(tmp_path, capsys):
    assert main.run(["study", "0", "--out", str(tmp_path), "--measures", "taste"]) == 2
    assert "known are l1" in capsys.readouterr().err


def test_groups_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "load", lambda path: base())
    assert main.run(["study", "0", "--out", str(tmp_path), "--measures", "none", "-q"]) == 0
    said = capsys.readouterr()
    assert "descriptor" not in said.out.split("## In the AUTO-DIP paper")[0].split("|---")[1]
    assert said.err == ""


def test_nothing_to_draw():
    assert losses([]) is None
