"""Tell whether 32 bytes are a public key on Ed25519 that only its owner can sign for (RFC 8032 section 5.1.3)."""

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P


def is_sound(encoded: bytes) -> bool:
    """Say whether *encoded* is the one encoding of a point on the curve whose order is not small.

    For a point of small order anybody can make signatures that hold.
    """
    number = int.from_bytes(encoded, "little")
    y, odd = number & ((1 << 255) - 1), number >> 255
    if y >= _P:
        return False
    square = y * y % _P
    x_square = (square - 1) * pow(_D * square + 1, -1, _P) % _P
    if x_square == 0 and odd:
        return False
    if pow(x_square, (_P - 1) // 2, _P) > 1:  # Euler's criterion: no root, no point
        return False
    # The orders 1, 2 and 4 have y = 1, -1 and 0; those of order 8 double to y = 0, which is x*x + y*y = 0.
    return y not in (0, 1, _P - 1) and (x_square + square) % _P != 0
