"""Tests of the second verifier: published vectors for what it computes with, a bundle for each finding, hostile bytes, the command line.

python3 -m unittest discover -s tests/verifier
"""

import io
import json
import os
import random
import re
import subprocess
import sys
import tarfile
import tempfile
import unittest
from hashlib import sha256

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import bundles  # noqa: E402
import cbor  # noqa: E402
import forms  # noqa: E402
import p256  # noqa: E402
import ustar  # noqa: E402
from breaches_photos import BREACHES  # noqa: E402
from judge import Judge, Refused, read_witness  # noqa: E402


class Signatures(unittest.TestCase):
    # RFC 6979, A.2.5, SHA-256
    SECRET = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
    X = 0x60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6
    Y = 0x7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299
    SIGNED = {
        b"sample": (
            0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
            0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,
        ),
        b"test": (
            0xF1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367,
            0x019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083,
        ),
    }
    PUBLIC = bytes([2 + (Y & 1)]) + X.to_bytes(32, "big")

    @staticmethod
    def raw(r, s):
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def test_vectors(self):
        self.assertEqual(p256.point(self.PUBLIC), (self.X, self.Y))
        for _ in range(12):  # the slow way first, tables from the tenth time on
            p256.verify.cache_clear()
            for message, (r, s) in self.SIGNED.items():
                low = min(s, p256.N - s)
                self.assertTrue(p256.verify(self.PUBLIC, message, self.raw(r, low)))
                self.assertFalse(p256.verify(self.PUBLIC, message, self.raw(r, p256.N - low)), "high s")
                self.assertFalse(p256.verify(self.PUBLIC, message + b".", self.raw(r, low)))
                self.assertFalse(p256.verify(bundles.AN.public, message, self.raw(r, low)))

    def test_signer_of_the_tests(self):
        for message, signature in self.SIGNED.items():
            self.assertEqual(bundles.sign(self.SECRET, message), signature)

    def test_no_numbers(self):
        r, s = self.SIGNED[b"test"]
        for bad in ((0, s), (r, 0), (p256.N, s), (r, p256.N), (2**256 - 1, s), (r + p256.N if r + p256.N < 2**256 else 0, s)):
            self.assertFalse(p256.verify(self.PUBLIC, b"test", self.raw(*bad)))
        self.assertFalse(p256.verify(self.PUBLIC, b"test", self.raw(r, s)[:63]))
        self.assertFalse(p256.verify(self.PUBLIC, b"test", self.raw(r, s) + b"\0"))

    def test_no_points(self):
        off_curve = next(x for x in range(1, 99) if p256.point(b"\2" + x.to_bytes(32, "big")) is None)
        for public in (b"", self.PUBLIC[:32], b"\0" * 33, b"\4" + self.PUBLIC[1:], b"\2" + p256.P.to_bytes(32, "big"), b"\3" + off_curve.to_bytes(32, "big")):
            self.assertIsNone(p256.point(public))
            self.assertFalse(p256.verify(public, b"test", self.raw(*self.SIGNED[b"test"])))

    def test_multiples(self):
        # k = 2 and k = 112233445566778899 of the NIST point multiplication vectors.
        two = (0x7CF27B188D034F7E8A52380304B51AC3C08969E277F21B35A60B48FC47669978, 0x07775510DB8ED040293D9AC69F7430DBBA7DADE63CE982299E04B79D227873D1)
        far = (0x339150844EC15234807FE862A86BE77977DBFB3AE3D96F4C22795513AEAAB82F, 0xB1C14DDFDC8EC1B2583F51E85A5EB3A155840F2034730E9B5ADA38B674336A21)
        for scalar, expected in ((2, two), (112233445566778899, far)):
            self.assertEqual(p256.affine(p256._multiply_once(scalar, p256.G)), expected)
            self.assertEqual(p256.affine(p256._multiply_often(scalar, p256.G, p256.INFINITY)), expected)
        self.assertEqual(p256._multiply_once(p256.N, p256.G)[2], 0)


