"""The chain formulas once more, in another language and sharing no code: prints salt, commit and link.

Run `python3 protocol/tests/golden/chain.py` and compare with the .txt files beside it.
"""
import hashlib
import hmac


def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if n < 1 << (8 * size):
            return bytes([major << 5 | info]) + n.to_bytes(size, "big")
    raise ValueError(n)


def cbor(value):
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    return head(4, len(value)) + b"".join(cbor(item) for item in value)


def sha(value):
    return hashlib.sha256(cbor(value)).digest()


log = bytes([0x5A, 1, 2, 3, 4, 5, 6, 7])
salt = hmac.new(b"\x42" * 16, cbor(0), hashlib.sha256).digest()[:16]
part = sha(["yb1/part", 0, salt, b"\xa1\x00\x02"])
commit = sha(["yb1/body", 1, part])
link = sha(["yb1/link", log, 300, b"\x24" * 32, commit])
if __name__ == "__main__":
    print(salt.hex(), commit.hex(), link.hex(), sep="\n")
