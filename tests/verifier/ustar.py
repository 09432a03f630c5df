"""The container: a ustar archive in which nothing is left to choice. Reads it as docs/EVIDENCE.md says, byte for byte."""

BLOCK = 512
MANIFEST = "manifest.cbor"
MIB = 1 << 20
MAX_MEMBERS = 10_000
MAX_PICTURE = 272 * MIB
MAX_OTHER = 64 * MIB
MAX_OTHERS = 512 * MIB
NAME_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789._-/")
OCTAL = frozenset(b"01234567")
ZEROS = bytes(BLOCK)


def good_name(name):
    """Whether these bytes are a well-formed name."""
    if not 1 <= len(name) <= 99 or not NAME_BYTES.issuperset(name):
        return False
    return all(piece and not piece.startswith(b".") for piece in name.split(b"/"))


def header(name, size):
    """The only header a member of this name (bytes) and size can have."""
    block = bytearray(BLOCK)
    for at, field in (
        (0, name),
        (100, b"0000644\0"),
        (108, b"0000000\0"),
        (116, b"0000000\0"),
        (124, b"%011o\0" % size),
        (136, b"00000000000\0"),
        (148, b"        "),
        (156, b"0"),
        (257, b"ustar\x0000"),
        (329, b"0000000\0"),
        (337, b"0000000\0"),
    ):
        block[at : at + len(field)] = field
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def picture(name):
    return name.startswith(("originals/", "copies/"))


def write(members):
    """The archive of these {name: content}."""
    out = []
    for name in sorted(members, key=lambda name: (name != MANIFEST, name)):
        content = members[name]
        out += [header(name.encode(), len(content)), content, bytes(-len(content) % BLOCK)]
    return b"".join(out) + bytes(2 * BLOCK)


def read(data):
    """({name: (start, end)} of every member read whole, how reading ended: None, "cut" or "form")."""
    members, at, others, before = {}, 0, 0, None
    while True:
        if len(data) - at < BLOCK:
            return members, "cut"
        block = bytes(data[at : at + BLOCK])
        if block == ZEROS:
            if len(data) - at < 2 * BLOCK:
                return members, "cut"
            whole = data[at + BLOCK : at + 2 * BLOCK] == ZEROS and len(data) == at + 2 * BLOCK
            return members, None if whole else "form"
        if len(members) == MAX_MEMBERS:
            return members, "form"
        raw, digits = block[:100].split(b"\0", 1)[0], block[124:135]
        if not OCTAL.issuperset(digits) or not good_name(raw):
            return members, "form"
        name, size = raw.decode(), int(digits, 8)
        if header(raw, size) != block or (name == MANIFEST) != (not members):
            return members, "form"
        if len(members) > 1 and name <= before:
            return members, "form"
        before = name
        if size > (MAX_PICTURE if picture(name) else MAX_OTHER):
            return members, "form"
        if not picture(name):
            others += size
            if others > MAX_OTHERS:
                return members, "form"
        start = at + BLOCK
        end = start + size
        at = end + -size % BLOCK
        if at > len(data):
            return members, "cut"
        if any(data[end:at]):
            return members, "form"
        members[name] = (start, end)