class Cbor(unittest.TestCase):
    # RFC 8949, appendix A
    GOOD = [
        (0, "00"), (1, "01"), (10, "0a"), (23, "17"), (24, "1818"), (25, "1819"), (100, "1864"), (1000, "1903e8"),
        (1000000, "1a000f4240"), (1000000000000, "1b000000e8d4a51000"), (18446744073709551615, "1bffffffffffffffff"),
        (-18446744073709551616, "3bffffffffffffffff"), (-1, "20"), (-10, "29"), (-100, "3863"), (-1000, "3903e7"),
        (False, "f4"), (True, "f5"), (None, "f6"), (b"", "40"), (b"\1\2\3\4", "4401020304"), ("", "60"), ("a", "6161"),
        ("IETF", "6449455446"), ('"\\', "62225c"), ("\u00fc", "62c3bc"), ("\u6c34", "63e6b0b4"), ("\U00010151", "64f0908591"),
        ([], "80"), ([1, 2, 3], "83010203"), ([1, [2, 3], [4, 5]], "8301820203820405"),
        (list(range(1, 26)), "98190102030405060708090a0b0c0d0e0f101112131415161718181819"), ({}, "a0"), ({1: 2, 3: 4}, "a201020304"),
    ]  # fmt: skip
    REFUSED = {
        "floats": "f90000 f93c00 fb3ff199999999999a fa47c35000 f97c00 f97e00 fb7ff0000000000000",
        "bignums and tags": "c249010000000000000000 c074323031332d30332d32315432303a30343a30305a c11a514b67b0 d74401020304 d818456449455446",
        "simple values": "f7 f0 f8ff f818 f814 e0",
        "indefinite": "5f42010243030405ff 7f657374726561646d696e67ff 9fff 9f018202039f0405ffff bf61610161629f0203ffff",
        "longer than needed": "1800 1817 190018 1900ff 1a0000ffff 1b00000000ffffffff 3800 3817 580401020304 780161 980101 b8010101 a1180102",
        "reserved": "1c 1d 1e 3f 5c 7d 9e bc fc fd fe ff",
        "keys": "a201020101 a202020102 a21818001700 a100 a1",
        "cut": "18 19ff 1bffffffff 41 4401 62c3 8182 82 a1 a101 9a7fffffff ba7fffffff00 5bffffffffffffffff 9bffffffffffffffff",
        "after the end": "0000 8000 a000",
        "no UTF-8": "61ff 62c080 63eda080 64f4908080 61c3",
    }

    def test_good(self):
        for value, raw in self.GOOD:
            self.assertEqual(cbor.encode(value).hex(), raw)
            back = cbor.decode(bytes.fromhex(raw))
            self.assertEqual((back, type(back)), (value, type(value)))

    def test_refused(self):
        for why, all_of_them in self.REFUSED.items():
            for raw in all_of_them.split():
                with self.subTest(why, raw=raw):
                    with self.assertRaises(cbor.Malformed):
                        cbor.decode(bytes.fromhex(raw))

    def test_levels(self):
        for value, good in ((bundles.nest(15), True), (bundles.nest(16), False), ({0: bundles.nest(14)}, True), ({0: bundles.nest(15)}, False)):
            decoded = cbor.decode(cbor.encode(value))
            if good:
                self.assertEqual(cbor.shallow(decoded), value)
            else:
                with self.assertRaises(cbor.Malformed):
                    cbor.shallow(decoded)
        for deep in (b"\x81" * 100_000, b"\xa1\x00" * 100_000, b"\xa1" * 100_000):
            with self.assertRaises(cbor.Malformed):
                cbor.decode(deep)

    def test_odd_maps(self):
        for raw in ("a120 00", "a1616100", "a1a000", "a20000 6000"):
            self.assertIsInstance(cbor.decode(bytes.fromhex(raw)), cbor.Odd)
        for raw in ("a26000 0000", "a220002000"):
            with self.assertRaises(cbor.Malformed):
                cbor.decode(bytes.fromhex(raw))


class Tree(unittest.TestCase):
    # The reference tree of Certificate Transparency (RFC 6962): eight leaves, the root at each size.
    LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    ROOTS = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]

    def setUp(self):
        self.leaves = [sha256(b"\0" + bytes.fromhex(leaf)).digest() for leaf in self.LEAVES]

    def test_roots(self):
        for size, root in enumerate(self.ROOTS, 1):
            self.assertEqual(bundles.tree(self.leaves[:size]).hex(), root)

    def test_paths_of_seven(self):
        # RFC 6962, 2.1.3: the paths of leaves 0, 3, 4 and 6 of its example.
        a, b, c, d, e, f, j = self.leaves[:7]
        node = lambda left, right: sha256(b"\1" + left + right).digest()  # noqa: E731
        g, h, i = node(a, b), node(c, d), node(e, f)
        k, el = node(g, h), node(i, j)
        for index, path in ((0, [b, h, el]), (3, [c, g, el]), (4, [f, j, k]), (6, [i, k])):
            self.assertEqual(bundles.path(index, self.leaves[:7]), path)
            self.assertTrue(forms.included(self.leaves[index], index, 7, path, node(k, el)))

    def test_every_place_of_every_size(self):
        leaves = [sha256(bytes([0, n])).digest() for n in range(40)]
        for size in range(1, 41):
            root = bundles.tree(leaves[:size])
            for index in range(size):
                path = bundles.path(index, leaves[:size])
                held = forms.included
                self.assertTrue(held(leaves[index], index, size, path, root))
                self.assertFalse(held(leaves[index - 1], index, size, path, root) and size > 1)
                self.assertFalse(held(leaves[index], size, size, path, root))
                self.assertFalse(held(leaves[index], index, size, path + [root], root))
                self.assertFalse(held(leaves[index], index, size, path[:-1], root) and size > 1)
                self.assertFalse(held(leaves[index], index ^ 1, size, path, root) and size > 1)
        self.assertFalse(forms.included(root, 0, 0, [], root))


