"""Know the RSA moduli that a broken generator made (ROCA, CVE-2017-15361).

The generator took primes of the form ``k * M + (65537 ** a mod M)`` with M a product of the first primes. So a modulus
made of two of them is, modulo each small prime, a power of 65537; another modulus is one for all of them only
once in some hundred million.
"""

_GENERATOR = 65537
_LARGEST = 167  # M of the smallest keys ends with this prime; larger keys have these primes and more


def _small_primes() -> list[int]:
    return [n for n in range(3, _LARGEST + 1) if all(n % smaller for smaller in range(2, n))]


def _powers(prime: int) -> frozenset[int]:
    found, power = {1}, _GENERATOR % prime
    while power != 1:
        found.add(power)
        power = power * _GENERATOR % prime
    return frozenset(found)


_SUBGROUPS = tuple((prime, _powers(prime)) for prime in _small_primes())


def has_fingerprint(modulus: int) -> bool:
    """Say whether *modulus* looks as if that generator had made it."""
    return all(modulus % prime in powers for prime, powers in _SUBGROUPS)
