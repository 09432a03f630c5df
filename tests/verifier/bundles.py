#!/usr/bin/env python3
"""A writer of evidence bundles for tests, from docs/EVIDENCE.md alone: a small whole commune, bundles that break one rule each, and
mutants: one value changed at random *before* it is signed, so that every signature around it holds and the deep rules are reached.

    bundles.py DIR MUTANTS SEED      writes bundles to DIR and a line of JSON about each to stdout, as verify.py --batch reads them

The keys here are made from fixed words and guard nothing.
"""

import copy
import hmac
import json
import os
import random
import sys
from hashlib import sha256

import p256
import ustar
from cbor import encode
from forms import fingerprint, hash_of, head_hash, key_id

DAY = 86_400_000
T0 = 1_790_000_000_000
ZERO = bytes(32)
EPOCH = b"epoch-01"


class Key:
    def __init__(self, word):
        self.secret = int.from_bytes(sha256(word.encode()).digest(), "big") % (p256.N - 1) + 1
        x, y = p256.affine(p256._multiply_often(self.secret, p256.G, p256.INFINITY))
        self.public = bytes([2 + (y & 1)]) + x.to_bytes(32, "big")
        self.kept = {}

    def sign(self, message):
        """RFC 6979, s made low; remembered, as mutants sign mostly what was signed before."""
        if message not in self.kept:
            r, s = sign(self.secret, message)
            self.kept[message] = r.to_bytes(32, "big") + min(s, p256.N - s).to_bytes(32, "big")
        return self.kept[message]


def sign(secret, message):
    """(r, s) by RFC 6979 with SHA-256."""
    digest = sha256(message).digest()
    e = int.from_bytes(digest, "big")
    seed = secret.to_bytes(32, "big") + (e % p256.N).to_bytes(32, "big")
    v, k = b"\1" * 32, bytes(32)
    for mark in (b"\0", b"\1"):
        k = hmac.digest(k, v + mark + seed, "sha256")
        v = hmac.digest(k, v, "sha256")
    while True:
        v = hmac.digest(k, v, "sha256")
        nonce = int.from_bytes(v, "big")
        if 0 < nonce < p256.N:
            r = p256.affine(p256._multiply_often(nonce, p256.G, p256.INFINITY))[0] % p256.N
            return r, pow(nonce, -1, p256.N) * (e + r * secret) % p256.N
        k = hmac.digest(k, v + b"\0", "sha256")
        v = hmac.digest(k, v, "sha256")


ROOT, HUB, HUB_2, AN, BA, STRANGER = map(Key, ("root", "hub", "hub 2", "an", "ba", "stranger"))


def tree(leaves):
    """RFC 9162, 2.1.1"""
    if len(leaves) < 2:
        return leaves[0] if leaves else hash_of(b"")
    k = half(len(leaves))
    return hash_of(b"\1" + tree(leaves[:k]) + tree(leaves[k:]))


def path(index, leaves):
    """RFC 9162, 2.1.3.1"""
    if len(leaves) < 2:
        return []
    k = half(len(leaves))
    if index < k:
        return path(index, leaves[:k]) + [tree(leaves[k:])]
    return path(index - k, leaves[k:]) + [tree(leaves[:k])]


def half(size):
    """The largest power of two below size"""
    return 1 << (size - 1).bit_length() - 1


def made_of(word):
    return sha256(word.encode()).digest()


class Body:
    """An entry that is disclosed; `erase` names parts whose content goes (and with it the salt of the whole)."""

    def __init__(self, word, *parts):
        self.salt, self.parts, self.erase, self.withheld = made_of(word)[:16], [list(part) for part in parts], set(), False


