"""Where two problems, or other PyTrees, differ."""

from collections.abc import Callable
from typing import Any

import jax


def same_structure(first: Any, other: Any) -> bool:
    """Return whether both differ in arrays at most: their names, widths, activations, labels and losses are equal."""
    structures: list[Any] = [jax.tree.structure(tree) for tree in (first, other)]
    return bool(structures[0] == structures[1])


def differing_leaves(first: Any, other: Any, same: Callable[[Any, Any], bool]) -> dict[str, tuple[Any, Any]]:
    """Return the leaves of two trees of one structure that are not the `same`, by what they are called."""
    pairs = zip(jax.tree.leaves_with_path(first), jax.tree.leaves(other), strict=True)
    return {jax.tree_util.keystr(path).lstrip("."): (x, y) for (path, x), y in pairs if not same(x, y)}
