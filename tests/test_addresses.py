"""Addresses "module:name" in a file: whatever they name and whatever the module does, one line and bad input."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import teacher_student as ts
from figures.command._main import main
from teacher_student import _address, internal

from .problem_files import SMALL

MODULES = {  # what each does when it is imported
    "exits": "import sys\nsys.exit(0)",
    "exits_1": "import sys\nsys.exit(1)",
    "exits_text": "import sys\nsys.exit('bye\\nand more')",
    "raises_exit": "raise SystemExit",
    "interrupts": "raise KeyboardInterrupt",
    "interrupts_text": "raise KeyboardInterrupt('mine')",
    "base": "class Own(BaseException): pass\nraise Own('x')",
    "generator": "raise GeneratorExit",
    "cancelled": "import asyncio\nraise asyncio.CancelledError",
    "group": "raise BaseExceptionGroup('several', [KeyboardInterrupt(), ValueError()])",
    "mute": "class Own(Exception):\n def __str__(self): raise RuntimeError\nraise Own",
    "lines": "raise ValueError('one\\ntwo')",
    "empty_text": "raise ValueError('')",
    "stops": "raise StopIteration",
    "memory": "raise MemoryError('a little')",
    "recursion": "def f(): f()\nf()",
    "syntax": "def f(:",
    "indented": "if True:\nx = 1",
    "nothing": "",
    "latin": "phi = 'caf\xe9'",
    "missing": "import not_there_at_all",
    "circular": "import circular_too\nx = circular_too.y",
    "circular_too": "import circular\ny = circular.x",
    "removed": "import sys\ndel sys.modules[__name__]",
    "replaced": "import sys\nsys.modules[__name__] = None",
    "lazy": "def __getattr__(name): raise SystemExit(0)",
    "lazy_key": "def __getattr__(name): raise KeyError(name)",
    "signals": "import signal\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\nraise ValueError",
    "warns": "import warnings\nwarnings.warn('x')\nraise UserWarning('y')",
    "long": "raise ValueError('x' * 10**6)",
    "things": (
        "none = None\nnumber = 1\ntext = 'no unit'\nempty = {}\nimport sys as module\n"
        "class Plain: pass\nplain = Plain()\n"
        "def two(x, y): return x\ndef wide(x): return x[None]\ndef leaves(x): raise SystemExit(0)\n"
        "def fails(x): raise ValueError('no')\ndef chooses(x): return x if x > 0 else 0 * x\n"
        "class Raising:\n def __call__(self, x): return x\n"
        "class Exits:\n def __init__(self): raise SystemExit(0)\n"
    ),
}
NAMES = ["none", "number", "text", "empty", "module", "Plain", "plain", "two", "wide", "leaves", "fails", "chooses"]
NAMES += ["Exits", "not_there", "module.not_there"]
FORMS = [":", "::", "a:", ":b", "a:b:c", "a::b", ".:b", "..:b", ".a:b", "a.:b", "a..b:c", "a:b.", "a:.b", "a:b..c"]
FORMS += [":::", " :b", "a: ", "a b:c", "a:b c", " a:b", "a:b ", "a\t:b", "\u00a0:b", "a\u200b:b", "\u2028:x"]
FORMS += ["../a:b", "./a:b", "/etc/passwd:b", "a/b:c", "a\\b:c", "~:b", "-m:b", "*:b", "a:*", "class:def", "1:2"]
FORMS += ["import:lambda", "None:None", "\u00fc\u00f1:\u00ef", "\u4e2d\u6587:\u540d", "\U0001f600:\U0001f600"]
FORMS += ["a" * 300 + ":b", "a:" + "b" * 10**5, "a." * 2000 + "a:b", "a:" + "b." * 2000 + "b", "C:\\unit.py:f"]
FORMS += ["http://x/y:z", "__main__:x", "builtins:nothing", "os.path:nothing", "os.nothing:x", "jax.numpy:nothing"]
FORMS += ["figures:nothing", "teacher_student:not_there", "%s:%n", "{0}:{1}", "$HOME:x", "a:b\\n", "'a':'b'", "a;b:c"]
FORMS += ["(a):b", "a:b()", "a:__class__.__mro__.x"]
PLACES = {
    "activation": ('[student]\nwidth = 1\nactivation = "erf"', "[student]\nwidth = 1\nactivation = {address}"),
    "kind": ("[task]\n", "[task]\nkind = {address}\n"),
    "averages": ("[record]", "[theory]\naverages = {address}\n[record]"),
}
FILE = SMALL.replace("[student]\nwidth = 1", '[student]\nwidth = 1\nactivation = "erf"')


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the modules, on the path."""
    folder = tmp_path_factory.mktemp("modules")
    for name, text in MODULES.items():
        (folder / f"{name}.py").write_bytes(text.encode("latin-1"))
    sys.path.append(str(folder))
    yield folder
    sys.path.remove(str(folder))
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture(autouse=True)
def _usual_signal() -> Iterator[None]:
    usual = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, usual)


