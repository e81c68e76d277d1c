"""Sweeps: what a cell holds, that cells do not disturb each other, that a store survives anything, and bad input."""

import copy
import dataclasses
import json
import resource
import subprocess
import sys
import uuid
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import figures
import ode
import simulations
import teacher_student as ts
from figures import CellStatus
from figures.command._main import main
from figures.sweeps import _store

from .sweep_files import BASE, same, toml

pytestmark = pytest.mark.slow  # most of its time is compilation

RATES = {"rate": {"sgd.learning_rate": [0.5, 1.0, 1.5, 2.0, 2.5]}}
GRID = RATES | {"variance": {"task.levels.hard.irrelevant": {"from": 0.5, "to": 2.0, "count": 4}}}


def tables(**changes: Any) -> dict[str, Any]:
    result = copy.deepcopy(BASE)
    for name, value in changes.items():
        table, _, key = name.partition("__")
        result[table][key] = value
    return result


def sweep(axes: Any = GRID, measures: Any = ("error",), base: Any = BASE, **options: Any) -> xr.Dataset:
    return figures.sweep(base, axes, measures, workers=0, progress=False, **options).load()


def statuses(dataset: xr.Dataset, engine: str = "theory") -> list[int]:
    return dataset["status"].sel(engine=engine).values.ravel().tolist()


# What a cell holds


def test_cells_are_what_solve_gives() -> None:
    found = sweep(GRID, ["error", "accuracy", "overlaps"])
    assert found["error"].dims == ("engine", "rate", "variance", "level")
    start = figures.read_experiment(BASE).start
    for rate, variance in ((0.5, 0.5), (2.0, 1.5)):
        levels = BASE["task"]["levels"] | {"hard": {"relevant": 1.0, "irrelevant": variance}}
        task = ts.Committee(ts.Inputs(BASE["task"]["fractions"], levels), 1, support="relevant")
        order = ts.Curriculum.phases(("easy", 2.0), ("hard", 2.0))
        theory = ode.solve(ts.Problem(task, ts.Student(1), ts.SGD(rate), order), start, [4.0], compiled=True)
        cell = found.sel(engine="theory", rate=rate, variance=variance)
        assert cell["status"] == CellStatus.DONE
        assert cell["reached"] == 4.0
        np.testing.assert_allclose(cell["error"].sel(level="hard"), theory.error["hard"][0], rtol=1e-12)
        np.testing.assert_allclose(cell["accuracy"].sel(level="easy"), theory.accuracy["easy"][0], rtol=1e-12)
        np.testing.assert_allclose(cell["Q"].sel(block="irrelevant"), theory.overlaps.Q[0, 1], rtol=1e-12)
        np.testing.assert_allclose(cell["R"], theory.overlaps.R[0], rtol=1e-12)
        assert np.all(cell["error_se"] == 0)


def test_simulated_cells_are_what_run_gives_and_agree(tmp_path: Path) -> None:
    axes = {"rate": {"sgd.learning_rate": [0.5, 1.0, 1.5]}}
    found = sweep(axes, engine="both", simulate_every={"rate": 2})
    assert statuses(found) == [CellStatus.DONE] * 3
    assert statuses(found, "simulation") == [CellStatus.DONE, CellStatus.NOT_ASKED, CellStatus.DONE]
    experiment = figures.read_experiment(tables(sgd__learning_rate=1.5))
    runs = simulations.run(
        experiment.problem, 200, 12, [4.0], experiment.run_keys[0], start=experiment.start, progress=False
    )
    cell = found.isel(rate=2)
    np.testing.assert_array_equal(cell["error_run"].sel(level="hard"), runs.error["hard"][:, 0])
    simulated = cell.sel(engine="simulation", level="hard")
    np.testing.assert_allclose(simulated["error"], runs.error["hard"].mean(), rtol=1e-14)
    np.testing.assert_allclose(simulated["error_se"], runs.error["hard"].std(ddof=1) / np.sqrt(12), rtol=1e-12)
    assert found["agrees"].values.tolist()[::2] == [1.0, 1.0]
    assert np.isnan(found["agreement_z"].values[1])
    assert np.all(found["agreement_p"].values[::2] > 0.01)
    assert found["diverged_runs"].values[2] == 0


