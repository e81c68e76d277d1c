"""A sweep's tables and file, and the comparison of two stores."""

import filecmp
import json
from pathlib import Path
from typing import Any

BASE: dict[str, Any] = {
    "task": {
        "fractions": {"relevant": 0.3, "irrelevant": 0.7},
        "width": 1,
        "support": "relevant",
        "levels": {"easy": {"relevant": 1.0, "irrelevant": 0.1}, "hard": {"relevant": 1.0, "irrelevant": 1.5}},
    },
    "student": {"width": 1},
    "sgd": {"learning_rate": 1.0},
    "curriculum": {"order": ["easy", "hard"], "shares": {"easy": 0.5, "hard": 0.5}, "duration": 4.0},
    "simulation": {"dim": 200, "smaller_dim": 100, "runs": 12},
    "seed": 0,
}


def same(one: Path, two: Path) -> bool:
    """Whether two stores have the same files with the same bytes."""
    names = [sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()) for root in (one, two)]
    return names[0] == names[1] and all(filecmp.cmp(one / name, two / name, shallow=False) for name in names[0])


def toml(value: Any) -> str:
    """Nested tables as TOML (JSON values are TOML values)."""
    lines = []

    def walk(table: dict[str, Any], head: str) -> None:
        for name, each in table.items():
            key = f"{head}.{json.dumps(name)}" if head else json.dumps(name)
            if isinstance(each, dict) and each:
                walk(each, key)
            else:
                lines.append(f"{key} = {'{}' if each == {} else json.dumps(each)}")

    walk(value, "")
    return "\n".join(lines) + "\n"