class Commune:
    """The values of a bundle; tests change them before `build` encodes and signs."""

    def __init__(self):
        self.touch = lambda label, value: value  # every value passes here before it is encoded
        self.touch_bytes = lambda label, data: data  # and its bytes before they are signed
        self.commune, self.exported, self.version = 123, T0 + 5 * DAY, 1
        self.hub_key = HUB
        self.keys = [
            [0, STRANGER.public, T0, None],
            [2, HUB_2.public, T0 - 90 * DAY, T0 - 2 * DAY],
            [2, HUB.public, T0, None],
        ]
        self.devices = [[b"device-a", AN, T0], [b"device-b", BA, T0]]
        self.originals = {"a2": b"jpeg of two " * 40, "a5": b"jpeg of five" * 60, "b7": b"jpeg of seven" * 30}
        self.preview = b"webp of two" * 9
        self.a, self.b = b"\x5a\1\2\3\4\5\6\7", b"\x5b\1\2\3\4\5\6\7"
        self.incident = [self.a, 1]
        self.logs = [
            {
                "log": self.a,
                "branch": 0,
                "key": AN,
                "runs": [[0, ZERO, [self.started(AN), self.report(2), self.photo("a2"), self.previews(), made_of("other"), self.photo("a5")], [[3, b"device-a", T0 + 2000], [5, b"device-a", None]]]],
            },
            {
                "log": self.b,
                "branch": 1,
                "key": BA,
                "runs": [
                    [4, made_of("before 4"), [made_of("4"), made_of("5")], [[5, b"device-b", None]]],
                    [7, made_of("before 7"), [self.photo("b7"), made_of("8")], [[8, b"device-b", T0 + 9000]]],
                ],
            },
        ]
        self.items = [[self.a, 2, 0, "originals/a2.jpg"], [self.a, 5, 0, "originals/a5.heic"], [self.b, 7, 1, "originals/b7.jpg"]]
        self.copies = [[self.a, 2, 0, 1, "copies/a2-preview.webp"]]
        self.incidents = [self.incident]
        self.receipts = [
            {0: self.a, 1: EPOCH, 2: [[0, 5, made_of("link")]], 3: [], 4: [self.sealed("a2"), self.sealed("a5")], 5: T0 + 66_000, 6: 86_400},
            {0: self.b, 1: EPOCH, 2: [], 3: [[4, 5, made_of("link")]], 4: [self.sealed("b7")], 5: T0 + DAY + 70_000, 6: 0, 8: False},
        ]
        self.records = {}
        for word, came in (("a2", T0 + 60_000), ("a5", T0 + 66_000), ("b7", T0 + DAY + 70_000)):
            about = self.about(word)
            self.records[word] = [self.record(word, action, came + action, about) for action in (0, 1)]
        self.records["a2"].append(self.record("a2", 3, T0 + 65_000, [hash_of(self.preview), len(self.preview)], note="1600"))
        for word in self.records:
            self.records[word].append(self.record(word, 4, self.exported, self.about(word)))
        # Under each head: how many chains, and how many records of each of ours ("" are chains of others).
        self.trees = [{"a2": 2, "": 3}, {"a2": 3, "a5": 2, "": 3}, {"a2": 4, "a5": 3, "b7": 3, "": 4}]
        self.head_times = [T0 + 62_000, T0 + DAY, self.exported + 1]
        self.proved = {"a2": [0, 1, 2], "a5": [1, 2], "b7": [2]}
        self.extra = {"minute.html": b"<!doctype html><title>Bien ban</title>"}
        self.members = {}  # put in place of (or beside) what is built, before it is listed
        self.gone = set()  # listed, and not there
        self.unlisted = {}  # there, and not listed
        self.end = lambda data: data
        self.witness = None

    # Values

    def started(self, key):
        return Body("started", [0, encode({0: 0, 16: key.public})])

    def report(self, photos):
        return Body("report", [0, encode({0: 7, 16: "what", 18: photos})], [1, encode({0: "Ngap"})])

    def photo(self, word):
        facts = dict(enumerate([*self.about(word), *self.sealed(word), "image/jpeg"]))
        return Body(word, [0, encode({0: 9, 3: T0, 16: self.incident})], [1, encode(facts)])

    def previews(self):
        made = [[1, hash_of(self.preview), len(self.preview), made_of("sealed preview"), 200, 160, 120]]
        photo = hash_of(self.originals["a2"])
        return Body("previews", [0, encode({0: 13, 16: [self.a, 2]})], [1, encode({0: photo, 2: made})])

    def about(self, word):
        return [hash_of(self.originals[word]), len(self.originals[word])]

    def sealed(self, word):
        return [made_of("sealed " + word), len(self.originals[word]) + 120]

    def record(self, word, action, at, about, note=None):
        facts = {0: action, 1: at, 2: about[0], 3: about[1]}
        if note:
            facts[4] = note
        return [facts, made_of(f"{word} {action}")[:16], ["chi Ba", "kiem tra"]]

    # Bytes

    def coded(self, label, value):
        return self.touch_bytes(label, encode(self.touch(label, value)))

    def statement(self, purpose, value, key):
        payload = self.coded("payload", [purpose, self.touch(purpose, value)])
        return self.coded("statement", [key_id(key.public), payload, key.sign(payload)])

    def token(self, time):
        return self.statement("yb1/token", {0: time, 1: EPOCH}, self.hub_key)

    def body(self, body):
        hashes, shown = [], []
        for i, (kind, content) in enumerate(body.parts):
            content = self.touch_bytes("part", content)
            salt = hmac.digest(body.salt, encode(i), "sha256")[:16]
            hashes.append(hash_of(encode(["yb1/part", kind, salt, content])))
            gone = i in body.erase
            shown.append([kind, None if gone else content, hashes[-1] if gone else salt])
        commit = hash_of(encode(["yb1/body", len(hashes), *hashes]))
        if body.erase or body.withheld:
            return commit, [None, *shown]
        return commit, [body.salt, *([kind, content] for kind, content, _ in shown)]

    def log(self, log):
        runs = []
        for first, previous, steps, heads in self.touch("runs", log["runs"]):
            links, shown, link = [], [], previous
            for seq, step in enumerate(steps, first):
                commit, value = (step, step) if isinstance(step, bytes) else self.body(step)
                link = hash_of(encode(["yb1/link", log["log"], seq, link, commit]))
                links.append(link)
                shown.append(self.touch("step", value))
            signed = []
            for seq, device, token in heads:
                token = token if token is None else self.token(token)
                link = links[seq - first] if 0 <= seq - first < len(links) else ZERO
                message = encode(["yb1/head", log["log"], seq, link, device, token])
                signed.append(self.touch("head", [seq, device, token, log["key"].sign(message)]))
            runs.append([first, previous, shown, signed])
        return self.coded("log", [log["log"], log["branch"], runs])

    def custody(self):
        """Bytes of custody/<item>.cbor by word, and the heads."""
        links, shown = {}, {}
        for word, item in zip(("a2", "a5", "b7"), self.items):
            links[word], shown[word], link = [], [], ZERO
            for number, (facts, salt, who) in enumerate(self.records[word]):
                facts = self.coded("facts", facts)
                erased = salt is None
                who = self.coded("who", who)
                commit = hash_of(encode(["yb1/custody-who", salt or b"\0" * 16, who]))
                link = hash_of(encode(["yb1/custody", *item[:3], number, link, facts, commit]))
                links[word].append(link)
                shown[word].append([facts, None, commit] if erased else [facts, salt, who])
        heads, trees, before, items = [], [], ZERO, dict(zip(("a2", "a5", "b7"), self.items))
        for number, chains in enumerate(self.trees):
            leaves = [(b"other " + bytes([48 + i]) + b"x", 1, 0, 1, made_of(f"{number} {i}")) for i in range(chains[""])]
            for word, covered in chains.items():
                if word:
                    leaves.append((*items[word][:3], covered, links[word][covered - 1]))
            leaves.sort()
            hashes = [hash_of(b"\0" + encode(["yb1/custody-leaf", *leaf])) for leaf in leaves]
            trees.append(([leaf[:3] for leaf in leaves], hashes))
            head = {0: 20260901 + number, 1: len(leaves), 2: tree(hashes), 3: before, 4: self.head_times[number], 5: number}
            heads.append(head)
            before = head_hash((head[0], head[1], head[2], head[3], head[4], head[5]))
        files = {}
        for word, item in items.items():
            proofs = []
            for number in self.proved[word]:
                names, hashes = trees[number]
                index = names.index(tuple(item[:3]))
                proofs.append([number, self.trees[number][word], index, path(index, hashes)])
            files[word] = self.coded("custody", [*item[:3], shown[word], self.touch("proofs", proofs)])
        return files, heads

    def head_item(self, head, number, epoch=EPOCH, kind=5, scope=None, key=None):
        scope = scope or [1, self.commune]
        value = {0: scope, 1: epoch, 2: 40 + number, 3: made_of("item"), 4: T0 + number * DAY, 5: kind, 6: head}
        return self.statement("yb1/item", value, key or self.hub_key)

    def build(self):
        files, heads = self.custody()
        members = {f"custody/{i[0].hex()}-{i[1]}-{i[2]}.cbor": files[w] for w, i in zip(("a2", "a5", "b7"), self.items)}
        for log in self.logs:
            members[f"logs/{log['log'].hex()}-{log['branch']}.cbor"] = self.log(log)
        members.update({item[3]: self.originals[word] for word, item in zip(("a2", "a5", "b7"), self.items) if item[3]})
        members.update({one[4]: self.preview for one in self.copies})
        members["keys.cbor"] = self.statement("yb1/keys", {0: self.commune, 1: "Xa Thu", 2: ROOT.public, 3: 3, 4: self.keys}, ROOT)
        certificates = [
            self.statement("yb1/device", {0: name, 1: key.public, 2: key.public, 3: self.commune, 4: 7, 5: 12, 6: 1, 7: issued, 8: T0 + 400 * DAY}, self.hub_key)
            for name, key, issued in self.devices
        ]
        members["certificates.cbor"] = self.coded("certificates", certificates)
        members["receipts.cbor"] = self.coded("receipts", [self.statement("yb1/receipt", one, self.hub_key) for one in self.receipts])
        self.heads = heads
        members["heads.cbor"] = self.coded("heads", [self.head_item(head, number) for number, head in enumerate(heads)])
        members.update(self.extra)
        members.update(self.members)
        members = {name: content for name, content in members.items() if content is not None}
        files = [[name, len(content), hash_of(content)] for name, content in sorted(members.items())]
        value = {
            0: self.version, 1: self.commune, 2: "Xa Thu", 3: EPOCH, 4: self.exported, 5: "toa an yeu cau",
            6: self.incidents, 7: files, 8: self.items, 9: self.copies,
        }  # fmt: skip
        manifest = self.statement("yb1/bundle", value, self.hub_key)
        members = {name: content for name, content in members.items() if name not in self.gone}
        members.update(self.unlisted)
        members.setdefault("manifest.cbor", manifest)
        members = {name: content for name, content in members.items() if content is not None}
        return self.end(ustar.write(members))


