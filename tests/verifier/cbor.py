"""Deterministic CBOR, the subset of docs/EVIDENCE.md ("Ground rules"): a reader that refuses everything else, and a writer.

Values are int, bytes, str, list, dict (unsigned integer keys), True, False and None; a map with any other key is an Odd, which no
form has and which may only stand where nobody looks. The reader never looks ahead and never
reserves room for what a length only claims, so hostile input costs no more than its own size.
"""

MAX_LEVELS = 16  # of a value that no form describes: it is level 1, what an array or map holds is one below
MAX_DEPTH = 32  # of what is read at all: forms are no deeper than 8, with such a value within


class Malformed(Exception):
    """The bytes are not of the form the document gives them."""


class Odd:
    """A map with other keys than unsigned integers: keys and contents."""

    def __init__(self, held):
        self.held = held


def shallow(value, levels=MAX_LEVELS):
    """`value`, which no form describes, when it has no more levels than it may have."""
    if levels == 0:
        raise Malformed("nested too deep")
    held = value.held if type(value) is Odd else value.values() if type(value) is dict else value if type(value) is list else ()
    for one in held:
        shallow(one, levels - 1)
    if type(value) is dict and value and levels == 1:
        raise Malformed("nested too deep")
    return value


def decode(data):
    """The one value that `data` consists of, or Malformed."""
    data = bytes(data)
    value, end = _item(data, 0, 0)
    if end != len(data):
        raise Malformed("bytes after the end")
    return value


def head(data, at):
    """(major type, argument, offset behind it) of the item at `at`; lengths and integers must be in their shortest form."""
    if at >= len(data):
        raise Malformed("ends early")
    first = data[at]
    major, info = first >> 5, first & 31
    at += 1
    if info < 24:
        return major, info, at
    if info > 27:
        raise Malformed("indefinite length or reserved")
    if major == 7:
        raise Malformed("float or long simple value")
    size = 1 << (info - 24)
    if at + size > len(data):
        raise Malformed("ends early")
    argument = int.from_bytes(data[at : at + size], "big")
    if argument < (24, 1 << 8, 1 << 16, 1 << 32)[info - 24]:
        raise Malformed("not in its shortest form")
    return major, argument, at + size


def _item(data, at, depth):
    major, argument, at = head(data, at)
    if major == 0:
        return argument, at
    if major == 1:
        return -1 - argument, at
    if major in (2, 3):
        end = at + argument
        if end > len(data):
            raise Malformed("ends early")
        piece = data[at:end]
        if major == 2:
            return piece, end
        try:
            return piece.decode("utf-8"), end
        except UnicodeDecodeError:
            raise Malformed("text is not UTF-8") from None
    if major in (4, 5):
        if depth == MAX_DEPTH:
            raise Malformed("nested too deep")
        if major == 4:
            values = []
            for _ in _count(argument, data, at):
                value, at = _item(data, at, depth + 1)
                values.append(value)
            return values, at
        pairs, before, plain = [], b"", True
        for _ in _count(argument, data, at):
            start = at
            key, at = _item(data, at, depth + 1)
            if data[start:at] <= before:
                raise Malformed("keys of a map do not ascend")
            before = data[start:at]
            plain = plain and data[start] >> 5 == 0
            content, at = _item(data, at, depth + 1)
            pairs.append((key, content))
        return dict(pairs) if plain else Odd([one for pair in pairs for one in pair]), at
    if major == 7 and argument in (20, 21, 22):
        return (False, True, None)[argument - 20], at
    raise Malformed("tag or simple value")


def _count(argument, data, at):
    # Every element takes a byte at least: a claim beyond that is refused before anything of it is read.
    if argument > len(data) - at:
        raise Malformed("ends early")
    return range(argument)


def encode(value):
    """The bytes of `value`."""
    if value is None:
        return b"\xf6"
    if value is True or value is False:
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _length(0, value) if value >= 0 else _length(1, -1 - value)
    if isinstance(value, bytes):
        return _length(2, len(value)) + value
    if isinstance(value, str):
        raw = value.encode("utf-8")
        return _length(3, len(raw)) + raw
    if isinstance(value, (list, tuple)):
        return _length(4, len(value)) + b"".join(map(encode, value))
    if isinstance(value, dict):
        pairs = sorted((encode(key), encode(content)) for key, content in value.items())
        return _length(5, len(pairs)) + b"".join(key + content for key, content in pairs)
    raise TypeError(f"no CBOR form: {type(value)}")


def _length(major, argument):
    if argument < 24:
        return bytes([major << 5 | argument])
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << (8 * size):
            return bytes([major << 5 | info]) + argument.to_bytes(size, "big")
    raise ValueError("beyond 64 bits")
