"""How fast the engines are on this machine, and how far from its limits: `python -m benchmarks`, from a checkout.

Imports nothing: a measuring process is pinned to its core before NumPy and JAX load, and the one that starts it stays
small, because a new process inherits its peak memory.
"""