class Container(unittest.TestCase):
    def setUp(self):
        self.members = {"manifest.cbor": b"m", "a/b.c": bytes(512), "z": b"", "k_-.9": bytes(513)}
        self.data = ustar.write(self.members)

    def read(self, data):
        members, ended = ustar.read(data)
        return {name: bytes(data[start:end]) for name, (start, end) in members.items()}, ended

    def test_round(self):
        self.assertEqual(self.read(self.data), (self.members, None))

    def test_any_tar_opens_it(self):
        with tarfile.open(fileobj=io.BytesIO(self.data), mode="r:") as tar:
            self.assertEqual({one.name: tar.extractfile(one).read() for one in tar}, self.members)

    def test_every_bit_is_accounted_for(self):
        for at in range(len(self.data)):
            other = bytearray(self.data)
            other[at] ^= 0x10
            self.assertNotEqual(self.read(other), (self.members, None), at)

    def test_every_cut_is_seen(self):
        for size in range(len(self.data)):
            self.assertEqual(self.read(self.data[:size])[1], "cut", size)

    def test_names(self):
        for good in ("a", "a/b", "a..b", "-", "_/-.x", "a" * 99):
            self.assertTrue(ustar.good_name(good.encode()), good)
        for bad in ("", "/", "/a", "a/", "a//b", ".a", "a/.b", "..", "a/../b", "A", "a b", "a" * 100, "\u00e9", "a\\b", "a:b"):
            self.assertFalse(ustar.good_name(bad.encode()), bad)

    def test_forms(self):
        def block(name, content=b"", size=None):
            return ustar.header(name.encode(), len(content) if size is None else size) + content + bytes(-len(content) % 512)

        manifest, end = block("manifest.cbor", b"m"), bytes(1024)
        one = {"manifest.cbor": b"m"}
        for data, expected in (
            (manifest + block("z") + end, ({**one, "z": b""}, None)),
            (manifest + block("z") + block("a") + end, ({**one, "z": b""}, "form")),
            (manifest + block("z") + block("z") + end, ({**one, "z": b""}, "form")),
            (manifest + manifest + end, (one, "form")),
            (block("a") + manifest + end, ({}, "form")),
            (manifest + block("../a") + end, (one, "form")),
            (manifest + block("a", size=64 * ustar.MIB + 1), (one, "form")),
            (manifest + block("a", size=64 * ustar.MIB), (one, "cut")),
            (manifest + block("originals/a", size=272 * ustar.MIB), (one, "cut")),
            (manifest + block("originals/a", size=272 * ustar.MIB + 1), (one, "form")),
            (manifest + end + bytes(512), (one, "form")),
            (manifest + bytes(512) + b"x" * 512, (one, "form")),
            (manifest + bytes(512) + b"x" * 511, (one, "cut")),
            (end, ({}, None)),
        ):
            self.assertEqual(self.read(data), expected)

    def test_number_of_members(self):
        many = {"manifest.cbor": b""} | {f"{n:05}": b"" for n in range(9_999)}
        self.assertEqual(self.read(ustar.write(many)), (many, None))
        members, ended = self.read(ustar.write(many | {"z": b""}))
        self.assertEqual((len(members), ended), (10_000, "form"))


