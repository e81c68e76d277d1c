"""Paths and encodings: links stay, ~ is a home, and what cannot be written or read is refused in one line."""

import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filelock
import pytest

import figures
import ode
import teacher_student as ts
from figures.atlas import named_figure
from figures.command._main import main
from figures.experiment import load_toml
from figures.running import check_output
from figures.sweeps import _store
from figures.sweeps._workers import require_guard
from teacher_student import internal

from . import build
from .sweep_files import BASE, toml

RATES = {"rate": {"sgd.learning_rate": [0.5, 1.0]}}
FILES = {"theory": "theory.nc"}


@pytest.fixture(scope="module")
def theory() -> ts.Trajectory:
    problem = build.problem()
    return ode.solve(problem, build.overlaps(problem), [0.5, 1.0])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the working directory, beside an empty home."""
    folder, home = tmp_path / "here", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(home))
    return folder


def sweep(out: Any, axes: Any = RATES) -> Any:
    return figures.sweep(BASE, axes, ["error"], workers=0, out=out, progress=False)


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ts.InputError) as refused:
        call()
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_file_that_is_a_link_is_written_where_it_leads(here: Path, theory: ts.Trajectory) -> None:
    (here / "disk").mkdir()
    theory.save("disk/theory.nc")
    before = Path("disk/theory.nc").stat().st_ino
    Path("link.nc").symlink_to("disk/theory.nc")
    assert "does not exist yet" in refusal(lambda: theory.save("link.nc"))
    assert theory.save("link.nc", force=True) == Path("link.nc")
    assert Path("link.nc").is_symlink()
    assert Path("disk/theory.nc").stat().st_ino != before
    Path("dangling.nc").symlink_to("disk/new.nc")
    theory.save("dangling.nc")
    assert Path("dangling.nc").is_symlink()
    ts.Trajectory.load("disk/new.nc")
    Path("folder.nc").symlink_to("disk")
    assert "which is a folder" in refusal(lambda: theory.save("folder.nc", force=True))
    Path("nowhere.nc").symlink_to("gone/new.nc")
    assert "writable output directory" in refusal(lambda: theory.save("nowhere.nc"))
    Path("loop.nc").symlink_to("loop.nc")
    assert "symbolic links" in refusal(lambda: theory.save("loop.nc"))
    assert sorted(os.listdir("disk")) == ["new.nc", "theory.nc"]


def test_a_folder_of_results_that_is_a_link_stays_one(here: Path) -> None:
    Path("out").symlink_to("scratch/results")  # which is not there yet
    paths = check_output("out", FILES, force=False)
    assert paths == {"theory": Path("out/theory.nc")}
    assert Path("out").is_symlink()
    assert list(Path("scratch/results").iterdir()) == []
    (here / "scratch" / "results" / "theory.nc").mkdir()
    assert "which is a folder" in refusal(lambda: check_output("out", FILES, force=True))


def test_a_store_that_is_a_link_is_extended_where_it_leads_and_has_one_writer(here: Path) -> None:
    (here / "disk").mkdir()
    Path("s.zarr").symlink_to("disk/s.zarr")  # dangling at first
    for count in (2, 3, 4):
        sweep("s.zarr", {"rate": {"sgd.learning_rate": [0.5, 1.0, 1.5, 2.0][:count]}})
        assert Path("s.zarr").is_symlink()
        assert figures.open_sweep("disk/s.zarr").sizes["rate"] == count
    assert sorted(os.listdir(here)) == ["disk", "s.zarr"]
    with _store._lock(Path("disk/s.zarr")):
        assert "held by process" in refusal(lambda: sweep("s.zarr"))


def test_a_tilde_is_a_home_wherever_a_path_is_taken(
    here: Path, theory: ts.Trajectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    assert theory.save("~/theory.nc") == home / "theory.nc"
    ts.Trajectory.load("~/theory.nc")
    sweep("~/s.zarr")
    assert figures.open_sweep("~/s.zarr").sizes["rate"] == 2
    assert check_output(Path("~/out"), FILES, force=False) == {"theory": home / "out" / "theory.nc"}
    (home / "p.toml").write_text("seed = 1\n")
    assert load_toml("~/p.toml", "problem") == {"seed": 1}
    assert main(["figure", "curves", "~/s.zarr", "--at", "level=easy", "--save=~/curves.png", "--cache", "off"]) == 0
    assert (home / "curves.png").exists()
    assert main(["derive", "--pdf=~/equations.pdf", "--cache", "off"]) == 0
    assert (home / "equations.pdf").exists()
    assert os.listdir(here) == []
    assert "whose home is known" in refusal(lambda: theory.save("~nobody-of-this-name/theory.nc"))
    assert internal.as_path(f"~{os.environ.get('USER', 'root')}").is_absolute()


NOT_PATHS = ["s3://bucket/x.nc", "file:///tmp/x.nc", Path("https://a/b.nc"), "", " ", "a\0b.nc", b"x.nc", 3, "n" * 300]


@pytest.mark.parametrize("path", [*NOT_PATHS, "\udcff.nc"], ids=lambda path: ascii(path)[:20])
def test_what_is_no_path_is_refused_before_anything_is_made(path: Any, here: Path, theory: ts.Trajectory) -> None:
    spec = figures.read_sweep(BASE | {"axes": {"rate": {"sgd": {"learning_rate": [0.5]}}}})
    refusal(lambda: theory.save(path))
    refusal(lambda: ts.Trajectory.load(path))
    refusal(lambda: figures.open_sweep(path))
    refusal(lambda: figures.run_sweep(spec, path, workers=0, progress=False))
    refusal(lambda: check_output(path, FILES, force=True))
    refusal(lambda: load_toml(path, "problem"))
    refusal(lambda: named_figure("lottery", path))
    refusal(lambda: internal.write_whole(path, lambda file: file.touch()))
    refusal(lambda: ts.tune_compiler(path))
    assert os.listdir(here) == []


@pytest.mark.parametrize("out", ["s3://bucket/x", "file:///tmp/x", "", "n" * 300, "a file", "a file/below"])
def test_the_command_says_where_it_cannot_write_with_exit_code_2(
    out: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a file").write_text("of the user")
    Path("s.toml").write_text(toml(BASE | {"axes": {"rate": {"sgd": {"learning_rate": [0.5]}}}}))
    Path("p.toml").write_text(toml(BASE))
    commands = [["sweep", "s.toml", "--workers", "0"], ["solve", "p.toml"], ["compare", "p.toml", "--force"]]
    for command in commands:
        assert main([*command, "--out", out, "--cache", "off"]) == 2, command
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert main(["figure", "curves", out, "--save", "x.png"]) == 2
    assert main(["figure", "comparison", out, "--save", "x.png"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert {name for name in os.listdir(here) if not name.endswith(".lock")} == {"a file", "p.toml", "s.toml"}
    assert Path("a file").read_text() == "of the user"


def test_a_full_disk_is_one_line_and_leaves_nothing(here: Path, theory: ts.Trajectory) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        text = refusal(lambda: theory.save("theory.nc"))
        other = refusal(lambda: internal.write_whole("x.txt", lambda file: file.write_text("x" * 5000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "room for the file; got: theory.nc" in text
    assert "room for the file; got: x.txt (File too large)" in other
    assert os.listdir(here) == []


def test_a_file_system_without_locks_is_one_line_for_a_sweep_and_none_for_a_file(
    here: Path, theory: ts.Trajectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object, **_: Any) -> None:
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    assert "support flock" in refusal(lambda: sweep("s.zarr"))
    theory.save("theory.nc")
    assert ts.Trajectory.load("theory.nc").alphas.size == 2


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le", "utf-32"])
def test_a_file_in_another_encoding_is_refused_in_one_line(
    encoding: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("p.toml").write_bytes('# Schüler\nnote = "é"\n'.encode(encoding))
    assert refusal(lambda: load_toml("p.toml", "problem"))
    assert main(["solve", "p.toml"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_mark_of_utf_8_and_ends_of_lines_of_windows_are_accepted(here: Path) -> None:
    Path("p.toml").write_bytes(b"\xef\xbb\xbfseed = 3\r\n# \xc3\xa9\r\n")
    assert load_toml("p.toml", "problem") == {"seed": 3}


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("encoding", ["latin-1", "utf-8-sig", "cp1252", "utf-7"])
def test_the_guard_is_looked_for_in_the_encoding_of_the_script(
    encoding: str, guarded: bool, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = 'if __name__ == "__main__":\n' if guarded else "if True:\n"
    coding = "" if encoding == "utf-8-sig" else f"# -*- coding: {encoding} -*-\n"
    Path("script.py").write_bytes(f"{coding}'café'\n{line}    pass\n".encode(encoding))
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(here / "script.py"), raising=False)
    if guarded:
        require_guard(2, None)
    else:
        assert "script.py without it" in refusal(lambda: require_guard(2, None))
