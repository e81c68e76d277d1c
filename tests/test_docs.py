"""The site's sources: every public name and every equation has its place, and docstrings become what they say.

Nothing is built here: `python -m docs` does that in CI, where a warning is an error.
"""

import functools
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import ode
from docs._site.docstrings import as_rest, names_of, short_signature
from docs._site.equations import EQUATION, equations_of, function_of, theory_pages
from docs._site.links import broken_links
from docs._site.public_names import PACKAGES, public_names, resolve

DOCS = Path(__file__).parents[1] / "docs"
THEORY = theory_pages()


def documented(package: str, text: str) -> list[str]:
    """Return the names that a page of the reference lists: in its tables, and one by one."""
    tables = re.findall(r"\.\. autosummary::\n(.*?)```", text, flags=re.DOTALL)
    listed = [line.strip() for table in tables for line in table.splitlines() if re.match(r"^\s+\w+$", line)]
    return listed + re.findall(r"```\{py:(?:data|class|exception)\} (\w+)\n", text)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_in_the_reference_once(package: str) -> None:
    module = importlib.import_module(package)
    page = DOCS / "api" / f"{package.rpartition('.')[2]}.md"
    below = [name for name in module.__all__ if inspect.ismodule(getattr(module, name))]
    assert sorted(documented(package, page.read_text()) + below) == sorted(module.__all__)
    index = (DOCS / "api" / "index.md").read_text()
    assert all(f"\n{name}\n" in index for name in (page.stem, *below))


def test_a_name_that_is_missing_from_the_reference_is_noticed() -> None:
    text = (DOCS / "api" / "ode.md").read_text()
    assert "solve_many" in documented("ode", text)
    assert "solve_many" not in documented("ode", text.replace("   solve_many\n", ""))


@pytest.mark.parametrize("page", THEORY, ids=lambda page: page.stem)
def test_every_equation_names_the_function_that_computes_it(page: Path) -> None:
    text = page.read_text()
    labels = [label for label, _ in EQUATION.findall(text)]
    assert len(labels) == text.count("```{math}"), "an equation without a number"
    assert [label for label in labels if function_of(label, text) is None] == []


def test_an_equation_without_its_function_is_noticed() -> None:
    text = (DOCS / "theory" / "odes.md").read_text()
    assert function_of("drift-v", text) == "ode.drift"
    assert function_of("drift-v", text.replace("{py:func}`ode.drift`", "{py:func}`ode.drifts`")) is None


def test_a_function_leads_to_its_equations() -> None:
    assert equations_of()["ode.drift"] == ["drift-R", "drift-Q", "drift-v"]


def test_equations_have_one_label_each() -> None:
    labels = [label for page in THEORY for label, _ in EQUATION.findall(page.read_text())]
    assert len(labels) == len(set(labels)) > 40


@pytest.mark.parametrize("average", ["I2", "I3", "I4", "J2"])
def test_the_printed_averages_are_those_that_are_derived(average: str) -> None:
    import sympy

    C = ode.derive.symbols(4)
    printed, parts = (
        printed_average(average),
        {f"C{i}{j}": float(i == j) + 0.1 * i * j for i in range(1, 5) for j in range(1, 5)},
    )
    derived = getattr(derived_averages(), average)
    values = {C[i, j]: parts[f"C{i + 1}{j + 1}"] for i in range(4) for j in range(4)}
    assert float(printed.subs(parts)) == pytest.approx(float(sympy.N(derived.subs(values))), rel=1e-12)


@functools.cache
def derived_averages() -> ode.derive.DerivedAverages:
    """Return the averages of erf, which take seconds to derive."""
    return ode.derive.averages("erf")


def printed_average(label: str) -> Any:
    """Return an average of the page, read from its LaTeX with every Lambda and D put in."""
    import sympy

    blocks = dict(EQUATION.findall((DOCS / "theory" / "averages.md").read_text()))
    lines = [line for name in ("I2", "I3", "I4", "I4-parts", "J2") for line in re.split(r"\\qquad|\\\\", blocks[name])]
    formulas: dict[str, Any] = {}
    for line in lines:
        text = re.sub(r"\\(begin|end)\{aligned\}|&|\s[.,]\s*$", "", line).strip().rstrip(",. \n")
        left, _, right = text.partition("=")
        formulas[left.strip()] = sympy.sympify(as_python(right))
    result = formulas[label.replace("I", "I_").replace("J", "J_")]
    for _ in range(3):
        result = result.subs({as_python(name): value for name, value in formulas.items()})
    return result.subs({f"D{i}": 1 + sympy.Symbol(f"C{i}{i}") for i in range(1, 5)})


