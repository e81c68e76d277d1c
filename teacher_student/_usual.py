"""What is usual where a user says nothing, of choices that functions and files have in common."""

PRECISIONS = ("float32", "float64")


class Usual:
    """The defaults. Files are read before JAX is loaded, so they stand in a place that does not need it.

    activation: of student and teacher. test_samples: for every measured error of a simulation, at least. significance:
    the chance that a verdict says "disagree" where theory is right.
    """

    activation = "erf"
    test_samples = 256
    significance = 0.01
