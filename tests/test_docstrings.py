"""Examples in the docstrings of public names run as printed, and every public name has a docstring in sentences."""

import doctest
from types import ModuleType

import pytest

import ode
import teacher_student
from ode import derive, protocols

PACKAGES = (teacher_student, ode, derive, protocols)
WITH_EXAMPLES = {
    "teacher_student": {
        "Committee",
        "Curriculum",
        "Inputs",
        "Problem",
        "Student",
        "coupon_law",
        "entry_names",
        "random_overlaps",
        "to_vector",
    },
    "ode": {"missing_closed_form", "optimize", "solve"},
    "ode.derive": {"mean_function", "pair_function", "symbols"},
    "ode.protocols": set(),
}


def examples(package: ModuleType) -> list[doctest.DocTest]:
    """Return the docstrings with examples of the public names of `package`, of their methods too."""
    finder = doctest.DocTestFinder(exclude_empty=True, recurse=True)
    members = {name: getattr(package, name) for name in package.__all__}
    tests = [
        test
        for name, member in members.items()
        if callable(member)
        for test in finder.find(member, name, module=False, globs={})
    ]
    return [test for test in tests if test.examples]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_examples_print_what_they_say(package: ModuleType) -> None:
    tests = examples(package)
    assert {test.name.partition(".")[0] for test in tests} >= WITH_EXAMPLES[package.__name__]
    report: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    for test in tests:
        runner.run(test, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)


def test_a_wrong_example_is_noticed() -> None:
    test = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    report: list[str] = []
    assert doctest.DocTestRunner(verbose=False).run(test, out=report.append).failed == 1
    assert "Expected:" in "".join(report)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_public_names_have_docstrings(package: ModuleType) -> None:
    for name in package.__all__:
        member = getattr(package, name)
        if callable(member):
            first = (member.__doc__ or "").partition("\n")[0]
            assert first.endswith((".", ":")), f"{package.__name__}.{name}: {first!r}"