def as_python(latex: str) -> str:
    """Return a formula of these pages as Python: fractions, roots, the arcsine, and products without a sign."""
    text = re.sub(r"\\Lambda_(\d)", r"L\1", latex).replace(r"\,", " ")
    text = re.sub(r"([CD])_(?:\{(\d+)\}|(\d))", r"\1\2\3", text).replace(r"\pi", "pi")
    text = re.sub(r"\^(\d)", r"**\1", text)
    for _ in range(4):
        text = re.sub(r"\\sqrt\{([^{}]*)\}", r"sqrt(\1)", text)
        text = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", text)
    text = re.sub(r"\\arcsin\s*(\(\(.*\)\))", r"asin(\1)", text)
    text = re.sub(r"(?<=[\w)])\s+(?=[\w(])", "*", text.strip())
    return re.sub(r"\)(?=[(\w])", ")*", text)


DOCSTRING = """Return the first of two.

The sum is

  a + b = c_k^T x

of `ode.solve`, `first` and S*.

Arguments: first: a number.
  second, third: two numbers, which are
    not the first.

Returns a number. Raises InputError for none.

Example:
  >>> 1 + 1
  2
"""


def test_docstrings_become_lists_equations_code_and_links() -> None:
    text = "\n".join(as_rest(DOCSTRING.splitlines(), "ode", frozenset({"first", "second", "third"})))
    assert ".. code-block:: text\n   :class: equations\n\n   a + b = c_k^T x\n" in text
    assert ":py:obj:`ode.solve <ode.solve>`, ``first`` and S\\*." in text
    assert "``first``\n      a number.\n" in text
    assert "``second``, ``third``\n      two numbers, which are not the first.\n" in text
    assert ":Returns:\n   A number." in text
    assert ":py:class:`~teacher_student.InputError`" in text
    assert ".. rubric:: Example\n\n>>> 1 + 1\n2\n" in text


@pytest.mark.parametrize("public", [name for name, member in public_names().items() if not inspect.ismodule(member)])
def test_no_word_of_a_docstring_is_lost_on_its_way(public: str) -> None:
    package, _, _ = public.rpartition(".")
    doc = inspect.getdoc(public_names()[public]) or ""
    text = "\n".join(as_rest(doc.splitlines(), package, names_of(public_names()[public])))
    markup = r" <[\w.]+>`|:py:\w+:|code-block:: \w+|:class: equations|rubric::"
    assert sorted(words(doc)) == sorted(words(re.sub(markup, "", text)))


def words(text: str) -> list[str]:
    """Return the words of a text, but for those of its markup and what says where a name is."""
    return re.findall(r"\w+", text.replace("`~teacher_student.", "`").replace("\\", "").lower())


def test_names_in_backticks_lead_to_their_pages() -> None:
    assert resolve("solve", "ode") == resolve("ode.solve", "simulations") == "ode.solve"
    assert resolve("ts.Problem", "figures") == "teacher_student.Problem"
    assert resolve("Trajectory.describe()", "ode") == "teacher_student.Trajectory.describe"
    assert resolve("Trajectory.alphas", "ode") is None  # a field: its class says what it is
    assert resolve("nothing.of_ours", "ode") is None


def test_signatures_name_public_types_and_shapes() -> None:
    signature = short_signature(ode.drift)
    assert signature is not None
    assert (
        "problem: teacher_student.Problem, averages: ode.Averages, alpha, overlaps: teacher_student.Overlaps"
        in signature
    )
    assert (
        short_signature(ode.StepAverages)
        == "(gz: Float[Array, 'B K J'], gg: Float[Array, 'K K'], loss_slope: Float[Array, 'K'])"
    )
    assert not [name for name, member in public_names().items() if "._" in str(short_signature(member))]


def test_links_that_lead_nowhere_are_found(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "second.html").write_text('<p id="place">text</p><a href="../first.html#gone">back</a>')
    links = ["below/second.html", "below/second.html#place", "https://example.org", "#here", "missing.html", "below"]
    (tmp_path / "first.html").write_text('<p id="here">' + "".join(f'<a href="{link}">link</a>' for link in links))
    broken = ["below/second.html -> ../first.html#gone", "first.html -> below", "first.html -> missing.html"]
    assert broken_links(tmp_path) == broken
