"""The students' SGD at finite N: steps, samples, weights, ensembles of runs."""
