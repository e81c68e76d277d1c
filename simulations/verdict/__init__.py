"""Whether theory and simulation agree: trajectories in, a verdict out."""
