"""How many numbers a trajectory records, which stay in memory."""

from ._problem import Problem


def recorded_numbers(problem: Problem, alphas: int) -> int:
    """Return how many numbers one trajectory has at its start and at so many alphas: overlaps, errors, accuracies."""
    B, K, M = problem.shape
    state = B * (K * K + K * M + M * M) + K
    return (1 + alphas) * (state + 2 * len(problem.inputs.level_names))
