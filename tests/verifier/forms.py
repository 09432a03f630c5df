"""The forms of docs/EVIDENCE.md: from bytes to plain values, or Malformed. What a form names is required, a key of a map that it
does not name is skipped, arrays have exactly the elements they are told to have."""

from hashlib import sha256
from hmac import digest as hmac_digest

from cbor import Malformed, decode, encode, head as cbor_head, shallow
from ustar import MANIFEST, good_name

ZERO_LINK = bytes(32)
MAX_PAYLOAD = 4 << 20
MAX_KEYS_BYTES = 64 << 10
MAX_KEYS = 256
MAX_TOKEN = 64 << 10
MAX_OBJECTS = 1024
MAX_LISTED = 65_536  # certificates, receipts, heads, heads of a witness
MAX_RUNS = 1_048_576
MAX_STEPS = 4_194_304
MAX_RECORDS = 65_536
MAX_PATH = 64
MAX_NOTE = 256
MAX_FILE = 256  # name of an original or copy, well-formed or not: what is no name of a member is not there
MAX_PARTS = 8
MAX_PART = 65_536
MAX_COPIES = 8
MAX_COMMUNE = 99_999
U32, U63, U64 = 2**32 - 1, 2**63 - 1, 2**64 - 1


def hash_of(data):
    return sha256(data).digest()


# Values. `type(..) is` and not isinstance: True is an int to Python.


def uint(value, most=U64):
    if type(value) is not int or not 0 <= value <= most:
        raise Malformed("no uint, or too large")
    return value


def sint(value):
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise Malformed("no int")
    return value


def raw(value, size):
    if type(value) is not bytes or len(value) != size:
        raise Malformed("no bytes of this length")
    return value


def blob(value, most=U64):
    if type(value) is not bytes or len(value) > most:
        raise Malformed("no bytes, or too many")
    return value


def text(value, most):
    if type(value) is not str or len(value.encode()) > most:
        raise Malformed("no text, or too long")
    return value


def listed(value, most=U64, least=0):
    if type(value) is not list or not least <= len(value) <= most:
        raise Malformed("no array, or not of this length")
    return value


def tuple_of(value, size):
    return listed(value, size, size)


def form(fields, *named):
    """A map with the keys named; what stands under others is skipped, and must not be too deep to be skipped."""
    if type(fields) is not dict:
        raise Malformed("no map")
    for key, value in fields.items():
        if key not in named:
            shallow(value)
    return fields


def field(fields, key):
    if key not in fields:
        raise Malformed("a key is missing")
    return fields[key]


def maybe(fields, key, check, otherwise=None):
    return check(fields[key]) if key in fields else otherwise


def entry_name(value):
    log, seq = tuple_of(value, 2)
    return raw(log, 8), uint(seq)


def ascending(values):
    if any(b <= a for a, b in zip(values, values[1:])):
        raise Malformed("not strictly ascending")


# Statements


def statement(data):
    """(key id, payload, signature), the payload unread."""
    key_id, payload, signature = tuple_of(decode(data), 3)
    return raw(key_id, 8), blob(payload, MAX_PAYLOAD), raw(signature, 64)


def value_of(payload, purpose):
    said, value = tuple_of(decode(payload), 2)
    if said != purpose:
        raise Malformed("another purpose")
    return value


def key_id(public):
    return hash_of(public)[:8]


def fingerprint(root):
    return hash_of(encode(["yb1/root", root]))


def statements(data):
    """The byte strings of certificates.cbor, receipts.cbor, heads.cbor and of a witness."""
    return [blob(one) for one in listed(decode(data), MAX_LISTED)]


def keys_value(value):
    """(commune, name of the hub, root, [(purpose, key, since, retired)])"""
    form(value, 0, 1, 2, 3, 4)
    keys = []
    for one in listed(field(value, 4), MAX_KEYS):
        purpose, public, since, retired = tuple_of(one, 4)
        keys.append((uint(purpose, 255), raw(public, 33), sint(since), None if retired is None else sint(retired)))
    uint(field(value, 3))
    return uint(field(value, 0), MAX_COMMUNE), text(field(value, 1), 256), raw(field(value, 2), 33), keys


def manifest_version(payload):
    """The version, read before anything else of the value: of another version nothing more is known."""
    major, count, at = cbor_head(payload, 0)
    if (major, count) != (4, 2):
        raise Malformed("no pair")
    purpose = encode("yb1/bundle")
    if payload[at : at + len(purpose)] != purpose:
        raise Malformed("another purpose")
    major, count, at = cbor_head(payload, at + len(purpose))
    if major != 5 or not count:
        raise Malformed("no map")
    if cbor_head(payload, at)[:2] != (0, 0):
        raise Malformed("no version")
    major, version, _ = cbor_head(payload, at + 1)
    if major != 0:
        raise Malformed("no version")
    return version


