"""Examples in the help of every command: each works as it stands, with a problem.toml or a sweep.toml of one's own."""

import argparse

EXAMPLES = {
    "compare": [
        ("the built-in problem, with few runs", "compare --runs 16"),
        ("a problem of your own", "compare problem.toml --out mine"),
        (
            "as many runs as find a learning rate 20 % off",
            "compare problem.toml --detect sgd.learning_rate=0.2 --out rate",
        ),
        ("once more, over the results of before", "compare problem.toml --out mine --runs 32 --force"),
    ],
    "solve": [
        ("the built-in problem", "solve"),
        ("a problem of your own", "solve problem.toml --out theory"),
        ("another draw of the random start", "solve problem.toml --seed 1 --out theory-1"),
    ],
    "optimize": [
        ("a problem file with a table [optimize]", "optimize problem.toml"),
        ("another draw of the random starts", "optimize problem.toml --seed 1 --out optimum-1"),
    ],
    "explore": [
        ("the built-in problem", "explore"),
        ("a problem of your own, in a browser that you open", "explore problem.toml --no-browser"),
    ],
    "sweep": [
        ("a grid of problems", "sweep sweep.toml --out sweep.zarr"),
        ("cells that failed, once more", "sweep sweep.toml --out sweep.zarr --retry failed"),
        ("in this process, without local workers", "sweep sweep.toml --out sweep.zarr --workers 0"),
    ],
    "comparison": [
        ("draw the files in mine/ again", "figure comparison mine"),
        ("for a paper", "figure comparison mine --save comparison.pdf"),
    ],
    "phase-diagram": [
        ("a map of the error on one level", "figure phase-diagram sweep.zarr --at level=hard"),
        (
            "where the error passes 0.1, for print",
            "figure phase-diagram sweep.zarr --at level=hard --boundary 0.1 --save map.pdf",
        ),
    ],
    "curves": [
        (
            "a curve for each value of another axis",
            "figure curves sweep.zarr --x rate --lines variance --at level=hard",
        ),
        (
            "what one value is better than another by",
            "figure curves sweep.zarr --x rate --contrast variance 0.5 1.0 --at level=hard",
        ),
    ],
    "derive": [
        ("the ODE of one erf unit", "derive"),
        ("two units that learn from one, with the readout", "derive --student 2 --train-readout"),
        (
            "relevant and irrelevant inputs, as a PDF",
            "derive --blocks relevant,irrelevant --support relevant --pdf ode.pdf",
        ),
        ("a polynomial of your own", 'derive --activation "x**3 - 3*x"'),
    ],
    "lottery": [
        ("a first look, in two minutes", "figure lottery --quick"),
        ("from the data of the repository", "figure lottery docs/atlas/lottery --save lottery.pdf"),
    ],
    "tickets": [
        ("a first look, in two minutes", "figure tickets --quick"),
        ("from the data of the repository", "figure tickets docs/atlas/tickets --save tickets.pdf"),
    ],
    "curriculum": [
        ("a first look, in two minutes", "figure curriculum --quick"),
        (
            "times to an accuracy of 90 %, from the data of the repository",
            "figure curriculum docs/atlas/curriculum --measure time --time accuracy_90 --save times.pdf",
        ),
    ],
    "finite-size": [
        ("a first look, in two minutes", "figure finite-size --quick"),
        ("from the data of the repository", "figure finite-size docs/atlas/finite-size --save finite_size.pdf"),
    ],
    "optimal": [
        ("a first look, in two minutes", "figure optimal --quick"),
        ("from the data of the repository", "figure optimal docs/atlas/optimal --save optimal.pdf"),
    ],
    "width": [
        ("a first look, in two minutes", "figure width --quick"),
        ("from the data of the repository", "figure width docs/atlas/width --save width.pdf"),
    ],
    "images": [
        ("a first look, in two minutes", "figure images --quick"),
        ("from the data of the repository", "figure images docs/atlas/images --save images.pdf"),
    ],
    "cost": [
        ("a first look, in two minutes", "figure cost --quick"),
        ("from the data of the repository", "figure cost docs/atlas/cost --save cost.pdf"),
    ],
}


def add_examples(parser: argparse.ArgumentParser) -> None:
    """Put a command's examples below its help, as they are to be typed."""
    program, *_, name = parser.prog.split()
    lines = [f"  {purpose}:\n    {program} {command}" for purpose, command in EXAMPLES.get(name, [])]
    parser.epilog = "\n".join(["examples:", *lines])
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
