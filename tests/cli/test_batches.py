"""Many files: what is recorded, and that a killed run is resumed."""

import csv
import json
import os
import pickle
import signal
import subprocess
import sys

import imagecodecs
import numpy as np
import pytest
import tifffile

from autodip.pipeline.options import Options
from autodip.runs.job import Job, Outcome, Settings, denoise_file
from autodip.runs.selection import Selection
from tests.cli.conftest import sidecar

CHEAP = (
    *("--preset", "fast", "--iterations", "2", "--depth", "1", "--width", "2", "--skip", "0"),
    "--no-refine",
)


@pytest.fixture
def images(tmp_path, sample):
    """A folder with six images, two of them in sub-folders, and one that cannot be read."""
    folder = tmp_path / "in"
    names = ["a.png", "b.tif", "c.tif", "day1/a.png", "day2/a.png", "e.tif"]
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.roll(sample[0] // 4, number).clip(0, 255).astype("uint8")
        if name.endswith("png"):
            path.write_bytes(imagecodecs.png_encode(pixels))
        else:
            tifffile.imwrite(path, pixels)
    (folder / "broken.png").write_bytes(b"no image")
    return folder


@pytest.fixture
def batch(cli, tmp_path, monkeypatch):
    """``autodip denoise`` with a tiny network, in the folder of the images."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: cli("denoise", *arguments, *CHEAP)


def table(folder):
    with (folder / "summary.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def run_of(folder):
    return json.loads((folder / "run.json").read_text())


def everything(folder):
    """Files of a folder: outputs as bytes, the rest without dates and seconds."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".json":
            found[name] = timeless(json.loads(path.read_text()))
        elif path.suffix == ".csv":
            found[name] = timeless(table(folder))
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


def timeless(content):
    if isinstance(content, dict):
        dates = ("seconds", "started", "finished", "peak_memory")
        return {key: timeless(value) for key, value in content.items() if key not in dates}
    return [timeless(value) for value in content] if isinstance(content, list) else content


def test_folders_are_kept_and_the_run_is_told(batch, images, tmp_path):
    out = tmp_path / "out"
    code, told, err = batch("in", "-o", "out", "--recursive")
    assert code == 1
    assert "in/broken.png: not a PNG" in err
    assert "6 done, 0 skipped, 1 failed; summary in out/summary.csv" in told
    assert (out / "day1" / "a.png").exists()
    assert (out / "day2" / "a.png.autodip.json").exists()
    assert not list(out.glob(".*"))
    run = run_of(out)
    assert run["command"][:3] == ["autodip", "denoise", "in"]
    assert run["totals"] == {"done": 6, "skipped": 0, "failed": 1}
    assert run["options"]["preset"] == "fast"
    assert set(run["versions"]) >= {"autodip", "torch"}
    entries = {entry["output"]: entry for entry in run["files"]}
    assert entries["day1/a.png"]["status"] == "done"
    assert "not a PNG" in entries["broken.png"]["error"]
    rows = {row["output"]: row for row in table(out)}
    assert len(rows) == 7
    assert rows["b.tif"]["net"].startswith("1/2/0")
    assert float(rows["b.tif"]["noise_sigma"]) > 0
    recorded = sidecar(out / "b.tif")["planes"][0]["assessment"]["removed_to_noise"]
    assert float(rows["b.tif"]["removed_to_noise"]) == pytest.approx(recorded, rel=1e-4)
    assert (rows["broken.png"]["status"], rows["broken.png"]["net"]) == ("failed", "")


def test_growing_folder(batch, images, tmp_path):
    """Existing outputs are skipped, and the table has the values of all files."""
    out = tmp_path / "out"
    assert batch("in/b.tif", "in/c.tif", "-o", "out")[0] == 0
    before = {row["output"]: row for row in table(out)}
    code, told, _ = batch("in/b.tif", "in/e.tif", "-o", "out", "--skip-existing")
    assert code == 0
    assert "1 done, 1 skipped, 0 failed" in told
    assert [entry["status"] for entry in run_of(out)["files"]] == ["skipped", "done"]
    after = {row["output"]: row for row in table(out)}
    assert set(after) == {"b.tif", "c.tif", "e.tif"}
    assert all(after[name] == before[name] for name in before)
    (out / "c.tif").unlink()
    (out / "e.tif.autodip.json").unlink()
    assert batch("in/b.tif", "in/e.tif", "-o", "out", "--skip-existing")[0] == 0
    assert {row["output"]: row["status"] for row in table(out)} == {
        "b.tif": "done",
        "e.tif": "skipped",
    }


def test_one_file_is_not_recorded(batch, images, tmp_path):
    assert batch("in/b.tif", "-o", "out/")[0] == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["b.tif", "b.tif.autodip.json"]


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_names_that_are_no_text(batch, images, tmp_path):
    path = images / "day3" / "caf\udce9.tif"
    path.parent.mkdir()
    path.write_bytes((images / "b.tif").read_bytes())
    assert batch("in/day3", "-o", "out")[0] == 0
    assert batch("in/day3", "-o", "out", "--skip-existing")[0] == 0
    assert [row["output"] for row in table(tmp_path / "out")] == ["caf\ufffd.tif"]


def test_nothing_is_recorded_of_nothing(batch, images, tmp_path):
    (images / "day3").mkdir()
    assert batch("in/day3", "-o", "out")[0] == 1
    assert not (tmp_path / "out").exists()


def test_pattern(batch, images, tmp_path):
    assert batch("in/**/a.png", "-o", "out")[0] == 0
    assert {row["output"] for row in table(tmp_path / "out")} == {
        "a.png",
        "day1/a.png",
        "day2/a.png",
    }


def test_manifest_wins_over_options(batch, images, tmp_path):
    stack = np.stack([tifffile.imread(images / "b.tif")] * 3)
    tifffile.imwrite(images / "film.tif", stack, metadata=None, photometric="minisblack")
    (images / "m.csv").write_text(
        "file,output,microscope,specimen,axes,frames,preset\n"
        "a.png,new/first.png,widefield,,,,\n"
        "film.tif,,,DAPI,TYX,0:2,balanced\n"
        "b.tif,,,,,,\n"
    )
    options = ("--microscope", "confocal", "--specimen", "actin")
    code, _, err = batch("in/m.csv", "-o", "out", *options)
    assert (code, err) == (0, "")
    rows = {row["output"]: row for row in table(tmp_path / "out")}
    known = {
        name: (row["microscope"], row["specimen"], row["preset"]) for name, row in rows.items()
    }
    assert known == {
        "new/first.png": ("widefield", "actin", "fast"),
        "film.tif": ("confocal", "nucleus", "balanced"),
        "b.tif": ("confocal", "actin", "fast"),
    }
    assert rows["film.tif"]["planes"] == "2"
    assert tifffile.imread(tmp_path / "out" / "film.tif").shape == (2, 64, 64)
    assert sidecar(tmp_path / "out" / "film.tif")["selection"]["frames"] == "0:2"
    entries = {entry["output"]: entry for entry in run_of(tmp_path / "out")["files"]}
    assert entries["new/first.png"]["manifest"] == {"microscope": "widefield"}
    assert "manifest" not in entries["b.tif"]


def test_wrong_rows_are_named_before_anything_is_fitted(batch, images, tmp_path):
    (images / "m.csv").write_text(
        "file,microscope,frames\na.png,confocl,\nb.tif,,x\nc.tif,confocal,\n"
    )
    code, _, err = batch("in/m.csv", "-o", "out")
    assert code == 2
    assert "m.csv, line 2: microscope 'confocl'" in err
    assert "m.csv, line 3: --frames 'x'" in err
    assert "line 4" not in err
    assert not (tmp_path / "out").exists()


def test_manifest_and_params_exclude_each_other(batch, cli, images, tmp_path):
    assert batch("in/b.tif", "-o", "one/")[0] == 0
    (images / "m.csv").write_text("file,specimen,channel\nc.tif,actin,\n")
    arguments = ("-o", "out", "--params", "one/b.tif.autodip.json")
    code, _, err = cli("denoise", "in/m.csv", *arguments)
    assert code == 2
    assert "line 2: specimen is decided by --params" in err
    (images / "m.csv").write_text("file,channel\nc.tif,0\n")
    assert cli("denoise", "in/m.csv", *arguments)[0] == 0


def test_a_preset_of_a_manifest_wins_over_a_configured_base(batch, images, tmp_path, monkeypatch):
    (tmp_path / "config.toml").write_text('base = "builtin"\nspecimen = "actin"\n')
    monkeypatch.setenv("AUTODIP_CONFIG", str(tmp_path / "config.toml"))
    (images / "m.csv").write_text("file,preset\nb.tif,balanced\n")
    assert batch("in/m.csv", "-o", "out", "--microscope", "confocal")[0] == 0
    evidence = sidecar(tmp_path / "out" / "b.tif")["channels"][0]["choice"]["evidence"]
    assert evidence["table"].startswith("balanced")
    assert evidence["known"]["specimen"] == "actin"


@pytest.mark.parametrize("name", ["summary.csv", "run.json"])
def test_foreign_files_are_left_alone(batch, images, tmp_path, name):
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text("well,drug\nA1,none\n")
    code, _, err = batch("in", "-o", "out")
    assert code == 1
    assert f"{name} exists and was not written by this version" in err
    assert [p.name for p in out.iterdir()] == [name]


@pytest.mark.parametrize("name", ["summary.csv", "run.json"])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_summary_is_left_alone(batch, images, tmp_path, name, make):
    (tmp_path / "out").mkdir()
    make(tmp_path / "out" / name)
    code, _, err = batch("in", "-o", "out")
    assert (code, f"{name} exists and was not written by this version" in err) == (1, True)


def test_dry_run_of_a_folder_writes_nothing(batch, images, tmp_path):
    (images / "broken.png").unlink()
    assert batch("in", "-o", "out", "--dry-run")[0] == 0
    assert not (tmp_path / "out").exists()


def test_json_of_a_batch(batch, images, tmp_path):
    code, out, err = batch("in", "-o", "out", "--json")
    content = json.loads(out)
    assert code == 1
    assert len(content["results"]) == 4
    assert content["results"][0]["run"]["channels"]
    assert "4 done, 0 skipped, 1 failed" in err


def test_a_job_travels_to_another_process(images, tmp_path):
    options = Options(preset="fast", iterations=2, depth=1, width=2, refine=False, device="cpu")
    job = Job(images / "b.tif", tmp_path / "out" / "b.tif", options, Selection())
    job, settings = pickle.loads(pickle.dumps((job, Settings())))
    outcome = pickle.loads(pickle.dumps(denoise_file(job, settings)))
    assert isinstance(outcome, Outcome)
    assert outcome.status == "done"
    assert outcome.record["run"] == sidecar(tmp_path / "out" / "b.tif")


DYING = """
import os, signal, sys
moment, count = sys.argv[1], int(sys.argv[2])

def die(function, before):
    def wrapped(*arguments, **options):
        global count
        count -= 1
        if count == 0 and before:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **options)
        if count == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return wrapped

from autodip.cli import main
from autodip.runs import journal
from autodip.util import files
if moment == "move":
    files._move = die(files._move, True)
elif moment == "moved":
    files._move = die(files._move, False)
elif moment == "line":
    write = journal.Journal._write
    def torn(self, line):
        global count
        count -= 1
        if count == 0:
            write(self, line[: len(line) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        write(self, line)
    journal.Journal._write = torn
elif moment == "deleted":
    journal.Journal.delete = die(journal.Journal.delete, False)
sys.exit(main.run(sys.argv[3:]))
"""
ARGUMENTS = ("in", "-o", "out", "--recursive")


def dying(folder, moment, count, *arguments):
    """Run the command in a process that kills itself; return its exit status."""
    words = ("denoise", *(arguments or ARGUMENTS), *CHEAP)
    command = [sys.executable, "-c", DYING, moment, str(count), *words]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.timeout(600)
def test_the_same_command_goes_on_after_a_kill(batch, images, tmp_path):
    """At every kind of moment; also twice, and with outputs that are to be replaced."""
    out = tmp_path / "out"
    assert batch(*ARGUMENTS)[0] == 1
    undisturbed = everything(out)
    moments = [
        ("line", 1, 0),  # within the first line of the journal
        ("move", 1, 0),  # the first output half-written
        ("move", 2, 0),  # its sidecar in place, but not the output itself
        ("moved", 6, 3),  # written, but not yet noted
        ("line", 4, 1),  # within the line about the start of the second file
        ("line", 5, 2),  # within the line about its end
        ("move", 13, 6),  # before the summary
        ("moved", 13, 6),  # between the summary and run.json
    ]
    for moment, count, made in moments:
        for path in sorted(out.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        assert dying(tmp_path, moment, count) == -signal.SIGKILL, moment
        kept = {p: p.stat().st_mtime_ns for p in out.rglob("*.autodip.json")}
        code, told, err = batch(*ARGUMENTS)
        assert (code, "exists" in err) == (1, False), (moment, count)
        assert told.count("done before the interruption") == made, (moment, count)
        assert "6 done, 0 skipped, 1 failed" in told
        assert everything(out) == undisturbed, (moment, count)
        same = sum(path.stat().st_mtime_ns == time for path, time in kept.items())
        assert same >= made


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_outputs_to_be_replaced_are_replaced_once(batch, images, tmp_path):
    """Killed twice, with outputs from before, and with files added in the meantime."""
    out = tmp_path / "out"
    (images / "broken.png").unlink()
    words = ("in", "-o", "out", "--overwrite")
    assert batch(*words)[0] == 0
    undisturbed = everything(out)
    for name in ("a.png", "b.tif", "c.tif", "e.tif"):
        (out / name).write_bytes(b"old")
    assert dying(tmp_path, "move", 3, *words) == -signal.SIGKILL
    assert (out / "b.tif").read_bytes() == b"old"
    assert dying(tmp_path, "moved", 4, *words) == -signal.SIGKILL
    done = {name: (out / name).stat().st_mtime_ns for name in ("a.png", "b.tif", "c.tif")}
    tifffile.imwrite(images / "f.tif", tifffile.imread(images / "e.tif"))
    code, told, err = batch(*words)
    assert (code, err) == (0, "")
    assert told.count("done before the interruption") == 3
    assert {name: (out / name).stat().st_mtime_ns for name in done} == done
    (images / "f.tif").unlink()
    for name in ("f.tif", "f.tif.autodip.json"):
        (out / name).unlink()
    assert batch(*words)[0] == 0
    assert everything(out) == undisturbed


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_other_options_do_not_go_on(batch, images, tmp_path):
    """A file that the user put in place of an output does not count as the output."""
    out = tmp_path / "out"
    assert dying(tmp_path, "move", 5) == -signal.SIGKILL
    (out / "c.tif").write_bytes(b"mine")
    foreign = out / ".abcdefgh.other.tif.part"
    foreign.touch()
    code, told, err = batch(*ARGUMENTS, "--seed", 3)
    assert code == 1
    assert "done before" not in told
    assert "b.tif exists" in err
    code, told, err = batch(*ARGUMENTS)
    assert "out/c.tif exists" in err
    assert (out / "c.tif").read_bytes() == b"mine"
    assert told.count("done before the interruption") == 2
    assert [p.name for p in out.glob(".*")] == [foreign.name]


@pytest.mark.skipif(sys.platform == "win32", reason="locks of POSIX")
def test_the_same_command_twice_at_once(batch, images, tmp_path, monkeypatch):
    seen = []

    def again(job, settings, progress=None, cluster=None):
        seen.append(batch(*ARGUMENTS))
        raise KeyboardInterrupt

    monkeypatch.setattr("autodip.runs.batch.denoise_file", again)
    code, _, err = batch(*ARGUMENTS)
    assert code == 130
    assert "the same command is already running there" in seen[0][2] + err