class Manifest:
    def __init__(self, payload):
        value = value_of(payload, "yb1/bundle")
        form(value, *range(10))
        self.version = uint(field(value, 0))
        self.commune = uint(field(value, 1), MAX_COMMUNE)
        self.hub = text(field(value, 2), 256)
        self.epoch = raw(field(value, 3), 8)
        self.exported = sint(field(value, 4))
        self.purpose = text(field(value, 5), 1024)
        incidents = field(value, 6)
        self.incidents = None if incidents is None else [entry_name(one) for one in listed(incidents, least=1)]
        files = [self._file(one) for one in listed(field(value, 7))]
        ascending([name for name, _ in files])
        self.files = dict(files)
        self.items = {}
        for one in listed(field(value, 8)):
            log, seq, branch, original = tuple_of(one, 4)
            item = (raw(log, 8), uint(seq), uint(branch, U32))
            if self.items and item <= last:
                raise Malformed("not strictly ascending")
            last = item
            self.items[item] = None if original is None else text(original, MAX_FILE)
        self.copies = []
        for one in listed(field(value, 9)):
            log, seq, branch, kind, name = tuple_of(one, 5)
            item = (raw(log, 8), uint(seq), uint(branch, U32))
            if item not in self.items or uint(kind) not in (1, 2):
                raise Malformed("copy of nothing, or of an unknown kind")
            self.copies.append((item, kind, text(name, MAX_FILE)))
        ascending([name.encode() for _, _, name in self.copies])

    @staticmethod
    def _file(one):
        name, size, digest = tuple_of(one, 3)
        if not good_name(text(name, U64).encode()) or name == MANIFEST:
            raise Malformed("not a name for a file")
        return name, (uint(size), raw(digest, 32))


def device_value(value):
    """(device, signing key, commune, issued)"""
    form(value, *range(9))
    raw(field(value, 2), 33), uint(field(value, 4), U32), uint(field(value, 5), U32), uint(field(value, 6), 4), sint(field(value, 8))
    return raw(field(value, 0), 8), raw(field(value, 1), 33), uint(field(value, 3), MAX_COMMUNE), sint(field(value, 7))


def receipt_value(value):
    """(log, {(sealed hash, sealed size)}, hub time, quarantined)"""
    form(value, *range(9))
    raw(field(value, 1), 8), uint(field(value, 6)), maybe(value, 7, uint)
    for key in (2, 3):
        for one in listed(value.get(key, []), MAX_OBJECTS):
            first, last, link = tuple_of(one, 3)
            uint(first), uint(last), raw(link, 32)
    objects = set()
    for one in listed(value.get(4, []), MAX_OBJECTS):
        sealed, size = tuple_of(one, 2)
        objects.add((raw(sealed, 32), uint(size)))
    quarantined = value.get(8, False)
    if type(quarantined) is not bool:
        raise Malformed("no bool")
    return raw(field(value, 0), 8), objects, sint(field(value, 5)), quarantined


def token_value(value):
    """Hub time"""
    form(value, 0, 1)
    raw(field(value, 1), 8)
    return sint(field(value, 0))


def item_value(value):
    """(scope, epoch, issued, kind, value)"""
    form(value, 0, 1, 2, 3, 4, 5)
    uint(field(value, 2)), raw(field(value, 3), 32)
    return field(value, 0), raw(field(value, 1), 8), sint(field(value, 4)), uint(field(value, 5)), field(value, 6)


def head_value(value):
    """(day, chains, root, hash before, made at, number): all six fields of a head over all chains"""
    form(value, 0, 1, 2, 3, 4, 5)
    return (
        uint(field(value, 0), U32),
        uint(field(value, 1)),
        raw(field(value, 2), 32),
        raw(field(value, 3), 32),
        sint(field(value, 4)),
        uint(field(value, 5)),
    )


def head_hash(head):
    day, chains, root, before, made, number = head
    return hash_of(encode(["yb1/day", number, day, chains, root, before, made]))


# Logs


class Body:
    """A disclosed entry: `says` is the kind part 0 says it is, None when it says none of the four, and what is read of it."""

    def __init__(self, value):
        salt, *parts = listed(value, MAX_PARTS + 1, 2)
        self.whole = salt is not None
        if self.whole:
            raw(salt, 16)
        self.parts, hashes = [], []
        for i, part in enumerate(parts):
            if self.whole:
                kind, content = tuple_of(part, 2)
                salt_i = hmac_digest(salt, encode(i), "sha256")[:16]
            else:
                kind, content, salt_i = tuple_of(part, 3)
            uint(kind, 255)
            if content is None and not self.whole:
                hashes.append(raw(salt_i, 32))
            else:
                shallow(decode(blob(content, MAX_PART)))
                hashes.append(hash_of(encode(["yb1/part", kind, raw(salt_i, 16), content])))
            self.parts.append(content)
        self.commit = hash_of(encode(["yb1/body", len(hashes), *hashes]))
        self.says = self.subject = self.facts = None
        if self.parts[0] is not None:
            try:
                self._read(decode(self.parts[0]))
            except Malformed:
                pass
        if self.says in (9, 13) and len(self.parts) > 1 and self.parts[1] is not None:
            try:
                self.facts = (photo_facts if self.says == 9 else made_facts)(decode(self.parts[1]))
            except Malformed:
                pass

    def erased(self, part):
        return part < len(self.parts) and self.parts[part] is None

    def _read(self, fields):
        kind = uint(field(form(fields, 0), 0))
        if kind == 0:
            self.key = raw(field(fields, 16), 33)
        elif kind == 7:
            self.announced = maybe(fields, 18, lambda value: uint(value, U32), 0)
        elif kind == 9:
            self.subject = maybe(fields, 16, entry_name)
        elif kind == 13:
            self.subject = entry_name(field(fields, 16))
        else:
            return
        self.says = kind