class Findings(unittest.TestCase):
    def test_each(self):
        judge, reasons = Judge(), set()
        for name, breach, expected in BREACHES:
            with self.subTest(name):
                commune = bundles.Commune()
                breach(commune)
                data = commune.build()
                witness = commune.witness and read_witness(cbor.encode(commune.witness(commune)))
                for one in (judge, Judge()):  # what is remembered must not tell
                    answer = one.judge(data, bundles.FINGERPRINT, witness)
                    found = {(line["kind"], line["id"]): (line["verdict"], line["reason"]) for line in answer["items"] if line["reason"]}
                    self.assertEqual(found, expected)
                worst = max([verdict for verdict, _ in expected.values()], key=["intact", "erased", "incomplete", "altered"].index, default="intact")
                self.assertEqual(answer["verdict"], worst)
                reasons.update((kind, reason) for (kind, _), (_, reason) in expected.items())
        # Each reason that the document has, where it has it.
        with open(os.path.join(HERE, "..", "..", "docs", "EVIDENCE.md"), encoding="utf-8") as file:
            rules = file.read().split("\n## Verdicts\n")[1].split("\n**Times.**")[0]
        told = set(re.findall(r"\b(?:altered|incomplete|erased)\s+`([a-z_0-9]+)`", rules))
        self.assertEqual(told, {reason for _, reason in reasons})

    def test_lines(self):
        answer = Judge().judge(bundles.Commune().build())
        self.assertEqual([line["kind"] for line in answer["items"]], ["bundle", *["file"] * 5, "custody", "log", "log", "incident", "photo", "photo", "photo", "copy"])
        times = [(line["not_before"], line["not_after"]) for line in answer["items"] if line["kind"] == "photo"]
        self.assertEqual(times, [(bundles.T0 + 2000, bundles.T0 + 66_000), (None, bundles.T0 + 66_000), (bundles.T0 + 9000, bundles.T0 + bundles.DAY + 70_000)])

    def test_every_byte(self):
        data, judge = bundles.Commune().build(), Judge()
        for at in range(0, len(data), 11):
            other = bytearray(data)
            other[at] ^= 1 << at % 8
            self.assertIn(judge.judge(bytes(other), bundles.FINGERPRINT)["verdict"], ("altered", "incomplete"), at)

    def test_hostile(self):
        chance, judge = random.Random(1), Judge()
        data = bundles.Commune().build()
        for number in range(300):
            judge.judge(chance.randbytes(chance.randrange(3000)), bundles.FINGERPRINT)
            judge.judge(data[: chance.randrange(len(data))], bundles.FINGERPRINT)
            mutant = bundles.mutant(number)
            if mutant is not None:
                answer = judge.judge(mutant, bundles.FINGERPRINT)
                self.assertEqual(answer, Judge().judge(mutant, bundles.FINGERPRINT) if number < 30 else answer)


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def put(self, name, data):
        path = os.path.join(self.folder.name, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def run_it(self, *arguments, **more):
        return subprocess.run([sys.executable, os.path.join(HERE, "verify.py"), *arguments], capture_output=True, text=True, timeout=120, **more)

    def test_exit_codes(self):
        good = bundles.Commune().build()
        bundle, root = self.put("good.tar", good), self.put("root", bundles.FINGERPRINT.upper().encode() + b"\n")
        pipe = os.path.join(self.folder.name, "pipe")
        os.mkfifo(pipe)
        for arguments, code in (
            ((bundle,), 0),
            ((bundle, "--root", root), 0),
            ((bundle, "--root", "0" * 64), 1),
            ((self.put("cut.tar", good[:-1]),), 1),
            ((bundle, "--witness", self.put("witness", b"?")), 3),
            ((bundle, "--root", "nothing such"), 3),
            ((self.folder.name,), 3),
            ((os.path.join(self.folder.name, "none"),), 3),
            ((pipe,), 3),
            (("/dev/zero",), 3),
            ((bundle, "--root", pipe), 3),
            ((bundle, "--witness", "/dev/zero"), 3),
            ((), 2),
        ):
            done = self.run_it(*arguments)
            self.assertEqual((done.returncode, "Traceback" in done.stderr), (code, False), (arguments, done))
        told = json.loads(self.run_it(bundle, "--json").stdout)
        self.assertEqual((told["verdict"], told["root"], told["commune"]), ("intact", bundles.FINGERPRINT, "00123"))
        # Names that nothing proves are not told as facts.
        changed = self.put("changed.tar", good[:600] + bytes([good[600] ^ 1]) + good[601:])
        for arguments in ((bundle, "--root", "0" * 64), (changed,)):
            told = json.loads(self.run_it(*arguments, "--json").stdout)
            names = [told[key] for key in ("commune", "hub", "exported_at", "purpose")]
            self.assertEqual((told["verdict"], told["root"], names), ("altered", bundles.FINGERPRINT, [None] * 4))

    def test_batch(self):
        good = bundles.Commune().build()
        lines = [
            {"path": self.put("good.tar", good), "root": bundles.FINGERPRINT},
            {"edits": [[600, 1, "%02x" % (good[600] ^ 1)]]},
            {"edits": [[0, len(good), good.hex()]]},
            {"edits": [[len(good) - 1, 1, ""]]},
            {"edits": [[len(good), 1, ""]]},
            {"path": "/nothing/such"},
            ["?"],
        ]
        done = self.run_it("--batch", input="".join(json.dumps(line) + "\n" for line in lines))
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([one.get("verdict", "error") for one in answers], ["intact", "altered", "intact", "incomplete", "error", "error", "error"])


class Witness(unittest.TestCase):
    def test_forms(self):
        self.assertEqual(read_witness(cbor.encode([])), [])
        for bad in (b"", b"\x81\x00", cbor.encode([b"?"]), cbor.encode([bundles.Commune().token(1)]), b"\x80\x80"):
            with self.assertRaises(Refused):
                read_witness(bad)


if __name__ == "__main__":
    unittest.main()
