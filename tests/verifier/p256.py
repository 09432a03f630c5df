"""ECDSA over P-256 with SHA-256, verification only, as docs/EVIDENCE.md wants it: compressed keys, raw r||s, low s.

Written to be read, in whole numbers of Python. Nothing here is secret, so nothing is constant in time.
Points are (x, y) in affine, (X, Y, Z) in Jacobian coordinates (x = X/Z^2, y = Y/Z^3); Z = 0 is the point at infinity.
"""

from functools import lru_cache
from hashlib import sha256

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
INFINITY = (1, 1, 0)


@lru_cache(maxsize=4096)
def point(public):
    """The point of a compressed SEC 1 key (33 bytes), or None when those bytes are no point of the curve."""
    if len(public) != 33 or public[0] not in (2, 3):
        return None
    x = int.from_bytes(public[1:], "big")
    if x >= P:
        return None
    square = (x * x * x - 3 * x + B) % P
    y = pow(square, (P + 1) // 4, P)  # a root when there is one, as P = 3 mod 4
    if y * y % P != square:
        return None
    return (x, y if y & 1 == public[0] & 1 else P - y)


def double(a):
    x, y, z = a
    if not z or not y:
        return INFINITY
    delta, gamma = z * z % P, y * y % P
    beta = x * gamma % P
    alpha = 3 * (x - delta) * (x + delta) % P
    x3 = (alpha * alpha - 8 * beta) % P
    z3 = 2 * y * z % P
    return (x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % P, z3)


def add(a, b):
    """Jacobian plus affine."""
    x1, y1, z1 = a
    x2, y2 = b
    if not z1:
        return (x2, y2, 1)
    zz = z1 * z1 % P
    h = (x2 * zz - x1) % P
    r = (y2 * zz * z1 - y1) % P
    if not h:
        return double(a) if not r else INFINITY
    hh = h * h % P
    hhh, v = h * hh % P, x1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return (x3, (r * (v - x3) - y1 * hhh) % P, z1 * h % P)


def affine(a):
    inverse = pow(a[2], -1, P)
    square = inverse * inverse % P
    return (a[0] * square % P, a[1] * square * inverse % P)


def affine_all(points):
    """affine() of each, with one inversion for all: products on the way there, undone on the way back."""
    products = [1]
    for a in points:
        products.append(products[-1] * a[2] % P)
    inverse, out = pow(products.pop(), -1, P), []
    for a, product in zip(reversed(points), reversed(products)):
        own = inverse * product % P
        inverse = inverse * a[2] % P
        square = own * own % P
        out.append((a[0] * square % P, a[1] * square * own % P))
    return out[::-1]


@lru_cache(maxsize=64)
def _table(base):
    """[i][d] = d * 16^i * base for a digit d of 1..15: a multiplication is then 64 additions. Worth it for keys that come often."""
    sums = []
    for _ in range(64):
        sum_ = (base[0], base[1], 1)
        for _ in range(15):
            sums.append(sum_)
            sum_ = add(sum_, base)
        base = affine(sum_)
    sums = affine_all(sums)
    return [[None, *sums[15 * i : 15 * i + 15]] for i in range(64)]


def _multiply_often(scalar, base, total):
    for row in _table(base):
        digit = scalar & 15
        if digit:
            total = add(total, row[digit])
        scalar >>= 4
    return total


def _multiply_once(scalar, base):
    total = INFINITY
    for bit in bin(scalar)[2:]:
        total = double(total)
        if bit == "1":
            total = add(total, base)
    return total


_uses = {}


@lru_cache(maxsize=200_000)
def verify(public, message, signature):
    """Whether `signature` (64 bytes) over `message` is that of the key `public` (33 bytes). Remembered: mutation runs ask again."""
    key = point(public)
    if key is None or len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < N and 0 < s <= N // 2):
        return False
    digest = int.from_bytes(sha256(message).digest(), "big")
    inverse = pow(s, -1, N)
    u, v = digest * inverse % N, r * inverse % N
    if len(_uses) > 10_000:
        _uses.clear()
    _uses[public] = uses = _uses.get(public, 0) + 1
    total = _multiply_once(v, key) if uses < 10 else _multiply_often(v, key, INFINITY)
    total = _multiply_often(u, G, total)
    return bool(total[2]) and affine(total)[0] % N == r
