# The room's names and where they are; `__init__.py` loads each when it is first used.
from ._cifar import load_cifar10 as load_cifar10
from ._dataset import Dataset as Dataset
from ._fit_mixture import MixtureFit as MixtureFit
from ._fit_mixture import fit_mixture as fit_mixture
from ._idx import load_idx as load_idx
from ._packaged import load_digits as load_digits
from ._packaged import load_mnist_5k as load_mnist_5k
