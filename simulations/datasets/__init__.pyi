# The room's names and where they are; `__init__.py` loads each when it is first used.
from ._dataset import Dataset as Dataset
from ._fit_mixture import MixtureFit as MixtureFit
from ._fit_mixture import fit_mixture as fit_mixture
