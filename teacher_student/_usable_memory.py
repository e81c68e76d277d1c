"""How much memory this process may still use: the least of what machine, container and limits of the process leave."""

import os
from collections.abc import Iterator
from pathlib import Path

from ._errors import InputError

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
ALWAYS_THERE = 10**8  # bytes: to ask the system what it has takes a tenth of a short solve
UNLIMITED = 2**60  # a limit beyond this is none: version 1 of control groups writes 2^63 less a page


def usable_memory(root: Path = Path("/")) -> int | None:
    """Return the bytes that this process may still use, or None where the system says nothing (it does on Linux).

    Arguments: root: where /proc and /sys are.
    """
    rooms = [*_of_the_machine(root), *_of_control_groups(root), *_of_the_process(root)]
    return max(0, min(rooms)) if rooms else None


def require_memory(need: float, purpose: str, remedy: str) -> None:
    """Raise InputError if `need` bytes are more than may be used. Nothing is allocated."""
    usable = usable_memory()
    if usable is not None and need > usable:
        raise InputError(f"{need / 1e9:.3g} GB of memory for {purpose}", f"{usable / 1e9:.3g} GB available", remedy)


def _of_the_machine(root: Path) -> Iterator[int]:
    for line in _text(root / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            yield from (1024 * number for number in _numbers(line.split()[1:2]))


def _of_control_groups(root: Path) -> Iterator[int]:
    """Give what each control group that holds this process leaves: a container's limit is one of a group above it."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if not controllers:  # version 2
            folder, names = root / "sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):  # version 1
            folder = root / "sys/fs/cgroup/memory"
            names = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
        else:
            continue
        # In a container the path may be that of its machine, of which only the container's own part is mounted.
        group = Path(path.lstrip("/"))
        for inner in dict.fromkeys([folder, *(folder / above for above in (group, *group.parents))]):
            yield from _of_a_group(inner, *names)


def _of_a_group(folder: Path, limit: str, usage: str, reclaimed: str) -> Iterator[int]:
    limits, used = (list(_numbers(_text(folder / name).split()[:1])) for name in (limit, usage))
    if limits and used and limits[0] < UNLIMITED:
        # Pages of files that nobody uses count as used, and are given back when memory is short.
        lines = [line.split() for line in _text(folder / "memory.stat").splitlines()]
        cached = [number for words in lines if words[:1] == [reclaimed] for number in _numbers(words[1:2])]
        yield limits[0] - used[0] + sum(cached)


def _of_the_process(root: Path) -> Iterator[int]:
    """Give what the limit of the address space leaves (`ulimit -v`), as the system states it."""
    sizes = [*_numbers(_text(root / "proc/self/statm").split()[:1]), 0]
    for line in _text(root / "proc/self/limits").splitlines():
        if line.startswith("Max address space"):
            yield from (limit - PAGE * sizes[0] for limit in _numbers(line.split()[3:4]))


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _numbers(words: list[str]) -> Iterator[int]:
    yield from (int(word) for word in words if word.isdigit())
