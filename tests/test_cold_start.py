"""What is loaded, and when: facades on use, and nothing that takes a second before a file has been checked."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import teacher_student as ts
from teacher_student import internal
from teacher_student.tables import _problem_file as _tables

from .as_users import HANGS
from .problem_files import SMALL

ROOT = Path(__file__).parent.parent
SLOW = {"jax", "scipy", "xarray", "netCDF4", "matplotlib", "zarr", "dask", "sympy", "diffrax", "equinox", "tqdm"}
PROBLEM = """
task, order = ts.Committee(ts.Inputs({"all": 1.0}), 1), ts.Curriculum.single("all", 1.0)
problem = ts.Problem(task, ts.Student(1), ts.SGD(0.5), order)
"""


def loaded_after(code: str) -> list[set[str]]:
    """Which of the slow packages a new process has loaded at each `look()` of `code`."""
    look = (
        f"import sys, json\ndef look(): print('LOADED', json.dumps(sorted({SLOW!r} & set(sys.modules))), flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", look + code], capture_output=True, text=True, cwd=ROOT, timeout=HANGS)
    assert done.returncode == 0, done.stderr
    lines = [line.removeprefix("LOADED ") for line in done.stdout.splitlines() if line.startswith("LOADED ")]
    return [set(json.loads(line)) for line in lines]


def test_importing_loads_nothing_and_an_error_class_no_more_than_itself() -> None:
    code = (
        "import teacher_student as ts, ode, simulations, figures, figures.sweeps, figures.atlas, ode.derive\nlook()\n"
    )
    assert loaded_after(code + "from teacher_student import InputError, Status\nts.tune_compiler()\n")[0] == set()
    assert loaded_after(code + "from teacher_student import InputError\nts.tune_compiler()\nlook()")[1] == set()


def test_a_problem_needs_jax_and_equinox_only() -> None:
    code = "import teacher_student as ts\n" + PROBLEM + "ts.problem_to_tables(problem)\nts.Trajectory\nlook()"
    assert loaded_after(code) == [{"jax", "equinox"}]


def test_engines_load_neither_files_nor_pictures_nor_statistics() -> None:
    code = "import teacher_student as ts, ode, simulations\n" + PROBLEM
    code += "simulations.run, ode.drift, ode.ClosedForm, ode.Sampled, ode.observe, simulations.memory\nlook()\n"
    code += "print('scipy.stats' in sys.modules)"
    (loaded,) = loaded_after(code)
    assert loaded <= {"jax", "equinox", "scipy", "diffrax"}  # of scipy, what jax takes; diffrax by batches


QUICK = [
    (["--help"], 0),
    (["--version"], 0),
    *(([command, "--help"], 0) for command in ("compare", "solve", "optimize", "sweep", "figure", "derive")),
    (["figure", "lottery", "--help"], 0),
    (["compare", "--sede", "3"], 2),
    (["solve", "--dim"], 2),
    (["explode"], 2),
    (["compare", "none.toml"], 2),
    (["solve", "none.toml"], 2),
    (["optimize", "none.toml"], 2),
    (["optimize"], 2),
    (["sweep", "none.toml"], 2),
    (["figure", "comparison", "none", "--save", "x.png"], 2),
    (["figure", "curves", "none.zarr", "--save", "x.png"], 2),
    (["figure", "lottery", "--save", "x.gif"], 2),
]


def test_help_and_mistyped_options_load_nothing() -> None:
    calls = json.dumps([arguments for arguments, _ in QUICK])
    code = f"""
from figures.command._main import main
for arguments in {calls}:
    try:
        code = main(arguments)
    except SystemExit as end:
        code = end.code
    print("LOADED", json.dumps([*sorted({SLOW!r} & set(sys.modules)), str(code)]))
