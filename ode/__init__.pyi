# The facade's names and where they are; `__init__.py` loads each when it is first used.
from . import derive as derive
from ._drift import drift as drift
from ._fluctuations import fluctuations as fluctuations
from ._method import fastest_averages as fastest_averages
from ._observe import observe as observe
from ._rank_by_loss import rank_by_loss as rank_by_loss
from ._solve import solve as solve
from ._solve_many import solve_many as solve_many
from .averages import (
    ClosedForm as ClosedForm,
)
from .averages import (
    Sampled as Sampled,
)
from .averages import (
    missing_closed_form as missing_closed_form,
)
from .averages import (
    require_closed_form as require_closed_form,
)
from .stability import (
    Critical as Critical,
)
from .stability import (
    FixedPoint as FixedPoint,
)
from .stability import (
    Plateau as Plateau,
)
from .stability import (
    critical as critical,
)
from .stability import (
    fixed_points as fixed_points,
)
from .stability import (
    known_guesses as known_guesses,
)
from .stability import (
    plateau as plateau,
)
