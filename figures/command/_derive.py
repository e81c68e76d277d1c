"""The command line's `teacher-student derive`: the whole ODE as LaTeX, on the screen and as a PDF."""

from __future__ import annotations  # types are not looked up, which would load JAX before a file is checked

import argparse

import ode
import teacher_student as ts
from teacher_student import internal

from ..running import require_picture
from ._arguments import again, whole_number
from ._next_steps import Step, free_place, say_next


def add_derive_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `derive`."""
    parser.add_argument(
        "--activation", default="erf", metavar="PHI", help='erf, linear or a polynomial, "x**3 - 3*x" (default: erf)'
    )
    parser.add_argument("--teacher-activation", metavar="PHI", help="also sign (default: the student's)")
    parser.add_argument(
        "--student", type=whole_number, default=1, metavar="K", help="width of the student (default: 1)"
    )
    parser.add_argument(
        "--teacher", type=whole_number, default=1, metavar="M", help="width of the teacher (default: 1)"
    )
    parser.add_argument(
        "--blocks",
        default="all",
        metavar="NAMES",
        help="blocks of input dimensions, as in relevant,irrelevant: each with a fraction rho and a variance Delta "
        "(default: one block of variance 1)",
    )
    parser.add_argument("--support", metavar="NAMES", help="blocks that the teacher sees (default: all)")
    parser.add_argument("--train-readout", action="store_true", help="with the readout's equation")
    parser.add_argument("--noise", action="store_true", help="with output noise")
    parser.add_argument("--weight-decay", action="store_true", help="with weight decay")
    parser.add_argument("--pdf", metavar="FILE", help="also as a PDF")
    parser.add_argument("--force", action="store_true", help="overwrite also a file that is no picture of matplotlib's")
    parser.add_argument("--quiet", action="store_true", help="no next steps")
    parser.set_defaults(action=_derive)


def _derive(options: argparse.Namespace) -> int:
    path = None if options.pdf is None else internal.as_path(options.pdf)
    if path is not None and path.suffix != ".pdf":
        raise ts.InputError("a --pdf path that ends in .pdf", options.pdf)
    if path is not None:
        require_picture(path, force=options.force)
    if path is not None and not path.parent.is_dir():
        raise ts.InputError("a --pdf path in a directory that exists", options.pdf)
    problem = _problem(options)
    derivation = ode.derive.equations(problem)
    print(derivation.latex)
    if path is not None:
        from ..pictures import equations_pdf  # matplotlib takes half a second to import

        equations_pdf(derivation.lines, path, title=_title(problem), force=True)
        print(f"% wrote {path}")
    say_next(options, lambda: _after_derive(options))
    return 0


def _after_derive(options: argparse.Namespace) -> list[Step]:
    """Return how to have the equations as a PDF, with a term that was left out, or as code that solves them."""
    steps: list[Step] = []
    if options.pdf is None:
        steps.append(("the same as a PDF", again(options, pdf=free_place("equations.pdf"))))
    if not options.train_readout:
        steps.append(("with the readout's equation", again(options, train_readout=True, pdf=None)))
    if not options.weight_decay:
        steps.append(("with weight decay", again(options, weight_decay=True, pdf=None)))
    steps.append(("a problem of this kind, solved", ["teacher-student", "solve", "--out", free_place("solution")]))
    return steps[:2]


def _problem(options: argparse.Namespace) -> ts.Problem:
    """Make a problem of the structure asked for; its numbers do not appear in the equations. Raises InputError."""
    teacher = options.teacher_activation or options.activation
    for name in (options.activation, teacher):
        ode.derive.unit(name)
    blocks = _names(options.blocks, "--blocks")
    variance = 1.0 if len(blocks) == 1 else 2.0  # other than 1: a symbol
    inputs = ts.Inputs(dict.fromkeys(blocks, 1 / len(blocks)), {"level": {name: variance for name in blocks}})
    support = None if options.support is None else _names(options.support, "--support")
    task = ts.Committee(inputs, options.teacher, teacher, support=support, noise=float(options.noise))
    sgd = ts.SGD(1.0, float(options.train_readout), float(options.weight_decay))
    return ts.Problem(task, ts.Student(options.student, options.activation), sgd, ts.Curriculum.single("level", 1.0))


def _names(text: str, option: str) -> list[str]:
    names = [part.strip() for part in text.split(",")]
    if len(set(names)) < len(names) or not all(name.replace("_", "").isalnum() for name in names):
        raise ts.InputError(f"different names of letters, digits and _ in {option}, as in relevant,irrelevant", text)
    return names


def _title(problem: ts.Problem) -> str:
    _, K, M = problem.shape
    names = ", ".join(problem.inputs.block_names)
    task = problem.task
    assert isinstance(task, ts.Committee)  # `_problem` made it
    phi, teacher = problem.student.activation.name, task.activation.name
    return f"K = {K} units {phi} learning from M = {M} units {teacher}; blocks: {names}; alpha = samples / N"
