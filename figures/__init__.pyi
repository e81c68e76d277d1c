# The facade's names and where they are; `__init__.py` loads each when it is first used.
from . import atlas as atlas
from ._boundary import boundary as boundary
from ._compare import compare as compare
from ._comparison import Comparison as Comparison
from ._comparison_plot import comparison as comparison
from ._curves import curves as curves
from ._experiment import Experiment as Experiment
from ._experiment_file import load_experiment as load_experiment
from ._experiment_file import read_experiment as read_experiment
from ._interrupted import Interrupted as Interrupted
from ._make_experiment import make_experiment as make_experiment
from ._map import Contrast as Contrast
from ._map import select as select
from ._phase_diagram import phase_diagram as phase_diagram
from ._settings import Settings as Settings
from ._settings import load_settings as load_settings
from ._settings import read_settings as read_settings
from .sweeps import (
    CellStatus as CellStatus,
)
from .sweeps import (
    Summary as Summary,
)
from .sweeps import (
    Sweep as Sweep,
)
from .sweeps import (
    load_sweep as load_sweep,
)
from .sweeps import (
    open_sweep as open_sweep,
)
from .sweeps import (
    read_sweep as read_sweep,
)
from .sweeps import (
    run_sweep as run_sweep,
)
from .sweeps import (
    sweep as sweep,
)
