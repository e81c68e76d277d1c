"""A comparison's file, read strictly and checked as far as can be before JAX is loaded, which takes a second."""

import dataclasses
import importlib.util
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import teacher_student as ts
from teacher_student import internal

from ._choices import Choices, check_choices, check_simulated, require_runs
from ._optimize_table import OptimizeTable

ADDRESSED = ("activation", "function", "kind", "averages", "own")  # keys whose texts may be addresses
ADDRESS = re.compile(r"[\w.]+:[\w.]+")  # "module:name"
DEEPEST = 32  # tables and lists in each other; ours need six
BUILT_IN = Path(__file__).parents[1] / "relevant_irrelevant.toml"


@dataclasses.dataclass(frozen=True)
class Start:
    """[start]: random weights (scale, spherical, readout, teacher), or overlaps Q, R, T with their readout.

    scale: standard deviation of the student's weights (0.5). spherical: whether their vectors have exactly the length
    scale sqrt(N) (false). readout: "ones", "signs", "normal" or numbers (the task's usual). readout_scale: what such a
    readout is multiplied by (1 for "ones", else 1/sqrt(K)).
    teacher: "random" or "orthonormal" ("random"). Q, R, T: one matrix per block. number: which of the seed's
    independent starts (and simulated runs) to take: an axis over it is an ensemble, the same for every other value.
    """

    scale: float | None = None
    spherical: bool | None = None
    readout: str | float | list[float] | None = None
    readout_scale: float | None = None
    teacher: str | None = None
    Q: list[list[list[float]]] | None = None
    R: list[list[list[float]]] | None = None
    T: list[list[list[float]]] | None = None
    number: int | None = None


@dataclasses.dataclass(frozen=True)
class Record:
    """[record]: alphas, or `count` of them (20) up to the end, spacing "linear" or "log" (from `first`)."""

    alphas: list[float] | None = None
    count: int | None = None
    spacing: str = "linear"
    first: float | None = None


@dataclasses.dataclass(frozen=True)
class Theory:
    """[theory]: how the ODEs are solved.

    averages: "auto", "closed form", "sampled" or "module:Class" of your own. points, replicates: of sampled ones
    (omitted: those of ode.Sampled). error: the standard error to reach with more points than that, up to most_points,
    in units of the largest generalisation error. rtol, atol: tolerances of the solver.
    fluctuations: whether to predict spread and 1/N term (omitted: with closed forms and at most 60 entries).
    """

    averages: str = "auto"
    points: int | None = None
    replicates: int | None = None
    error: float | None = None
    most_points: int | None = None
    rtol: float | None = Choices.rtol
    atol: float | None = Choices.atol
    fluctuations: bool | None = Choices.fluctuations


@dataclasses.dataclass(frozen=True)
class Simulation:
    """[simulation]: dimension N, the smaller one for the 1/N term (omitted: a divisor of N; 0: none), runs."""

    dim: int = Choices.dim
    smaller_dim: int | None = Choices.smaller_dim
    runs: int = Choices.runs
    precision: str | None = Choices.precision
    test_samples: int = Choices.test_samples


@dataclasses.dataclass(frozen=True)
class Agreement:
    """[agreement]: the significance of the verdict, by which spread over runs it is judged, and what it is to detect.

    spread: "measured" or "predicted" (omitted: predicted where theory predicts fluctuations). detect: relative errors
    by the names of the numbers, such as { "sgd.learning_rate" = 0.01 }.
    """

    significance: float = dataclasses.field(default=Choices.significance, metadata={"formerly": "level"})
    spread: str | None = Choices.spread
    detect: dict[str, Any] | None = None


@dataclasses.dataclass(frozen=True)
class File:
    """All tables of a problem file; those of the problem itself are read on their own."""

    task: dict[str, Any]
    student: dict[str, Any]
    sgd: dict[str, Any]
    curriculum: dict[str, Any]
    start: Start = Start()
    record: Record = Record()
    theory: Theory = Theory()
    simulation: Simulation = Simulation()
    agreement: Agreement = Agreement()
    optimize: OptimizeTable | None = None
    seed: int = Choices.seed

    @property
    def choices(self) -> Choices:
        """The numbers and words that a comparison from Python chooses too."""
        tables = {name: getattr(self, table.rstrip("."), self) for name, table in TABLES.items()}
        return Choices(**{name: getattr(table, name) for name, table in tables.items()})