"""
    for (arguments, expected), loaded in zip(QUICK, loaded_after(code), strict=True):
        assert loaded == {str(expected)}, arguments


BAD = [  # an edit of the file, part of the message
    ("seed = 3", "seed = ", "valid TOML"),
    ("seed = 3", "sede = 3", "did you mean 'seed'"),
    ("[student]", "[studnet]", "did you mean 'student'"),
    ("width = 1\nsupport", "widht = 1\nsupport", "did you mean 'width'"),
    ("width = 1\nsupport", "support", "'width'"),
    ("learning_rate = 1.0", 'learning_rate = "1.0"', "is not a number"),
    ("learning_rate = 1.0", "learning_rate = -1.0", "learning rate >= 0"),
    ("learning_rate = 1.0", 'learning_rate = 1.0\nloss = "squarred"', "did you mean 'squared'"),
    ("width = 1\nsupport", 'kind = "comittee"\nwidth = 1\nsupport', "did you mean 'committee'"),
    ("width = 1\nsupport", 'labels = "singn"\nwidth = 1\nsupport', "did you mean 'sign'"),
    ("width = 1\nsupport", 'activation = "ref"\nwidth = 1\nsupport', "known activation"),
    ("width = 1\nsupport", 'activation = "x***3"\nwidth = 1\nsupport', "a polynomial in x"),
    ("width = 1\nsupport", "readout = [1.0, 2.0]\nwidth = 1\nsupport", "1 readout weights"),
    ("width = 1\nsupport", "noise = -1.0\nwidth = 1\nsupport", "noise (a standard deviation) >= 0"),
    ("[student]\nwidth = 1", "[student]\nwidth = 0", "width K of the student >= 1"),
    ("[student]\nwidth = 1", '[student]\nwidth = 1\nactivation = "sign"', "differentiable"),
    ("irrelevant = 0.75", "irrelevant = 0.7", "fractions that sum to 1"),
    ("irrelevant = 1.5", "irelevant = 1.5", "did you mean 'irrelevant'"),
    (", irrelevant = 1.5", "", "a variance of block 'irrelevant'"),
    ('support = "relevant"', 'support = "relevent"', "did you mean 'relevant'"),
    ('["easy", 1.0]', '["esay", 1.0]', "did you mean 'easy'"),
    ('["easy", 1.0]', "[1.0]", "each phase as"),
    ("phases = [", 'order = "mixed"\nphases = [', "phases, or order, shares and duration"),
]
IN_SETTINGS = [
    ("[record]", '[theory]\naverages = "closed"\n[record]', "did you mean 'closed form'"),
    ("[record]", "[agreement]\nsignificance = 2.0\n[record]", "agreement.significance between 0 and 1"),
    ("[record]", "[agreement]\nlevel = 0.05\n[record]", "got: 'level'; it is called 'significance' now"),
    ("[record]", '[agreement]\nspread = "predictd"\n[record]', "did you mean 'predicted'"),
    ("runs = 16", 'runs = 16\nprecision = "float16"', "known precision"),
    ("runs = 16", "runs = 2", "simulation.runs >= 3"),
    ("runs = 16\ntest_samples = 32", "runs = 2\n[start]\nnumber = 0", "simulation.runs >= 3"),
    ("smaller_dim = 100", "smaller_dim = 300", "below simulation.dim"),
    ("count = 4", "count = 0", "record.count >= 1"),
    ("[record]", "[start]\nQ = [[[1.0]], [[1.0]]]\n[record]", "Q, R and T together"),
    ("[record]", "[optimize]\nshares = {}\n[record]", "'cost'"),
    ("[record]", '[optimize]\nshares = {}\ncost = { final = "error", on = "hrad" }\n[record]', "did you mean 'hard'"),
]


def test_errors_of_a_file_are_said_before_anything_is_loaded(tmp_path: Path) -> None:
    paths = []
    for number, (old, new, _) in enumerate(BAD + IN_SETTINGS):
        assert old in SMALL, old
        paths.append(tmp_path / f"{number}.toml")
        paths[-1].write_text(SMALL.replace(old, new, 1))
    full = tmp_path / "full"
    full.mkdir()
    for name in ("report.json", "solution.png"):
        (full / name).touch()
    good = tmp_path / "good.toml"
    good.write_text(SMALL)
    sweep = tmp_path / "sweep.toml"
    sweep.write_text(SMALL.replace("[sgd]", "[axes.rate]\n'sgd.learning_rate' = [0.5, 1.0]\n[sgd]\nrate = 3", 1))
    calls = [["compare", str(path), "--out", str(tmp_path / "out")] for path in paths]
    calls += [[name, str(good), "--out", str(full)] for name in ("compare", "solve")] + [["sweep", str(sweep)]]
    code = f"""
import contextlib, io
from figures.command._main import main
for arguments in {calls!r}:
    with contextlib.redirect_stderr(io.StringIO()) as said:
        code = main(arguments)
    loaded = sorted({SLOW!r} & set(sys.modules))
    print("LOADED", json.dumps([json.dumps([code, loaded, said.getvalue()])]))
"""
    wanted = (
        [message for *_, message in BAD + IN_SETTINGS] + ["without results"] * 2 + ["known keys in [sgd]; got: 'rate'"]
    )
    for message, found in zip(wanted, loaded_after(code), strict=True):
        status, loaded, said = json.loads(found.pop())
        assert (status, loaded, said.count("\n")) == (2, [], 1), said
        assert message in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("old", "new"), [(old, new) for old, new, _ in BAD[6:]])
def test_what_is_said_early_is_what_the_constructors_say(old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nothing is refused early that could be used, and the two cannot drift apart."""
    import tomllib

    tables = tomllib.loads(SMALL.replace(old, new, 1))
    with pytest.raises(ts.InputError) as early:
        internal.read_problem(tables)
    if "kind of task" in str(early.value) or "phases, or order" in str(early.value):
        return  # of the file alone
    monkeypatch.setattr(_tables.ProblemTables, "check", lambda self: None)
    with pytest.raises(ts.InputError) as late:
        ts.problem_from_tables(tables)
    assert str(early.value) == str(late.value)


@pytest.mark.parametrize(
    "package", ["teacher_student", "ode", "ode.averages", "ode.stability", "simulations", "figures"]
)
def test_facades_have_a_version_a_listing_and_a_plain_error(package: str) -> None:
    module = __import__(package, fromlist=["x"])
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = module.nonsense
    assert ts.__version__.count(".") == 2
