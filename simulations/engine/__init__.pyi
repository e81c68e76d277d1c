# The room's names and where they are; `__init__.py` loads each when it is first used.
from ._check_run import check_run as check_run
from ._check_run import recordable_alphas as recordable_alphas
from ._memory import memory as memory
from ._precision import usual_precision as usual_precision
from ._prepare import prepare as prepare
from ._run import run as run
from ._run_many import run_many as run_many
from ._samples import make_sample as make_sample
from ._step import Sample as Sample
from ._step import sgd_step as sgd_step
from ._testing import test as test
from ._weights import Weights as Weights
from ._weights import measure_overlaps as measure_overlaps
from ._weights import weights_with as weights_with
