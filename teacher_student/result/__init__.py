"""What both solvers return: observables along a trajectory, how it ended, and its files."""
