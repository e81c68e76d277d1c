# The facade's names and where they are; `__init__.py` loads each when it is first used.
from ._base import (
    Averages as Averages,
)
from ._base import (
    StepAverages as StepAverages,
)
from ._base import (
    unit_gradients as unit_gradients,
)
from ._base import (
    weighted_sum as weighted_sum,
)
from ._closed_form import (
    ClosedForm as ClosedForm,
)
from ._fixed_sample import FixedSample as FixedSample
from ._fixed_sample import dimensions as dimensions
from ._missing import missing_closed_form as missing_closed_form
from ._missing import require_closed_form as require_closed_form
from ._moments import I2 as I2
from ._moments import J2 as J2
from ._moments import safe_arctan2 as safe_arctan2
from ._moments import safe_sqrt as safe_sqrt
from ._moments import second_moments as second_moments
from ._moments import signed_readouts as signed_readouts
from ._moments import slope as slope
from ._moments import tilt as tilt
from ._reweighted import Reweighted as Reweighted
from ._sampled import Sampled as Sampled
from ._sampled_products import SampledProducts as SampledProducts
