"""One hidden layer and a softmax, trained by plain SGD on minibatches with fresh pixel noise, in all orders at once."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ._digits import TenDigits
from ._plan import ORDERS, Softmax

Network = tuple[jax.Array, jax.Array, jax.Array, jax.Array]  # weights and biases of both layers


def trained(digits: TenDigits, sizes: Softmax, width: int, passes: float, keys: Any) -> np.ndarray:
    """Return the accuracy (order,) on held-out images with hard noise, of one start, at the end of a budget.

    All orders have the same start, the same batches and the same noise, but for its strength.

    Arguments: passes: over the images. keys: of the start, of the samples, and of the test.
    """
    batches = len(digits.images) // sizes.batch
    steps = max(round(passes * batches), 2)
    start = _start(keys[0], width, digits.images.shape[1], int(digits.labels.max()) + 1)
    order_key, noise_key = jax.random.split(keys[1])
    rows = _rows(order_key, len(digits.images), sizes.batch, steps)
    levels = digits.noise["easy"], digits.noise["hard"]
    images, labels, held_out = (jnp.asarray(x) for x in (digits.images, digits.labels, digits.held_out))
    ends = _steps(start, images, labels, rows, shares_of(steps), levels, sizes.rate, noise_key)
    hits = [
        _hits(ends, held_out, digits.held_out_labels, levels[1], key) for key in jax.random.split(keys[2], sizes.tests)
    ]
    accuracy: np.ndarray = np.mean(hits, axis=(0, 2))
    return accuracy


def shares_of(steps: int) -> np.ndarray:
    """Return the shares of easy samples (steps, order): the two halves of a budget."""
    halves = np.array(list(ORDERS.values()))
    shares: np.ndarray = halves[:, (2 * np.arange(steps)) // steps].T
    return shares


def _start(key: Any, width: int, inputs: int, classes: int) -> Network:
    """Return weights of variance 2/N and 1/K, and biases 0."""
    first, second = jax.random.split(key)
    W = jax.random.normal(first, (inputs, width)) * float(np.sqrt(2 / inputs))
    V = jax.random.normal(second, (width, classes)) / float(np.sqrt(width))
    return W, jnp.zeros(width), V, jnp.zeros(classes)


def _rows(key: Any, images: int, batch: int, steps: int) -> jax.Array:
    """Return the indices (steps, batch) of images: every pass has an order of its own."""
    batches = images // batch
    keys = jax.random.split(key, -(-steps // batches))
    passes = jax.vmap(lambda k: jax.random.permutation(k, images)[: batches * batch])(keys)
    return passes.reshape(-1, batch)[:steps]


@jax.jit
def _steps(
    start: Network,
    images: jax.Array,
    labels: jax.Array,
    rows: jax.Array,
    shares: jax.Array,
    levels: tuple[float, float],
    rate: float,
    key: Any,
) -> Network:
    """Return the networks of all orders (leading axis) after all steps."""

    def step(networks: Network, now: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[Network, None]:
        number, row, share = now
        level, noise = jax.random.split(jax.random.fold_in(key, number))
        drawn = jax.random.uniform(level, row.shape)
        xi = jax.random.normal(noise, (row.size, images.shape[1]))
        deviation = jnp.where(drawn[None, :] < share[:, None], *levels)  # of every order and sample
        inputs = images[row][None] + deviation[..., None] * xi[None]
        slopes = jax.vmap(jax.grad(_loss), (0, 0, None))(networks, inputs, labels[row])
        return jax.tree.map(lambda weight, slope: weight - rate * slope, networks, slopes), None

    copies = jax.tree.map(lambda x: jnp.broadcast_to(x, (shares.shape[1], *x.shape)), start)
    ends: Network
    ends, _ = jax.lax.scan(step, copies, (jnp.arange(len(rows)), rows, shares))
    return ends


def _outputs(network: Network, inputs: jax.Array) -> jax.Array:
    W, b, V, c = network
    return jax.nn.relu(inputs @ W + b[None]) @ V + c[None]


def _loss(network: Network, inputs: jax.Array, labels: jax.Array) -> jax.Array:
    """Return the cross-entropy of a softmax, averaged over a batch."""
    logs = jax.nn.log_softmax(_outputs(network, inputs))
    return -jnp.mean(jnp.take_along_axis(logs, labels[:, None], axis=1))


@jax.jit
def _hits(networks: Network, images: jax.Array, labels: jax.Array, deviation: float, key: Any) -> jax.Array:
    """Return whether each image is recognised by the network of each order (order, n), with the same noise for all."""
    noisy = images + deviation * jax.random.normal(key, images.shape)
    return jax.vmap(lambda network: jnp.argmax(_outputs(network, noisy), axis=1) == labels)(networks)
