"""Imports point upwards only; importing anything leaves JAX's configuration alone."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ABOVE = {
    "teacher_student": set(),
    "ode": {"teacher_student"},
    "simulations": {"teacher_student"},
    "figures": {"teacher_student", "ode", "simulations"},
}


# marimo runs it by its path, as a program that imports our packages like a user's.
PROGRAMS = {ROOT / "figures" / "explorer" / "page.py"}


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("package", ABOVE)
def test_imports_point_upwards(package: str) -> None:
    files = set((ROOT / package).rglob("*.py")) - PROGRAMS
    assert files
    for path in files:
        assert imported(path) & set(ABOVE) <= ABOVE[package], path


@pytest.mark.parametrize("package", ABOVE)
def test_private_modules_stay_private(package: str) -> None:
    """Code of one package reaches another only through its facade."""
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                top, _, rest = node.module.partition(".")
                assert top not in ABOVE or rest in ("", "internal"), f"{path}: {node.module}"


# For each room, the rooms of its package that it may import: "" are the files beside the rooms.
ROOMS: dict[str, dict[str, set[str]]] = {
    "teacher_student": {
        "": set(),
        "tables": {""},
        "problem": {"", "tables"},
        "state": {"", "problem"},
        "result": {"", "problem", "state"},
    },
    "ode": {
        "moments": set(),
        "averages": {"moments"},
        "derive": {"moments", "averages"},
        "": {"moments", "averages"},
        "stability": {"", "moments", "averages"},
        "protocols": {"", "moments", "averages"},
    },
    "simulations": {
        "datasets": set(),
        "engine": {"datasets"},
        "verdict": set(),
        "": {"datasets", "engine", "verdict"},
    },
    "figures": {
        "running": set(),
        "checks": set(),
        "experiment": {"running"},
        "sweeps": {"running", "experiment"},
        "maps": {"sweeps"},
        "pictures": {"checks", "maps", "sweeps"},
        "": {"checks", "running", "experiment", "pictures"},
        "atlas": {"running", "experiment", "sweeps", "pictures"},
        "explorer": {"", "running", "experiment", "pictures"},
        "command": {"", "running", "experiment", "sweeps", "maps", "pictures", "atlas", "explorer"},
    },
}


def modules(package: str) -> dict[str, Path]:
    """Files of a package by their dotted names, facades left out."""
    files = [path for path in (ROOT / package).rglob("*.py") if path.name != "__init__.py"]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in files}


def facade(package: str) -> dict[str, str]:
    """Where a facade has its names from."""
    stub = ROOT / package.replace(".", "/") / "__init__.pyi"
    if not stub.exists():
        return {}
    nodes = [node for node in ast.walk(ast.parse(stub.read_text())) if isinstance(node, ast.ImportFrom)]
    return {alias.name: f"{package}.{node.module}" for node in nodes for alias in node.names if node.module}


def home(base: str, name: str) -> str:
    """The file that `from base import name` takes the name from."""
    while name in (names := facade(base)):
        base = names[name]
    return base


def imports(module: str, path: Path) -> set[str]:
    """Files of the same package that a file imports, those inside functions too, but not those for types alone."""
    found: set[str] = set()
    nodes: list[ast.AST] = [ast.parse(path.read_text())]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            continue
        nodes += ast.iter_child_nodes(node)
        if isinstance(node, ast.ImportFrom) and node.level:
            base = ".".join(module.split(".")[: -node.level] + ([node.module] if node.module else []))
            for alias in node.names:
                beside = f"{base}.{alias.name}"
                found.add(beside if (ROOT / f"{beside.replace('.', '/')}.py").exists() else home(base, alias.name))
    return found - {module}


def room(module: str) -> str:
    return module.split(".")[1] if module.count(".") > 1 else ""


@pytest.mark.parametrize("package", ROOMS)
def test_rooms_import_what_they_may(package: str) -> None:
    allowed = ROOMS[package]
    for module, path in modules(package).items():
        others = {room(each) for each in imports(module, path)} - {room(module)}
        assert others <= allowed[room(module)], f"{module} imports {others - allowed[room(module)]}"


@pytest.mark.parametrize("package", ROOMS)
def test_no_file_imports_itself_through_others(package: str) -> None:
    """Circles, also those that a lazy import hides."""
    graph = {module: imports(module, path) for module, path in modules(package).items()}
    while ends := {module for module, others in graph.items() if not others & set(graph)}:
        graph = {module: others for module, others in graph.items() if module not in ends}
    assert not graph, graph


def test_importing_leaves_jax_alone() -> None:
    code = """
import jax
before = dict(jax.config.values)
import teacher_student, ode, simulations, figures
assert dict(jax.config.values) == before
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("package", ABOVE)
def test_facades_list_what_they_have(package: str) -> None:
    module = __import__(package)
    assert sorted(module.__all__) == sorted(set(module.__all__))
    assert all(hasattr(module, name) for name in module.__all__)
