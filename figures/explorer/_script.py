"""What leaves the page as a Python script: the constructors that make the same problem, and one comparison."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import dataclasses
from collections.abc import Mapping
from typing import Any

from ..experiment import read_file
from ._names import STEM

AVERAGES = ("points", "replicates", "error", "most_points")


def to_python(tables: Mapping[str, Any]) -> str:
    """Return a script that does what `compare` does with these tables, with the same random numbers."""
    file = read_file(tables)
    if file.start.number is not None:  # its runs have keys that no argument of figures.compare gives
        made = [f"tables = {dict(tables)!r}", "comparison = figures.compare(figures.read_experiment(tables))"]
        return _text([], made)
    imports, task = _task(tables["task"])
    averages = _averages(file)
    imports += ["import ode"] if averages.startswith("ode.") else []
    if ":" in file.theory.averages:
        imports.append(_import_of(file.theory.averages))
    made = [
        *task,
        f"student = ts.Student({_arguments(tables['student'])})",
        f"sgd = ts.SGD({_arguments(tables['sgd'])})",
        f"curriculum = {_curriculum(tables['curriculum'])}",
        "problem = ts.Problem(task, student, sgd, curriculum)",
        f"start = {_start(file)}",
        f"alphas = {_alphas(file.record)}",
        f"comparison = figures.compare(problem, start, alphas, {_choices(file, averages)})",
    ]
    return _text(imports, made)


def _text(imports: list[str], made: list[str]) -> str:
    shown = ["print(comparison.table)", "figure, axes = comparison.plot()", f'figure.savefig("{STEM}.png", dpi=200)']
    text = "\n".join([*made, *shown])
    used = {"jax": "import jax", "np": "import numpy as np", "ts": "import teacher_student as ts"}
    libraries = [line for name, line in used.items() if f"{name}." in text]
    head = sorted({"import figures", *libraries, *imports}, key=lambda line: (line.startswith("from"), line))
    return "\n".join([*head, "", text, ""])


def _task(table: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the imports and the lines that make a task."""
    kind = table.get("kind", "committee")
    entries = {name: entry for name, entry in table.items() if name != "kind"}
    if kind == "xor":
        return [], [f"task = ts.XorMixture({entries['levels']!r})"]
    if kind not in ("committee", "mixture"):
        return [_import_of(kind)], [f"task = {kind.partition(':')[2]}.from_table({entries!r})"]
    blocks = [repr(entries.pop(name)) for name in ("fractions", "levels") if name in entries]
    return [], [f"inputs = ts.Inputs({', '.join(blocks)})", f"task = ts.{kind.title()}(inputs, {_arguments(entries)})"]


def _import_of(address: str) -> str:
    module, _, name = address.partition(":")
    return f"from {module} import {name.partition('.')[0]}"


def _arguments(entries: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={entry!r}" for name, entry in entries.items())


def _curriculum(table: Mapping[str, Any]) -> str:
    if "phases" in table:
        return f"ts.Curriculum.phases({', '.join(repr(tuple(phase)) for phase in table['phases'])})"
    return f"ts.Curriculum.ordered({table['order']!r}, {table['shares']!r}, {table['duration']!r})"


def _start(file: Any) -> str:
    given = {name: entry for name, entry in dataclasses.asdict(file.start).items() if entry is not None}
    if "Q" in given:
        readout = given.get("readout", "ones")
        return f"ts.Overlaps({given['Q']}, {given['R']}, {given['T']}, {1.0 if readout == 'ones' else readout!r})"
    law = f", {_arguments(given)}" if given else ""
    return f"ts.random_overlaps(problem, {file.simulation.dim}, {_key(file.seed, 0)}{law})"


def _key(seed: int, purpose: int) -> str:
    """Return the key that a problem file's seed gives to starts (0) or to averages (1)."""
    return f"jax.random.fold_in(jax.random.key({seed}), {purpose})"


def _alphas(record: Any) -> str:
    if record.alphas is not None:
        return repr(record.alphas)
    count = 20 if record.count is None else record.count
    if record.spacing == "linear":
        return f"np.linspace(0, problem.curriculum.end, {count + 1})[1:]"
    first = "problem.curriculum.end / 1000" if record.first is None else repr(record.first)
    return f"np.geomspace({first}, problem.curriculum.end, {count})"


def _averages(file: Any) -> str:
    """Return the averages that [theory] asks for, "" where they are the usual ones."""
    theory = file.theory
    given = {name: getattr(theory, name) for name in AVERAGES if getattr(theory, name) is not None}
    if ":" in theory.averages:
        return str(theory.averages.partition(":")[2])
    if theory.averages == "closed form":
        return "ode.ClosedForm()"
    if theory.averages == "auto" and not given:
        return ""
    return f"ode.Sampled(key={_key(file.seed, 1)}, {_arguments(given)})"


def _choices(file: Any, averages: str) -> str:
    """Return the arguments of figures.compare: dimension and runs, and what the file chooses otherwise than usual."""
    usual = {field.name: field.default for field in dataclasses.fields(file.choices)}
    chosen = {
        name: value for name, value in vars(file.choices).items() if name in ("dim", "runs") or value != usual[name]
    }
    return _arguments(chosen) + (f", averages={averages}" if averages else "")