FINGERPRINT = fingerprint(ROOT.public).hex()
ODD_KEYS = (-1, "a", b"", None, True, (), (1,))
ODD_INTS = (0, 1, 2, 23, 24, 255, 256, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1, -1, -(2**63), -(2**64), 99_999, 100_000)


def disturb(value, random):
    """A copy of `value` with one node of it changed. Bodies and the like (no CBOR) stay as they are."""
    value = copy.deepcopy(value)
    nodes = []

    def visit(holder, key):
        nodes.append((holder, key))
        one = holder[key]
        for inner in range(len(one)) if isinstance(one, list) else list(one) if isinstance(one, dict) else ():
            visit(one, inner)

    whole = [value]
    visit(whole, 0)
    holder, key = random.choice(nodes)
    one = holder[key]
    choice = random.random()
    if choice < 0.08:
        holder[key] = random.choice([None, True, False, 0, b"", "", [], {}, [0], "yb1/item", bytes(8), bytes(32)])
    elif isinstance(one, bool) or one is None:
        holder[key] = random.choice([None, True, False, 1, bytes(32)])
    elif isinstance(one, int):
        holder[key] = one + random.choice([1, -1]) if choice < 0.5 else random.choice(ODD_INTS)
        if not -(2**64) <= holder[key] < 2**64:
            holder[key] = 0
    elif isinstance(one, bytes):
        at = random.randrange(len(one) + 1)
        flipped = bytes([one[at] ^ 1 << random.randrange(8)]) if at < len(one) else b"x"
        holder[key] = one[:at] + (flipped if choice < 0.7 else b"") + one[at + 1 :]
    elif isinstance(one, str):
        holder[key] = random.choice([one + "x", one[1:], one * 200, "\u0000", "yb1/token"])
    elif isinstance(one, list):
        at = random.randrange(len(one) + 1)
        if choice < 0.3:
            one[at : at + 1] = []
        elif choice < 0.6:
            one[at:at] = one[at : at + 1] or [0]
        else:
            other = random.randrange(len(one) + 1)
            one[at : at + 1], one[other : other + 1] = one[other : other + 1], one[at : at + 1]
    elif isinstance(one, dict):
        if one and choice < 0.5:
            del one[random.choice(list(one))]
        else:
            key = random.choice([0, 5, 7, 8, 10, 16, 18, 24, 999] if choice < 0.9 else ODD_KEYS)
            one[key] = random.choice([0, 1, None, False, {}, {1: {}}, {random.choice(ODD_KEYS): 0}, [[[]]], -(2**64), bytes(32), nest(random.randrange(11, 17))])
    return whole[0]


