"""Texts of activations are measured before they are computed: none hangs, and each bad one is one line."""

import subprocess
import sys
from typing import Any

import pytest

import teacher_student as ts
from teacher_student.internal import as_activation

from . import build

BOMBS = {
    "powers of powers": "((((((9**20)**20)**20)**20)**20)**20)*x",
    "a tower": "9**9**9**9*x",
    "a number near 1": "1.0000001**1000000000*x",
    "a number near 1, as a fraction": "(1000001/1000000)**99999999*x",
    "products": "*".join(["9" * 90] * 10) + "*x",
    "quotients": "x/" + "/".join(["1e300"] * 100),
    "many quotients": "x/" + "/".join(["1e300"] * 900),
    "sums of fractions": "x*(" + "+".join(f"1/{10**40 + n}" for n in range(9)) + ")",
    "a power of fractions": "(x/7777777777777 + 1/99999999999999)**20*(1/3**300)",
    "a long text": "x" + "+x" * 100_000,
    "a long sum": "x" + "+x" * 400,
    "a long number": "9" * 100_000 + "*x",
    "many digits": "9" * 990 + "*x",
    "signs": "-" * 900 + "x",
    "many signs": "-" * 50_000 + "x",
    "brackets": "(" * 150 + "x" + ")" * 150,
    "many brackets": "(" * 50_000 + "x" + ")" * 50_000,
    "open brackets": "(" * 900,
    "a huge degree": "x**1000000000",
    "degrees of degrees": "((((x**20)**20)**20)**20)**20",
    "a degree in the clouds": "x**1e9",
    "x to the x": "x**x",
    "a number to the x": "2**x",
    "infinity": "1e999*x",
    "minus infinity": "-1e999*x",
    "infinity minus infinity": "(1e999-1e999)*x",
    "a name of infinity": "inf*x",
    "not a number": "nan*x",
    "an imaginary one": "1j*x",
    "a tiny number": "1e-320*x",
    "digits of another script": "\u0663*x",
    "superscripts": "x\u00b2",
    "a letter like x": "\u0445**2",
    "Hermite of another script": "He\u0663",
    "Hermite of many digits": "He" + "9" * 6000,
    "no text": "",
    "spaces": "   ",
    "zero bytes": "x\0",
    "a surrogate": "x\ud800",
    "an escape": "\x1b[31mx",
    "lines": "x\n\n+x",
    "a call": "__import__('os').system('true')*x",
    "an attribute": "x.real",
    "a lambda": "lambda x: x",
    "a walrus": "(y := x)",
    "text in text": "'x'",
    "a division by zero": "x/0",
    "zero to a negative power": "0**-1*x",
    "a root of a negative number": "(-2)**0.5*x",
    "a large power of a root": "(2**0.5)**1e9*x",
    "a long word": "a" * 100_000,
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_a_text_that_is_no_polynomial_is_one_short_line(text: str) -> None:
    problem = ts.problem_to_tables(build.problem())
    for read in (as_activation, lambda text: ts.problem_from_tables({**problem, "student": unit(text)})):
        with pytest.raises(ts.InputError) as caught:
            read(text)
        assert len(str(caught.value)) < 3000
        assert str(caught.value).isprintable()


def unit(text: str) -> dict[str, Any]:
    return {"width": 3, "activation": text}


def test_all_of_them_together_take_little_time() -> None:
    """A process of its own that may use 20 s of the processor: what hangs is ended by the system."""
    code = (
        "import resource, ast, sys\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (20, 20))\n"
        "from teacher_student._polynomial import polynomial\n"
        "from teacher_student import InputError\n"
        "for text in ast.literal_eval(sys.stdin.read()):\n"
        "    try:\n"
        "        polynomial(text)\n"
        "    except InputError:\n"
        "        continue\n"
        "    raise SystemExit(f'taken: {text[:50]!r}')\n"
    )
    subprocess.run([sys.executable, "-c", code], input=ascii(list(BOMBS.values())), text=True, check=True)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("He20", None),
        ("(x**3 - 3*x)/6**0.5", None),
        ("-" * 20 + "x**2", "x**2"),
        ("(" * 50 + "x**2" + ")" * 50, "x**2"),
        ("+".join(["x**2"] * 90), "90*x**2"),
        ("x**2/1e300", "1e-300*x**2"),
        ("1e15*1e15*x", "1" + "0" * 30 + "*x"),
        ("+".join(f"x**{n}/{n}" for n in range(1, 21)), None),
        ("2**900/2**899*x**2", "2*x**2"),
    ],
)
def test_texts_within_the_bounds_are_read(text: str, name: str | None) -> None:
    activation = as_activation(text)
    assert activation.polynomial is not None
    assert name is None or activation.name == name
    assert as_activation(activation.text) == activation
