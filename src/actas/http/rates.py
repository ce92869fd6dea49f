"""Limits on how often: a token bucket for each network, issuer or subject, bounded in number. Pure.

A bucket starts with *burst* tokens and gains *rate* a minute. When there are too many buckets, the one that was
used longest ago goes: it is the fullest.
"""

import math
from collections import OrderedDict


class Buckets:
    """One bucket for each key that called lately."""

    def __init__(self, *, rate: int, burst: int, most: int = 50_000) -> None:
        self._per_second = rate / 60
        self._burst = float(burst)
        self._most = most
        self._left: OrderedDict[object, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    def take(self, key: object, now: float) -> int:
        """Take one token for *key* at *now* (seconds, any clock that only goes forward).

        Give 0 where there was one, else the whole seconds until there will be.
        """
        if not self._per_second:
            return 0
        left, since = self._left.get(key, (self._burst, now))
        left = min(self._burst, left + max(0.0, now - since) * self._per_second)
        if left < 1:
            return max(1, math.ceil((1 - left) / self._per_second))
        if key not in self._left and len(self._left) >= self._most:
            self._left.popitem(last=False)
        self._left[key] = (left - 1, now)
        self._left.move_to_end(key)
        return 0
