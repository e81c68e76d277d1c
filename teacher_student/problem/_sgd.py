"""Online SGD: rates, weight decay and the loss."""

from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float

from .._errors import require_name
from .._public_module import PublicModule
from ..tables import LOSSES, SGDTable
from ._schedule import ScheduledNumber, as_rate


class SGD(PublicModule):
    """One-pass SGD. Each step uses one fresh sample and advances alpha = samples / N by 1/N:

      w_k <- w_k - eta / sqrt(N) g_k x - eta gamma / N w_k,      g_k = dloss/dlambda_k
      v_k <- v_k - eta_v / N dloss/dv_k - eta_v gamma / N v_k

    Arguments:
      learning_rate: eta >= 0, of the first layer.
      readout_learning_rate: eta_v >= 0, of the second layer. At 0 the readout is fixed.
      weight_decay: gamma >= 0, of both layers. A decay eta gamma that stays as it is while eta anneals is a schedule
        of gamma too.
      loss: "squared" is (yhat - y)^2 / 2, and "logistic" is log(1 + exp(-y yhat)).
    Each of the rates is a number, or a `ts.Schedule` of alpha.

    Raises InputError for a rate below 0 and for an unknown loss.
    Source: Saad & Solla 1995; Goldt et al. 2019, Eq. (4) (readout).
    """

    learning_rate: ScheduledNumber
    readout_learning_rate: ScheduledNumber
    weight_decay: ScheduledNumber
    loss: str = eqx.field(static=True)

    def __init__(
        self,
        learning_rate: Any,
        readout_learning_rate: Any = SGDTable.readout_learning_rate,
        weight_decay: Any = SGDTable.weight_decay,
        loss: str = SGDTable.loss,
    ):
        self.learning_rate = as_rate(learning_rate, "learning rate")
        self.readout_learning_rate = as_rate(readout_learning_rate, "readout learning rate")
        self.weight_decay = as_rate(weight_decay, "weight decay")
        require_name(loss, LOSSES, "loss")
        self.loss = loss

    def loss_slope(self, output: Float[Array, "*samples"], label: Float[Array, "*samples"]) -> Float[Array, "*samples"]:
        """Return the derivative of the loss in the student's output, sample by sample.

          dloss/dyhat = yhat - y (squared),      dloss/dyhat = -y sigmoid(-y yhat) (logistic)

        Arguments: output: (...) outputs yhat. label: (...) labels y.
        """
        if self.loss == "squared":
            return output - label
        return -label * jax.nn.sigmoid(-label * output)