def photo_facts(fields):
    """(hash, size, sealed hash, sealed size)"""
    form(fields, 0, 1, 2, 3)
    return raw(field(fields, 0), 32), uint(field(fields, 1)), raw(field(fields, 2), 32), uint(field(fields, 3))


def made_facts(fields):
    """(hash of the photo, {(kind, hash, size)})"""
    form(fields, 0, 2)
    made = set()
    for one in maybe(fields, 2, lambda value: listed(value, MAX_COPIES), []):
        kind, digest, size, sealed, sealed_size, width, height = tuple_of(one, 7)
        uint(sealed_size), uint(width), uint(height), raw(sealed, 32)
        made.add((uint(kind), raw(digest, 32), uint(size)))
    return raw(field(fields, 0), 32), made


class Run:
    """`last` is the number of its last step, `links[n]` the link after step n, `bodies` {seq: Body}, `heads` [Head]."""

    def __init__(self, value, log):
        first, previous, steps, heads = tuple_of(value, 4)
        self.first, self.previous = uint(first, U63), raw(previous, 32)
        self.last = self.first + len(listed(steps, MAX_STEPS, 1)) - 1
        uint(self.last, U63)
        self.links, self.bodies, link = [], {}, previous
        for seq, step in enumerate(steps, first):
            if type(step) is bytes:
                commit = raw(step, 32)
            else:
                self.bodies[seq] = body = Body(step)
                commit = body.commit
            link = hash_of(encode(["yb1/link", log, seq, link, commit]))
            self.links.append(link)
        self.heads = [Head(one, self, log) for one in listed(heads, MAX_RUNS)]


class Head:
    """`message` is what it signs, None when it lies outside its run."""

    def __init__(self, value, run, log):
        seq, device, token, signature = tuple_of(value, 4)
        self.seq, self.device, self.signature = uint(seq), raw(device, 8), raw(signature, 64)
        self.token = None if token is None else blob(token, MAX_TOKEN)
        self.message = None
        if run.first <= seq <= run.last:
            link = run.links[seq - run.first]
            self.message = encode(["yb1/head", log, seq, link, device, token])


class Log:
    def __init__(self, data):
        log, branch, runs = tuple_of(decode(data), 3)
        self.log, self.branch = raw(log, 8), uint(branch, U32)
        self.runs = [Run(one, log) for one in listed(runs, MAX_RUNS, 1)]
        self.bodies = {seq: body for run in reversed(self.runs) for seq, body in run.bodies.items()}


# Custody


class Custody:
    """`records` [(action, at, hash, size, note)], `links[n]` the link after record n, `proofs` [(number, records, index, path)]."""

    def __init__(self, data):
        log, seq, branch, records, proofs = tuple_of(decode(data), 5)
        self.item = (raw(log, 8), uint(seq), uint(branch, U32))
        self.records, self.links, link = [], [], ZERO_LINK
        for number, one in enumerate(listed(records, MAX_RECORDS, 1)):
            facts, salt, who = tuple_of(one, 3)
            self.records.append(self._facts(shallow(decode(blob(facts)))))
            if salt is None:
                commit = raw(who, 32)
            else:
                actor, purpose = tuple_of(decode(blob(who)), 2)
                text(actor, 256), text(purpose, 1024)
                commit = hash_of(encode(["yb1/custody-who", raw(salt, 16), who]))
            link = hash_of(encode(["yb1/custody", log, seq, branch, number, link, facts, commit]))
            self.links.append(link)
        self.proofs = []
        for one in listed(proofs, MAX_RECORDS):
            number, covered, index, path = tuple_of(one, 4)
            path = tuple(raw(node, 32) for node in listed(path, MAX_PATH))
            self.proofs.append((uint(number), uint(covered), uint(index), path))

    @staticmethod
    def _facts(fields):
        form(fields, 0, 1, 2, 3, 4)
        facts = uint(field(fields, 0)), sint(field(fields, 1)), raw(field(fields, 2), 32), uint(field(fields, 3))
        return *facts, maybe(fields, 4, lambda value: text(value, MAX_NOTE))

    def leaf(self, covered):
        """The leaf of the tree when the chain stood at so many records."""
        link = self.links[covered - 1]
        return hash_of(b"\0" + encode(["yb1/custody-leaf", *self.item, covered, link]))


def included(leaf, index, size, path, root):
    """Inclusion proof of RFC 9162, 2.1.3.2."""
    if index >= size:
        return False
    at, last, node = index, size - 1, leaf
    for other in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            node = hash_of(b"\1" + other + node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = hash_of(b"\1" + node + other)
        at, last = at >> 1, last >> 1
    return last == 0 and node == root
