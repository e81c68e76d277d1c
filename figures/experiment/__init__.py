"""Experiments: everything that theory, simulation and verdict of a problem need, and these stages."""
