"""What the numbers were measured on."""

import datetime
import importlib.metadata
import os
import platform
from pathlib import Path

PACKAGES = ("teacher-student", "jax", "jaxlib", "diffrax", "numpy", "scipy")


def machine(cores: int, *, tuned: bool) -> dict[str, str]:
    """Processor, cores that may be used, system, versions, compiler options and date."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "?"
    pinned = "each process pinned to one" if hasattr(os, "sched_setaffinity") else "processes not pinned (no affinity)"
    return {
        "processor": f"{processor()}, {cores} core{'s' * (cores > 1)}, {pinned}",
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": ", ".join(f"{name} {version}" for name, version in found.items()),
        "compiler": f"one thread, {'ts.tune_compiler()' if tuned else 'untuned'}",
        "date": datetime.date.today().isoformat(),
    }


def processor() -> str:
    """Its name, and on Linux its family, model and vector instructions, as virtual machines hide the name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    entries: dict[str, str] = {}
    for key, _, value in (line.partition(":") for line in lines):
        entries.setdefault(key.strip(), value.strip())
    name = entries.get("model name", platform.machine())
    vectors = [each for each in ("avx512f", "avx2") if each in entries.get("flags", "").split()][:1]
    model = [f"family {entries['cpu family']} model {entries['model']}"] if "cpu family" in entries else []
    return " ".join([name, *(f"({', '.join([*model, *vectors])})" for _ in [0] if model or vectors)])