TABLES = {  # where each choice stands in a file
    **dict.fromkeys(("dim", "smaller_dim", "runs", "precision", "test_samples"), "simulation."),
    **dict.fromkeys(("rtol", "atol", "fluctuations"), "theory."),
    **dict.fromkeys(("significance", "spread", "detect"), "agreement."),
    "seed": "",
}


def with_changes(tables: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return `tables` with dim, runs and seed in place of theirs where one is given (None: as they are).

    A new dim takes the file's smaller_dim with it, which was chosen for the old one.
    """
    if not isinstance(tables, Mapping):
        remedy = "figures.load_experiment and figures.load_sweep read files"
        raise ts.InputError("the tables of a problem file, name -> table", type(tables).__name__, remedy)
    changed = {name: dict(table) if isinstance(table, Mapping) else table for name, table in tables.items()}
    for name, value in changes.items():
        if value is None:
            continue
        target = changed if name == "seed" else changed.setdefault("simulation", {})
        if not isinstance(target, dict):  # said where it is read
            continue
        target[name] = value
        if name == "dim":
            target.pop("smaller_dim", None)
    return changed


def with_detect(tables: Mapping[str, Any], options: Sequence[str] | None) -> dict[str, Any]:
    """Return `tables` with what the options "NAME=SHIFT" say in place of agreement.detect (None: as they are).

    Raises InputError for an option of another form.
    """
    if not options:
        return dict(tables)
    detect = {}
    for option in options:
        name, _, shift = option.partition("=")
        try:
            detect[name] = float(shift)
        except ValueError:
            raise ts.InputError("--detect NAME=SHIFT, such as sgd.learning_rate=0.01", repr(option)) from None
    agreement = tables.get("agreement", {})
    if not isinstance(agreement, Mapping):  # said where it is read
        return dict(tables)
    return {**tables, "agreement": {**agreement, "detect": detect}}


def read_file(tables: Mapping[str, Any], *, simulated: bool = True) -> File:
    """Return the tables, of a problem that looks right and of settings that do. Raises InputError.

    What needs arrays is checked later: this is quick. Arguments: simulated: whether there is to be a simulation.
    """
    file = internal.read_table(File, tables, "")
    problem = internal.read_problem(tables)
    check_file(file, simulated=simulated)
    if file.optimize is not None:
        with internal.about_entry("optimize"):
            file.optimize.check_words(problem.task.level_names)
    return file


def check_file(file: File, *, simulated: bool) -> None:
    """Raise InputError unless [theory], [record], [start], [agreement] and [simulation] can be used, as far as seen."""
    if ":" not in file.theory.averages:  # else the user's own, which are imported when the problem is made
        known = 'theory.averages (or "module:Class" of your own)'
        with internal.about_entry("theory", "averages"):
            internal.require_name(file.theory.averages, ("auto", "closed form", "sampled"), known)
    check_choices(file.choices, TABLES)
    with internal.about_entry("record"):
        _check_record(file.record)
    with internal.about_entry("start"):
        _check_start(file.start)
    if simulated:
        check_simulated(file.choices, TABLES, ensemble=file.start.number is not None)


def require_verdict(file: File) -> None:
    """Raise InputError for fewer runs than the verdict of `compare` needs, also in an ensemble's file."""
    with internal.about_entry("simulation", "runs"):
        require_runs(file.simulation.runs, TABLES["runs"] + "runs")


def _check_record(record: Record) -> None:
    with internal.about_entry("spacing"):
        internal.require_name(record.spacing, ("linear", "log"), "record.spacing")
    if record.alphas is not None and (record.count is not None or record.first is not None):
        raise ts.InputError("either record.alphas or record.count (and first)", "both", "leave one out")
    if record.count is not None:
        kept = "the overlaps at each alpha stay in memory"
        with internal.about_entry("count"):
            internal.as_count(record.count, "record.count", kept, most=internal.MOST_ALPHAS)
    if record.first is not None and record.spacing == "linear":
        raise ts.InputError('record.first only with spacing = "log"', 'spacing "linear"', "leave it out")


def _check_start(start: Start) -> None:
    if start.number is not None and not 0 <= start.number < 2**31:
        with internal.about_entry("number"):
            raise ts.InputError("start.number >= 0 and below 2^31 (keys count in 32 bits)", start.number)
    matrices = [name for name in ("Q", "R", "T") if getattr(start, name) is not None]
    if not matrices:
        return
    if len(matrices) < 3:
        raise ts.InputError("Q, R and T together in [start]", f"only {', '.join(matrices)}")
    drawn = ("scale", "spherical", "readout_scale", "teacher", "number")
    useless = [name for name in drawn if getattr(start, name) is not None]
    if useless:
        raise ts.InputError(
            "nothing of random weights (scale, teacher, number, ...) beside Q, R and T in [start]",
            ", ".join(useless),
            "leave it out",
        )
    if isinstance(start.readout, str) and start.readout != "ones":
        raise ts.InputError('readout as numbers or "ones" beside Q, R and T in [start]', repr(start.readout))


def load_tables(path: str | Path | None, **changes: Any) -> dict[str, Any]:
    """Load the tables of a problem file (None: the built-in one), changed by `with_changes`. Raises InputError."""
    return with_changes(load_toml(BUILT_IN if path is None else path, "problem"), **changes)


def load_toml(path: str | Path, kind: str) -> dict[str, Any]:
    """Load the tables of a TOML file; modules of the user's own are looked for beside it too, and named on stderr.

    Raises InputError.
    """
    path = internal.as_path(path)
    try:
        # Some editors begin a file with a mark of its encoding, which is no part of its text.
        tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ts.InputError(f"a readable {kind} file", f"{path} ({error.strerror})") from error
    except UnicodeDecodeError as error:
        reason = f"{path}, in which byte {error.start} is none of UTF-8"
        raise ts.InputError(f"a {kind} file in UTF-8", reason, "save it as UTF-8") from error
    except ValueError as error:  # not TOML, or a number of more digits than Python reads
        raise ts.InputError(f"valid TOML in {path}", internal.first_line(error)) from error
    except RecursionError:
        raise _too_deep(path, kind) from None
    if _is_deeper(tables, DEEPEST):
        raise _too_deep(path, kind)
    modules = _modules(tables)
    if modules:
        look_for_modules(path.parent, Path())
        _say_imports(modules, path.name)
    return tables


def _too_deep(path: str | Path, kind: str) -> ts.InputError:
    return ts.InputError(f"a {kind} file with at most {DEEPEST} tables and lists in each other", f"more in {path}")


def _is_deeper(entry: Any, depth: int) -> bool:
    """Return whether more than `depth` tables and lists stand in each other. What reads them calls itself for each."""
    layer = [entry]
    for _ in range(depth + 1):
        layer = [item for outer in layer for item in _items(outer)]
    return bool(layer)


def _items(entry: Any) -> Iterable[Any]:
    """Return what stands in a table or a list, and nothing of anything else."""
    return entry.values() if isinstance(entry, Mapping) else entry if isinstance(entry, list) else ()


def _modules(tables: Mapping[str, Any]) -> list[str]:
    """Return the modules that texts of the form "module:name" name, JAX's own left out, which are loaded anyway."""
    addresses = [text.split(":") for text in _texts(tables) if ADDRESS.fullmatch(text)]
    return list(dict.fromkeys(module for module, _ in addresses if module.partition(".")[0] != "jax"))


def _say_imports(modules: Iterable[str], file: str) -> None:
    """Say which modules a file asks for, and where they are: whoever starts somebody else's file runs these.

    It is said on stderr, also where little else is.
    """
    for name in dict.fromkeys(module.partition(".")[0] for module in modules):
        try:
            spec = importlib.util.find_spec(name)  # only finds it
        except ValueError:  # `__main__` and the like, which are no files
            continue
        if spec is not None and spec.origin is not None and spec.has_location:  # not part of Python itself
            place = Path(spec.origin)
            place = place.parent if place.name == "__init__.py" else place
            line = internal.one_line(f"imports {place.name} from {place.parent}, as {file} asks")
            print(f"teacher-student: {line}", file=sys.stderr)


def look_for_modules(*folders: Path) -> None:
    """Put folders on the path where Python looks for modules: "module:name" of the user's own may stand there.

    At its end: what stands there hides nothing that is installed. Local workers of a sweep inherit the path.
    """
    for folder in map(str, map(Path.resolve, folders)):
        if folder not in sys.path:
            sys.path.append(folder)


def _texts(entry: Any, key: str = "") -> Iterator[str]:
    """Give every text in nested tables and lists that may be an address, by the last word of its key."""
    if isinstance(entry, Mapping):
        for name, item in entry.items():
            yield from _texts(item, str(name).rpartition(".")[2])
    elif isinstance(entry, list):
        for item in entry:
            yield from _texts(item, key)
    elif isinstance(entry, str) and key in ADDRESSED:
        yield entry