def test_a_cell_whose_runs_were_interrupted_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C during the smaller dimension returns fewer runs; the cell stays pending."""
    honest = simulations.run

    def interrupted(problem: Any, dim: int, runs: int, *arguments: Any, **options: Any) -> ts.Trajectory:
        found: ts.Trajectory = honest(problem, dim, runs - (dim == 100), *arguments, **options)
        return found

    monkeypatch.setattr(simulations, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sweep({"rate": {"sgd.learning_rate": [1.0]}}, engine="both", out=tmp_path / "s.zarr")
    assert statuses(figures.open_sweep(tmp_path / "s.zarr"), "simulation") == [CellStatus.PENDING]


def test_a_wrong_theory_is_found_by_the_agreement(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = ode.solve

    def wrong(problem: ts.Problem, *arguments: Any, **options: Any) -> ts.Trajectory:
        sgd = ts.SGD(1.3 * float(problem.sgd.learning_rate))
        changed = ts.Problem(problem.task, problem.student, sgd, problem.curriculum)
        return dataclasses.replace(honest(changed, *arguments, **options), problem=problem)

    monkeypatch.setattr(ode, "solve", wrong)
    assert sweep({"rate": {"sgd.learning_rate": [1.0]}}, engine="both")["agrees"].values.tolist() == [0.0]


def test_time_to_a_threshold_and_trajectories() -> None:
    """A linear student of a linear teacher, one block: error(alpha) = error(0) exp(-(2 eta - eta^2) alpha)."""
    base = tables()
    base["task"] = {"fractions": {"all": 1.0}, "width": 1, "activation": "linear"}
    base["student"]["activation"] = "linear"
    base["curriculum"] = {"phases": [["all", 4.0]]}
    base["record"] = {"count": 8}
    measures = {
        "keep": ["error"],
        "trajectories": True,
        "time_to": {
            "small": {"value": "error", "level": "all", "threshold": 0.05},
            "never": {"value": "error", "level": "all", "threshold": 1e-12},
            "at_once": {"value": "error", "level": "all", "threshold": 1e9},
        },
    }
    axes = {"rate": {"sgd.learning_rate": [0.5, 0.8]}}
    found = sweep(axes, measures, base).sel(engine="theory")
    rates, start = np.array([0.5, 0.8]), figures.read_experiment(base).start
    first = 0.5 * (start.Q - 2 * start.R + start.T).item()
    decay = 2 * rates - rates**2
    np.testing.assert_allclose(found["time_to_small"], np.log(first / 0.05) / decay, rtol=1e-6)
    assert np.all(np.isinf(found["time_to_never"]))
    assert np.all(found["time_to_at_once"] == 0)
    np.testing.assert_allclose(found["alpha"][0], np.linspace(0, 4, 9))
    exact = first * np.exp(-decay[:, None] * np.linspace(0, 4, 9))
    np.testing.assert_allclose(found["error_path"].sel(level="all"), exact, rtol=1e-6)
    simulated = sweep(
        axes, measures, base | {"simulation": {"dim": 400, "runs": 12, "smaller_dim": 0}}, engine="simulation"
    )
    mean, se = (simulated[name].sel(engine="simulation").values for name in ("time_to_small", "time_to_small_se"))
    assert np.all(np.abs(mean - found["time_to_small"].values) < 5 * se + 4 * 5 / 400)  # 1/N of the student
    assert np.all((se > 0) & (se < 0.2))
    pseudo = simulated["time_to_small_run"]
    np.testing.assert_allclose(pseudo.std("run", ddof=1) / np.sqrt(12), se)
    choice: dict[str, Any] = {"contrast": ("rate", 0.8, 0.5), "engine": "simulation"}
    ratio = figures.select(simulated, "time_to_small", **choice)
    apart = pseudo.sel(rate=0.8) / mean[1] - pseudo.sel(rate=0.5) / mean[0]
    np.testing.assert_allclose(ratio["value"], np.log10(mean[0] / mean[1]))
    np.testing.assert_allclose(ratio["se"], apart.std(ddof=1) / np.sqrt(12) / np.log(10))


def test_widths_names_and_labels_of_different_cells_fit_together() -> None:
    choices = {
        "narrow": {"seed": 0},
        "wide": {"student": {"width": 2}},
        "harder": {"task": {"levels": {"harder": {"relevant": 1.0, "irrelevant": 3.0}}}},
    }
    found = sweep({"problem": {"choices": choices}}, ["error", "overlaps"]).sel(engine="theory")
    assert found["level"].values.tolist() == ["easy", "hard", "harder"]
    assert found["Q"].sizes["student_unit"] == 2
    narrow, wide = (found["Q"].sel(problem=name)[0].values for name in ("narrow", "wide"))
    assert np.isfinite(narrow).sum() == 1
    assert np.isfinite(wide).all()
    assert np.isfinite(found["error"].sel(level="harder").values).tolist() == [False, False, True]
    assert found["status"].values.tolist() == [CellStatus.DONE] * 3


def test_zipped_axes_keep_both_numbers_and_starts_are_paired() -> None:
    axes = {
        "irrelevant": {"task": {"fractions": {"irrelevant": [0.5, 0.7], "relevant": [0.5, 0.3]}}},
        "order": {"choices": {"up": {"seed": 0}, "down": {"curriculum": {"order": ["hard", "easy"]}}}},
    }
    found = sweep(axes, ["error", "overlaps"])
    assert found["task.fractions.relevant"].dims == ("irrelevant",)
    assert found["task.fractions.relevant"].values.tolist() == [0.5, 0.3]
    down = sweep(RATES, ["error", "overlaps"], tables(curriculum__order=["hard", "easy"]))
    np.testing.assert_array_equal(found.sel(engine="theory", irrelevant=0.7, order="down")["Q"], down["Q"][0, 1])
    T = found["T"].sel(engine="theory").values
    np.testing.assert_array_equal(T[:, 0], T[:, 1])
    assert not np.array_equal(T[0], T[1])


def test_the_store_is_readable_without_this_package(tmp_path: Path) -> None:
    sweep(out=tmp_path / "s.zarr")
    code = """
