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
    files = list((ROOT / package).rglob("*.py"))
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
                assert top not in ABOVE or not rest, f"{path}: {node.module}"


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
