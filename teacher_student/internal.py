"""What ode, simulations and figures use of this package and users need not: no part of the interface."""

from lazy_loader import attach_stub

# A name is imported when it is first used, from where `internal.pyi` says, relative to the package.
__getattr__, __dir__, __all__ = attach_stub(__package__, __file__)