def refused(address: str, place: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the line with which a file with this address is refused, as bad input."""
    before, after = PLACES[place]
    assert before in FILE
    quoted = '"' + address.replace("\\", "\\\\").replace("\t", "\\t") + '"'
    (folder / "problem.toml").write_text(FILE.replace(before, after.format(address=quoted), 1))
    assert main(["solve", str(folder / "problem.toml"), "--out", str(folder / "out"), "--cache", "off"]) == 2
    line = capsys.readouterr().err.splitlines()
    assert not (folder / "out").exists()
    said = ("teacher-student: warning: ", "teacher-student: imports ")
    own = [text for text in line if not text.startswith(said)]
    assert len(own) == 1
    assert own[0].startswith("teacher-student: ")
    assert "required: " in own[0]
    assert len(own[0]) < 1000
    return own[0]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("module", [name for name in MODULES if name != "things"])
def test_a_module_that_fails_or_exits_is_bad_input(
    module: str, place: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(f"{module}:phi", place, folder, capsys)
    assert module in line
    if module.startswith(("exits", "interrupts", "base")):
        assert "raised by the module" in line


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", NAMES)
def test_a_thing_of_the_wrong_kind_is_bad_input(
    name: str, place: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(f"things:{name}", place, folder, capsys)


@pytest.mark.parametrize(("number", "form"), list(enumerate(FORMS)), ids=range(len(FORMS)))
def test_an_address_of_any_form_is_bad_input(
    number: int, form: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(form, list(PLACES)[number % len(PLACES)], folder, capsys)


@pytest.mark.parametrize("kind", [Exception, SystemExit, KeyboardInterrupt, BaseException])
def test_no_exception_of_a_module_passes_in_another_thread(kind: type[BaseException], folder: Path) -> None:
    (folder / f"raises_{kind.__name__}.py").write_text(f"raise {kind.__name__}")
    seen: list[Any] = []

    def body() -> None:
        try:
            internal.imported(f"raises_{kind.__name__}:x", "activation")
        except ts.InputError as error:
            seen.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert len(seen) == 1


def test_ctrl_c_while_a_module_is_imported_is_heeded(folder: Path) -> None:
    (folder / "slow_one.py").write_text(f"import os\nos.kill(os.getpid(), {int(signal.SIGINT)})\n")
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        internal.imported("slow_one:x", "activation")
    assert signal.getsignal(signal.SIGINT) is before
    assert os.getpid()


def test_addresses_that_are_right_are_still_found(folder: Path) -> None:
    (folder / "gr\u00fcn.py").write_text("class A:\n    class B:\n        x = 3\n")
    assert internal.imported("gr\u00fcn:A.B.x", "thing") == 3
    assert internal.imported("os.path:join", "thing") is os.path.join


def test_sabotage_a_reason_that_is_not_shortened_is_no_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused("long:phi", "activation", folder, capsys)
    monkeypatch.setattr(_address, "one_line", lambda text, longest: text)
    with pytest.raises(AssertionError):
        refused("long:phi", "activation", folder, capsys)