import sys, warnings
warnings.simplefilter("error")
import xarray as xr
d = xr.open_zarr(sys.argv[1])
assert "figures" not in sys.modules and "jax" not in sys.modules
e = d["error"].sel(engine="theory", level="hard", rate=1.0)
assert e.dims == ("variance",) and e.notnull().all()
assert d["rate"].attrs["long_name"].startswith("learning rate") and d["error"].attrs["units"] == "1"
for name in ("problem", "conventions", "versions", "seed", "axes"):
    assert name in d.attrs, name
assert "done" in d["status"].attrs["flag_meanings"]
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "s.zarr")], check=True)


# Cells do not disturb each other


def explode(x: Any) -> Any:
    raise RuntimeError("this activation cannot be traced")


def test_cells_that_fail_leave_every_other_cell_right() -> None:
    rates = [0.5, -1.0, 1.0, 9.0]
    activations = {
        "choices": {
            "erf": {"seed": 0},
            "linear": {"student": {"activation": "linear"}, "task": {"activation": "linear"}},
            "raises": {"student": {"activation": f"{__name__}:explode"}},
        }
    }
    with pytest.warns(UserWarning, match="1 of 4 values of rate"):
        found = sweep({"rate": {"sgd.learning_rate": rates}, "unit": activations}).sel(engine="theory")
    expected = [
        [CellStatus.DONE, CellStatus.DONE, CellStatus.FAILED],
        [CellStatus.FAILED] * 3,
        [CellStatus.DONE, CellStatus.DONE, CellStatus.FAILED],
        [CellStatus.DONE, CellStatus.DIVERGED, CellStatus.FAILED],
    ]
    assert found["status"].values.tolist() == expected
    messages = found["message"].values
    assert "learning rate >= 0" in str(messages[1, 0])
    assert "cannot be traced" in str(messages[0, 2])
    assert str(messages[0, 0]) == ""
    assert 0 < found["reached"].values[3, 1] < 4
    clean = sweep({"rate": {"sgd.learning_rate": [0.5, 1.0]}, "unit": {"choices": {"erf": {"seed": 0}}}}).sel(
        engine="theory"
    )
    np.testing.assert_array_equal(found["error"].values[[0, 2], 0], clean["error"].values[:, 0])
    assert np.isnan(found["error"].values[1]).all()


