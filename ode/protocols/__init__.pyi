# The facade's names and where they are; `__init__.py` loads each when it is first used.
from ._certificate import Certificate as Certificate
from ._constraints import Budget as Budget
from ._constraints import FixedShares as FixedShares
from ._costs import Final as Final
from ._costs import Integrated as Integrated
from ._costs import Own as Own
from ._costs import TimeTo as TimeTo
from ._number_controls import Number as Number
from ._number_controls import Values as Values
from ._optimize import optimize as optimize
from ._optimum import Named as Named
from ._optimum import Optimum as Optimum
from ._optimum import Search as Search
from ._order_controls import Order as Order
from ._order_controls import Shares as Shares
from ._order_controls import Switches as Switches
from ._stretches import Stretch as Stretch
