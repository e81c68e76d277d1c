# The room's names and where they are; `__init__.py` loads each when it is first used.
from ._budget import Budget as Budget
from ._divergence import DIVERGENCE_BOUND as DIVERGENCE_BOUND
from ._divergence import check_bound as check_bound
from ._divergence import largest_allowed_norm as largest_allowed_norm
from ._files import CONVENTIONS as CONVENTIONS
from ._files import LONG_NAMES as LONG_NAMES
from ._fluctuations import Fluctuations as Fluctuations
from ._observables import Observables as Observables
from ._observables import Quantity as Quantity
from ._observables import quantities as quantities
from ._source import Source as Source
from ._status import Status as Status
from ._trajectory import Trajectory as Trajectory
from ._unnamed import filled_length as filled_length
from ._unnamed import unnamed as unnamed
from ._unnamed import with_level_names as with_level_names
