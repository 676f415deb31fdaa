"""Logits of a tiny transformer in plain NumPy, for the golden test of `Transformer`.

    python3 crates/variational/tests/data/transformer.py

Four spins, width 4, two blocks, two heads; parameter k is 2 ((k * k * 7919) % 1009) / 1009 - 1. Prints the logits of P(+1)
for the configuration (+1, -1, -1, +1) with the tied and with the single-bit head.
"""
import numpy as np

N, D, LAYERS, HEADS = 4, 4, 2, 2
SPINS = [1, -1, -1, 1]


def logits(tied):
    size = 3 * D + N * D + LAYERS * (12 * D * D + 13 * D) + 2 * D + (0 if tied else D + 1)
    values = 2 * ((np.arange(size) ** 2 * 7919) % 1009) / 1009 - 1
    at = 0

    def take(*shape):
        nonlocal at
        at += int(np.prod(shape))
        return values[at - int(np.prod(shape)):at].reshape(shape)

    def norm(x, gain, shift):
        return gain * (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) + shift

    token, position = take(3, D), take(N, D)
    tokens = [2] + [0 if s > 0 else 1 for s in SPINS[:-1]]
    x = token[tokens] + position
    for _ in range(LAYERS):
        h = norm(x, take(D), take(D))
        w, b = take(D, 3 * D), take(3 * D)
        q, k, v = np.split(h @ w + b, 3, axis=-1)
        out = []
        for q, k, v in zip(*(np.split(m, HEADS, axis=-1) for m in (q, k, v))):
            score = np.where(np.tri(N) > 0, q @ k.T / np.sqrt(D // HEADS), -np.inf)
            weight = np.exp(score - score.max(-1, keepdims=True))
            out.append(weight / weight.sum(-1, keepdims=True) @ v)
        w, b = take(D, D), take(D)
        x = x + np.hstack(out) @ w + b
        h = norm(x, take(D), take(D))
        w, b = take(D, 4 * D), take(4 * D)
        z = h @ w + b
        z = 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))
        w, b = take(4 * D, D), take(D)
        x = x + z @ w + b
    h = norm(x, take(D), take(D))
    if tied:
        both = h @ token.T
        logit = both[:, 0] - both[:, 1]
    else:
        w, b = take(D, 1), take(1)
        logit = (h @ w + b)[:, 0]
    assert at == size
    return logit


for tied in (True, False):
    print("tied" if tied else "bit", [float(x) for x in logits(tied)])
