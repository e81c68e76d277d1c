"""Gaussian averages of units: what is known in closed form, of which units, and the functions themselves."""

from lazy_loader import attach_stub

# sympy and JAX are slow to import: a name is imported when it is first used, from where `__init__.pyi` says.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