def test_failed_cells_are_retried_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "s.zarr"
    honest = ode.solve_many

    def broken(problems: Any, *arguments: Any, **options: Any) -> Any:
        if any(float(each.sgd.learning_rate) == 1.5 for each in problems):
            raise MemoryError("no room")
        return honest(problems, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(ode, "solve_many", broken)
        found = sweep(RATES, out=out)
    assert statuses(found).count(CellStatus.FAILED) == 1
    assert "MemoryError: no room" in str(found["message"].values[0, 2])
    assert statuses(sweep(RATES, out=out)).count(CellStatus.FAILED) == 1
    mended = sweep(RATES, out=out, retry=["failed"])
    assert statuses(mended) == [CellStatus.DONE] * 5
    assert str(mended["message"].values[0, 2]) == ""
    sweep(RATES, out=tmp_path / "fresh.zarr")
    assert same(out, tmp_path / "fresh.zarr")


# The store


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many cells each call of `compute` gets from here on."""
    from figures.sweeps import _workers as _farm

    counts: list[int] = []
    honest = vars(_farm)["compute"]

    def compute(job: Any) -> Any:
        counts.append(len(job.indices))
        return honest(job)

    monkeypatch.setattr(_farm, "compute", compute)
    return counts


def test_extending_an_axis_recomputes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, fresh = tmp_path / "s.zarr", tmp_path / "fresh.zarr"
    small = {"rate": {"sgd.learning_rate": [0.5, 1.0, 2.0]}, "order": {"choices": {"up": {"seed": 0}}}}
    sweep(small, ["error"], out=out)
    counts = counted(monkeypatch)
    sweep(small, ["error"], out=out)
    assert counts == []
    mixed = {"curriculum": {"order": "mixed"}}
    large = {
        "rate": {"sgd.learning_rate": [0.25, 0.5, 1.0, 1.5, 2.0]},
        "order": {"choices": {"mixed": mixed, "up": {"seed": 0}}},
    }
    sweep(large, ["error"], out=out)
    assert sum(counts) == 10 - 3
    sweep(large, ["error"], out=fresh)
    assert same(out, fresh)
    both = sweep(
        {"rate": {"sgd.learning_rate": [0.25, 0.5, 1.0, 1.5, 2.0]}, "order": large["order"]},
        out=out,
        engine="both",
        simulate_every={"rate": 4, "order": 2},
    )
    assert sum(counts) == 7 + 10 + 2
    fewer = sweep(large, out=out, engine="both", simulate_every={"rate": 4, "order": 2})
    assert statuses(fewer) == [CellStatus.DONE] * 10
    assert both["status"].sel(engine="simulation").values[::4, 0].tolist() == [CellStatus.DONE] * 2


def test_axes_that_differ_by_rounding_are_the_stored_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "s.zarr"
    sweep({"rate": {"sgd.learning_rate": {"from": 0.1, "to": 0.3, "count": 3}}}, out=out)
    counts = counted(monkeypatch)
    longer = sweep({"rate": {"sgd.learning_rate": [0.1, 0.1 + 0.1, 0.1 + 0.2, 0.4]}}, out=out)
    assert counts == [1]
    assert longer["rate"].values[2] == np.linspace(0.1, 0.3, 3)[2]


OTHER_SWEEPS = [
    ({"base": tables(student__width=2)}, "student.width is 1 there and 2 here"),
    ({"axes": GRID}, r"axes is \[.rate.\] there and \[.rate., .variance.\] here"),
    ({"measures": ["accuracy"]}, "measures.keep is"),
    ({"axes": {"rate": {"sgd.learning_rate": [0.5, 1.0]}}}, "all values of rate that .* holds; got: none of"),
    ({"axes": {"rate": {"sgd.weight_decay": [0.5, 1.0]}}}, "axes.rate is .*sgd.learning_rate.* there"),
    ({"engine": "simulation"}, 'set engine = "both"'),
]


@pytest.mark.parametrize(("changes", "message"), OTHER_SWEEPS)
def test_a_store_of_another_sweep_is_refused(
    changes: dict[str, Any], message: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    out = tmp_path_factory.getbasetemp() / "another.zarr"
    if not out.exists():
        sweep(RATES, out=out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(ts.InputError, match=message):
        sweep(**({"axes": RATES} | changes), out=out)
    assert before == {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}


def test_what_an_axis_varies_may_change_in_the_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep(RATES, out=tmp_path / "s.zarr")
    counts = counted(monkeypatch)
    sweep(RATES, base=tables(sgd__learning_rate=9.0), out=tmp_path / "s.zarr")
    assert counts == []


def test_a_store_of_another_format_or_kind_is_refused_and_one_of_another_version_continued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "s.zarr"
    sweep(RATES, out=out)
    metadata = out / "zarr.json"
    text = metadata.read_text()
    former = json.loads(text)  # of version 0.8.0 and before: without digests
    for name in ("checks", "digests"):
        del former["attributes"][name]
    unchecked = json.dumps(former, indent=2)
    metadata.write_text(unchecked.replace(f'"package_version": "{ts.__version__}"', '"package_version": "0.0.1"'))
    counts = counted(monkeypatch)
    sweep(RATES, out=out)
    assert counts == []
    metadata.write_text(unchecked.replace('"format": 2', '"format": 1', 1))
    with pytest.raises(ts.InputError, match=r"a store of format 2.*of format 1; choose another --out, or continue it"):
        sweep(RATES, out=out)
    metadata.write_text(unchecked.replace('"format": 2,', "", 1))  # as stores of version 0.5 are
    with pytest.raises(ts.InputError, match="of format 1"):
        sweep(RATES, out=out)
    metadata.write_text(text)
    sweep(RATES, out=out)
    xr.Dataset({"x": 1.0}).to_zarr(tmp_path / "other.zarr", zarr_format=3, consolidated=False)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.tex").write_text("all of it")
    (tmp_path / "file").write_text("a file")
    for name in ("other.zarr", "folder", "file"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(ts.InputError, match="choose another --out"):
                sweep(RATES, out=tmp_path / name)
    assert (tmp_path / "folder" / "thesis.tex").read_text() == "all of it"
    assert (tmp_path / "file").read_text() == "a file"


def test_one_writer_at_a_time_and_a_dead_owner_is_no_obstacle(tmp_path: Path) -> None:
    out = tmp_path / "s.zarr"
    code = """
import sys, time, filelock
from pathlib import Path
out = Path(sys.argv[1])
held = filelock.FileLock(out.with_name(f".{out.name}.lock")).acquire()
out.with_name(f".{out.name}.owner").write_text("process 1 on nowhere")
print("held", flush=True)
time.sleep(600)
"""
    owner = subprocess.Popen([sys.executable, "-c", code, str(out)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "held\n"
    with pytest.raises(ts.InputError, match="held by process 1 on nowhere"):
        sweep(RATES, out=out)
    owner.kill()
    owner.wait()
    assert statuses(sweep(RATES, out=out)) == [CellStatus.DONE] * 5


def test_a_full_disk_keeps_what_was_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "s.zarr"
    honest, soft_hard = _store.Store.write, resource.getrlimit(resource.RLIMIT_FSIZE)
    written: list[int] = []

    def write(self: Any, engine: str, cells: Any) -> None:
        if len(written) == 2:  # from now on no file may hold more than a few bytes
            resource.setrlimit(resource.RLIMIT_FSIZE, (10, soft_hard[1]))
        written.append(1)
        honest(self, engine, cells)

    with monkeypatch.context() as patched:
        patched.setattr(_store.Store, "write", write)
        try:
            with pytest.raises(ts.InputError, match=r"room for the store; got: .*; make room and start again"):
                sweep(out=out, tile=4)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, soft_hard)
    left = figures.open_sweep(out).load()
    assert statuses(left).count(CellStatus.DONE) == 8
    assert np.isfinite(left["error"].values[left["status"].values == CellStatus.DONE]).all()
    sweep(out=out, tile=4)
    sweep(out=tmp_path / "fresh.zarr", tile=4)
    assert same(out, tmp_path / "fresh.zarr")


@pytest.mark.parametrize("moment", ["new", "old and new", "old", "partial"])
def test_what_a_killed_process_left_behind_is_cleared_up(moment: str, tmp_path: Path) -> None:
    out, fresh = tmp_path / "s.zarr", tmp_path / "fresh.zarr"
    sweep(RATES, out=fresh)
    sweep(RATES, out=out)
    new, old = _store._beside(out)
    if moment == "new":  # killed while an extended store was being built
        (new / "error").mkdir(parents=True)
    elif moment == "old and new":  # killed between the two renamings
        import shutil

        shutil.copytree(out, new)
        out.rename(old)
    elif moment == "old":  # killed before the old store was removed
        old.mkdir()
    else:
        (out / "error" / f"c.0.{uuid.uuid4().hex}.partial").write_bytes(b"half a chunk")
    sweep(RATES, out=out)
    assert same(out, fresh)
    assert sorted(path.name for path in tmp_path.iterdir() if "lock" not in path.name) == ["fresh.zarr", "s.zarr"]


# The command line and bad input


AXES = {"axes": {"rate": {"sgd": {"learning_rate": [0.5, 1.0, 1.5]}}}, "measures": {"keep": ["error"]}}


def test_the_command_line_sweeps_continues_and_draws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rates.toml").write_text(toml(BASE | AXES))
    assert main(["sweep", "rates.toml", "--workers", "0"]) == 0
    printed = capsys.readouterr().out
    assert "rate (3): cells 3 by theory" in printed
    assert "MiB on disk" in printed
    assert printed.splitlines()[-1].startswith("rates.zarr: 3 done; 3 computed now")
    assert main(["sweep", "rates.toml", "--workers", "0", "--quiet"]) == 0
    assert capsys.readouterr().out.startswith("rates.zarr: 3 done; 0 computed now")
    assert main(["sweep", "rates.toml", "--workers", "0"]) == 0
    first, second = capsys.readouterr().out.splitlines()[:2]
    assert first == "store       rates.zarr is there: reading it"
    assert second.startswith("store       rates.zarr: 3 of 3 cells are there and kept")
    assert main(["figure", "curves", "rates.zarr", "--at", "level=hard", "--save", "c.png", "--save", "c.pdf"]) == 0
    assert Path("c.png").stat().st_size > 5000
    assert Path("c.pdf").stat().st_size > 5000
    broken = BASE | {"axes": {"rate": {"sgd": {"learning_rate": [0.5, -1.0]}}}, "measures": {"keep": ["error"]}}
    Path("broken.toml").write_text(toml(broken))
    capsys.readouterr()
    assert main(["sweep", "broken.toml", "--workers", "0"]) == 1
    printed = capsys.readouterr().out
    assert "warning     1 of 2 values of rate give no valid problem" in printed
    assert "learning rate >= 0" in printed
    assert "1 done, 1 failed" in printed


BAD = [
    ({"axes": {}}, "at least one axis"),
    ({"axes": {"rate": {"sgd": {"learning_rtae": [0.5]}}}}, "did you mean 'learning_rate'"),
    ({"axes": {"rate": {"sdg": {"learning_rate": [0.5]}}}}, "did you mean 'sgd'"),
    ({"axes": {"v": {"task": {"levels": {"hrad": {"irrelevant": [1.0]}}}}}}, "did you mean 'hard'"),
    ({"axes": {"v": {"task": {"levels": {"hard": {"irelevant": [1.0]}}}}}}, "did you mean 'irrelevant'"),
    ({"axes": {"rate": {"sgd": {"learning_rate": []}}}}, "at least one value of the axis 'sgd.learning_rate'"),
    ({"axes": {"rate": {"sgd": {"learning_rate": [0.5, "fast"]}}}}, "values of one type"),
    ({"axes": {"rate": {"sgd": {"learning_rate": [True, 0.5]}}}}, "values of one type"),
    ({"axes": {"rate": {"sgd": {"learning_rate": ["fast"]}}}}, "is not a number"),
    ({"axes": {"rate": {"sgd": {"learning_rate": 0.5}}}}, "a list or a range"),
    ({"axes": {"rate": {"sgd": {"learning_rate": [0.5, 0.5]}}}}, "each value once"),
    ({"axes": {"rate": {"sgd": {"learning_rate": {"from": 1.5, "to": 2.5}}}}}, "a number 'count'"),
    ({"axes": {"rate": {"sgd": {"learning_rate": {"from": 2, "to": 1}}}}}, "increasing integers"),
    (
        {"axes": {"rate": {"sgd": {"learning_rate": {"from": 0, "to": 2, "count": 3, "spacing": "log"}}}}},
        "positive ends",
    ),
    ({"axes": {"rate": {"sgd": {"learning_rate": {"from": 1, "to": 2, "count": 3, "step": 1}}}}}, "in the range of"),
    ({"axes": {"rate": {"sgd": {"learning_rate": [1.0], "weight_decay": [0.0, 0.1]}}}}, "they are zipped"),
    ({"axes": {"agrees": {"sgd": {"learning_rate": [1.0]}}}}, "an axis name of letters"),
    ({"axes": {"level": {"sgd": {"learning_rate": [1.0]}}}}, "an axis name of letters"),
    ({"axes": {"a": {"seed": [1]}, "b": {"seed": [2]}}}, "on one axis only"),
    ({"axes": {"w": {"student": {"width": [1.5]}}}}, "is not an integer"),
    ({"axes": {"o": {"choices": {}}}}, "at least one named choice"),
    ({"axes": {"o": {"choices": {"a": {"curiculum": {"order": "mixed"}}}}}}, "did you mean 'curriculum'"),
    ({"axes": {"o": {"curriculum": {"order": [["easy", "hard"], ["hard", "easy"]]}}}}, "a name under choices"),
    ({"axes": {"d": {"curriculum": {"phases": {"0": {"1": [1.0]}}}}}}, "phases"),
    ({"measures": {"keep": ["eror"]}}, "did you mean 'error'"),
    ({"measures": {"keep": []}}, "something to keep"),
    ({"measures": {"time_to": {"x": {"value": "error", "level": "hrad", "threshold": 0.1}}}}, "did you mean 'hard'"),
    ({"sweep": {"engine": "theroy"}}, "did you mean 'theory'"),
    ({"sweep": {"simulate_every": {"rate": 2}}}, "only with a simulation"),
    ({"sweep": {"engine": "both", "simulate_every": {"rte": 2}}}, "did you mean 'rate'"),
    ({"sweep": {"tile": 0}}, "sweep.tile >= 1"),
    ({"sgd": {"learning_rate": "1.0"}, "axes": {"s": {"seed": [1, 2]}}}, "is not a number"),
]


@pytest.mark.parametrize(("changes", "message"), BAD)
def test_bad_sweeps_give_one_line_and_write_nothing(
    changes: dict[str, Any], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "s.toml", tmp_path / "s.zarr"
    file.write_text(toml(BASE | AXES | changes))
    assert main(["sweep", str(file), "--out", str(out), "--workers", "0"]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not out.exists()


def test_bad_places_and_schedulers_give_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "s.toml"
    file.write_text(toml(BASE | AXES))
    assert main(["sweep", str(file), "--out", "/proc/nowhere/s.zarr", "--workers", "0"]) == 2
    assert "a writable place for the store" in capsys.readouterr().err
    assert main(["sweep", str(tmp_path / "none.toml")]) == 2
    assert "readable sweep file" in capsys.readouterr().err
    assert main(["sweep", str(file), "--out", str(tmp_path / "x.zarr"), "--scheduler", "nonsense://a:1"]) == 2
    captured = capsys.readouterr()
    assert "a Dask scheduler at nonsense://a:1 that answers" in captured.err
    assert captured.err.count("\n") == 1
    assert main(["figure", "phase-diagram", str(tmp_path / "none.zarr"), "--save", "x.png"]) == 2
    assert "run `teacher-student sweep` first" in capsys.readouterr().err


def test_values_that_cannot_be_used_are_announced_and_a_sweep_without_any_is_refused() -> None:
    with pytest.raises(ts.InputError, match="learning rate >= 0"):
        sweep({"rate": {"sgd.learning_rate": [-1.0, -2.0]}})
    with pytest.warns(UserWarning, match="1 of 2 values of rate give no valid problem"):
        found = sweep({"rate": {"sgd.learning_rate": [-1.0, 1.0]}})
    assert statuses(found) == [CellStatus.FAILED, CellStatus.DONE]


def test_python_takes_problems_and_paths(tmp_path: Path) -> None:
    problem = figures.read_experiment(BASE).problem
    one = figures.sweep(problem, RATES, "error", workers=0, progress=False, simulation={"dim": 200})
    path = tmp_path / "p.toml"
    path.write_text(toml(BASE))
    two = figures.sweep(path, RATES, ["error"], workers=0, progress=False)
    np.testing.assert_allclose(one["error"], two["error"], rtol=1e-12)
    with pytest.raises(ts.InputError, match="a Problem, its tables or the path"):
        figures.sweep(3, RATES)  # type: ignore[arg-type]
    with pytest.raises(ts.InputError, match="status to retry"):
        figures.sweep(BASE, RATES, workers=0, retry=["failde"])


def test_memory_is_stated() -> None:
    from figures.sweeps._resource_estimate import store_bytes, worker_bytes
    from figures.sweeps._spec import check_sweep

    spec = figures.read_sweep(BASE | AXES)
    layout, notes = check_sweep(spec)
    assert notes == []
    assert 3 * 8 * (2 + 2 + 1) <= store_bytes(spec, layout) <= 3 * 8 * 20
    wide = figures.read_sweep(tables(student__width=64) | AXES | {"sweep": {"engine": "both"}})
    assert worker_bytes(wide) > 50 * worker_bytes(spec)


def test_the_reference_file_has_every_key() -> None:
    import dataclasses
    import tomllib

    from figures.sweeps import _axes, _measures, _spec

    path = Path(__file__).parents[1] / "docs" / "sweep.toml"
    tables_ = tomllib.loads(path.read_text())

    def fields(table: Any) -> set[str]:
        return {field.name for field in dataclasses.fields(table)}

    assert fields(_spec._SweepTable) == set(tables_["sweep"])
    assert fields(_measures.Measures) == set(tables_["measures"])
    assert fields(_measures.TimeTo) == set(tables_["measures"]["time_to"]["learned"])
    assert set(tables_["axes"]["learning_rate"]["sgd"]["learning_rate"]) == _axes.RANGE
    spec = figures.load_sweep(path)
    assert _spec.check_sweep(spec)[1] == []
    assert spec.shape == (5, 4, 2, 2)
