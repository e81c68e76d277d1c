"""Versions of this package and of what its numbers depend on."""

import contextlib
import importlib.metadata


def versions() -> dict[str, str]:
    """Return the versions of this package and of the packages that its numbers depend on, by name.

    They stand in every saved trajectory too. A package that is not installed is left out.
    """
    packages = ("teacher-student", "jax", "jaxlib", "diffrax", "equinox", "numpy", "scipy", "xarray")
    installed = {}
    for package in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            installed[package] = importlib.metadata.version(package)
    return installed