def nest(depth):
    value = 0
    for _ in range(depth):
        value = [value]
    return value


def mutant(seed):
    """A bundle with one value, or one byte of a value, changed before it was signed. Some do nothing, some cannot be encoded (None)."""
    chance = random.Random(seed)
    commune = Commune()
    bytes_too, left = chance.random() < 0.4, None
    count = [0]

    def counted(label, value):
        count[0] += 1
        return value

    commune.touch, commune.touch_bytes = (lambda label, value: value, counted) if bytes_too else (counted, lambda label, data: data)
    commune.build()
    left = [chance.randrange(count[0])]

    def touch(label, value):
        left[0] -= 1
        return disturb(value, chance) if left[0] == -1 else value

    def touch_bytes(label, data):
        left[0] -= 1
        if left[0] != -1 or not data:
            return data
        at = chance.randrange(len(data))
        new = bytes([chance.choice([data[at] ^ 1 << chance.randrange(8), chance.randrange(256)])])
        return data[:at] + chance.choice([new, new, new, b"", new + data[at : at + 1]]) + data[at + 1 :]

    if bytes_too:
        commune.touch_bytes = touch_bytes
    else:
        commune.touch = touch
    try:
        return commune.build()
    except (TypeError, ValueError, IndexError, KeyError, AttributeError):
        return None


def main():
    from breaches_photos import BREACHES

    folder, mutants, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.makedirs(folder, exist_ok=True)

    def put(name, data):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)
        return os.path.join(folder, name)

    for name, breach, *_ in BREACHES:
        commune = Commune()
        breach(commune)
        line = {"path": put(name + ".tar", commune.build()), "root": FINGERPRINT}
        if commune.witness is not None:
            line["witness"] = put(name + ".witness", encode(commune.witness(commune)))
        print(json.dumps(line))
    for number in range(seed, seed + mutants):
        data = mutant(number)
        if data is not None:
            print(json.dumps({"path": put(f"mutant-{number}.tar", data), "root": FINGERPRINT}))


if __name__ == "__main__":
    main()
