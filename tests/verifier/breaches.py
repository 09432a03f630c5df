"""One bundle for each finding of docs/EVIDENCE.md: (name, what is done to a good commune, the lines that are then not intact as
{(kind, id): (verdict, reason)}, in the words of the document). What the document accepts stands here too, with no line.

The bundle and its files are here, with the words of all; then follow breaches_heads.py, breaches_logs.py and breaches_photos.py,
each of which takes up the list where the one before it ended.
`tests/tests/verifiers.rs` gives the same bundles to `yenban verify`.
"""

from bundles import DAY, HUB, HUB_2, ROOT, STRANGER, T0, made_of
from cbor import encode
from forms import key_id
from p256 import N

A, B = "5a01020304050607", "5b01020304050607/1"
BUNDLE, HEADS = ("bundle", "bundle"), ("custody", "heads")
LOG_A, LOG_B = ("log", A), ("log", B)
INCIDENT = ("incident", A + ":1")
A2, A5, B7 = ("photo", A + ":2"), ("photo", A + ":5"), ("photo", "5b01020304050607:7/1")
COPY = ("copy", "copies/a2-preview.webp")
LOG_A_NAME, CUSTODY_A5 = f"logs/{A}-0.cbor", f"custody/{A}-5-0.cbor"


def ALTERED(reason):
    return ("altered", reason)


def INCOMPLETE(reason):
    return ("incomplete", reason)


def ERASED(reason):
    return ("erased", reason)


# What follows when log a, or b, tells nothing any more.
WITHOUT_A = {INCIDENT: INCOMPLETE("entry_missing"), COPY: ALTERED("unexplained")}
CHAIN_A = {A2: ALTERED("chain"), A5: ALTERED("chain"), **WITHOUT_A}
BROKEN_A = {A2: INCOMPLETE("chain"), A5: INCOMPLETE("chain"), **WITHOUT_A}
NO_HEADS = {name: INCOMPLETE("custody_head") for name in (A2, A5, B7)}
BREACHES = []


def breach(found=None):
    """Takes the function's name and, as its finding, what is given here."""

    def keep(function):
        BREACHES.append((function.__name__, function, found or {}))
        return function

    return keep


def raw_statement(payload, key, signer=None):
    return encode([key_id(key.public), payload, (signer or key).sign(payload)])


def run(commune, log=0, at=0):
    return commune.logs[log]["runs"][at]


@breach()
def good(commune):
    pass


# 1. bundle


@breach({BUNDLE: INCOMPLETE("cut")})
def cut_in_the_end(commune):
    commune.end = lambda data: data[:-1]


@breach({BUNDLE: INCOMPLETE("cut")})
def cut_at_nothing(commune):
    commune.end = lambda data: b""


@breach({BUNDLE: ALTERED("form")})
def bytes_after_the_end(commune):
    commune.end = lambda data: data + b"\0"


@breach({BUNDLE: ALTERED("form"), ("file", "zz"): INCOMPLETE("file_missing")})
def padding_that_says_something(commune):
    commune.extra["zz"] = b"z"
    commune.end = lambda data: data[:-1025] + b"z" + data[-1024:]


@breach({BUNDLE: INCOMPLETE("manifest_missing")})
def nothing_but_an_end(commune):
    commune.end = lambda data: bytes(1024)


@breach({BUNDLE: ALTERED("form")})
def first_is_no_manifest(commune):
    commune.unlisted["manifest.cbor"] = None


@breach({BUNDLE: INCOMPLETE("keys_missing")})
def keys_missing(commune):
    commune.gone.add("keys.cbor")


@breach({BUNDLE: ALTERED("keys")})
def keys_of_another_root(commune):
    value = {0: 123, 1: "Xa Thu", 2: ROOT.public, 3: 3, 4: commune.keys}
    commune.members["keys.cbor"] = raw_statement(encode(["yb1/keys", value]), ROOT, STRANGER)


@breach({BUNDLE: ALTERED("keys")})
def keys_too_many(commune):
    commune.keys += [[0, STRANGER.public, T0, None]] * 254


@breach()
def keys_as_many_as_may_be(commune):
    commune.keys += [[0, STRANGER.public, T0, None]] * 253


@breach({BUNDLE: ALTERED("other_root")})
def other_root(commune):
    value = {0: 123, 1: "Xa Thu", 2: STRANGER.public, 3: 3, 4: commune.keys}
    commune.members["keys.cbor"] = raw_statement(encode(["yb1/keys", value]), STRANGER)


@breach({BUNDLE: ALTERED("manifest")})
def manifest_of_a_stranger(commune):
    commune.unlisted["manifest.cbor"] = raw_statement(encode(["yb1/bundle", {0: 1}]), STRANGER)


@breach({BUNDLE: ALTERED("manifest")})
def manifest_without_its_fields(commune):
    commune.unlisted["manifest.cbor"] = raw_statement(encode(["yb1/bundle", {0: 1}]), HUB)


@breach({BUNDLE: ALTERED("manifest")})
def manifest_of_a_retired_key(commune):
    commune.unlisted["manifest.cbor"] = raw_statement(encode(["yb1/bundle", {0: 1}]), HUB_2)


@breach({BUNDLE: ALTERED("manifest")})
def exported_before_the_key(commune):
    commune.exported = T0 - DAY - 1


@breach({BUNDLE: ALTERED("version")})
def version_of_tomorrow(commune):
    commune.version = 2


@breach({BUNDLE: ALTERED("version")})
def version_of_tomorrow_alone(commune):
    commune.unlisted["manifest.cbor"] = raw_statement(encode(["yb1/bundle", {0: 2}]), HUB)


@breach({BUNDLE: ALTERED("commune")})
def keys_of_another_commune(commune):
    value = {0: 124, 1: "Xa Thu", 2: ROOT.public, 3: 3, 4: commune.keys}
    commune.members["keys.cbor"] = raw_statement(encode(["yb1/keys", value]), ROOT)


@breach({BUNDLE: ALTERED("manifest")})
def high_s(commune):
    def flip(data):
        # The other root of the same signature: n - s.
        start = 512 + 1 + 9  # header of the member, head of the array, key id with its head
        size = int.from_bytes(data[start + 1 : start + 3], "big")
        at = start + 3 + size + 2 + 32
        s = int.from_bytes(data[at : at + 32], "big")
        return data[:at] + (N - s).to_bytes(32, "big") + data[at + 32 :]

    commune.end = flip


# 2. files


@breach({("file", "minute.html"): INCOMPLETE("file_missing")})
def minute_missing(commune):
    commune.gone.add("minute.html")


@breach({("file", "minute.html"): ALTERED("bytes")})
def minute_altered(commune):
    commune.unlisted["minute.html"] = b"something else"


@breach({("file", "zebra.txt"): ALTERED("not_listed")})
def guest(commune):
    commune.unlisted["zebra.txt"] = b"striped"


@breach({("file", "keys.cbor"): ALTERED("bytes")})
def keys_other_than_listed(commune):
    value = {0: 123, 1: "Xa Khac", 2: ROOT.public, 3: 4, 4: commune.keys}
    commune.unlisted["keys.cbor"] = raw_statement(encode(["yb1/keys", value]), ROOT)


@breach({("file", f"logs/{A}-1.cbor"): ALTERED("not_listed")})
def log_not_listed(commune):
    commune.unlisted[f"logs/{A}-1.cbor"] = b"?"


@breach({A5: ALTERED("not_listed")})
def custody_not_listed(commune):
    commune.unlisted[CUSTODY_A5] = commune.custody()[0]["a5"]
    commune.members[CUSTODY_A5] = None


@breach({A5: ALTERED("not_listed")})
def original_not_listed(commune):
    commune.unlisted["originals/a5.heic"] = commune.originals["a5"]
    commune.members["originals/a5.heic"] = None


@breach({COPY: ALTERED("not_listed")})
def copy_not_listed(commune):
    commune.unlisted[COPY[1]] = commune.preview
    commune.members[COPY[1]] = None


@breach({("file", f"custody/{A}-9-0.cbor"): ALTERED("not_listed")})
def custody_of_nothing_not_listed(commune):
    commune.unlisted[f"custody/{A}-9-0.cbor"] = b"?"


@breach()
def custody_of_nothing_listed(commune):
    commune.extra[f"custody/{A}-9-0.cbor"] = b"?"


NO_CERTIFICATES = {LOG_A: INCOMPLETE("no_certificate"), LOG_B: INCOMPLETE("no_certificate"), **BROKEN_A, B7: INCOMPLETE("chain")}


@breach({("file", "certificates.cbor"): ALTERED("malformed"), **NO_CERTIFICATES})
def certificates_malformed(commune):
    commune.members["certificates.cbor"] = encode([1])


@breach(NO_CERTIFICATES)
def certificates_never_listed(commune):
    commune.members["certificates.cbor"] = None


@breach({("file", "certificates.cbor"): ALTERED("certificate"), LOG_A: INCOMPLETE("no_certificate"), **BROKEN_A})
def certificate_before_the_key(commune):
    commune.devices[0][2] = T0 - DAY - 1


@breach()
def certificate_a_day_before_the_key(commune):
    commune.devices[0][2] = T0 - DAY


@breach({("file", "certificates.cbor"): ALTERED("certificate")})
def certificate_twice(commune):
    commune.devices.append([b"device-a", STRANGER, T0])


@breach({("file", "certificates.cbor"): ALTERED("certificate"), LOG_B: INCOMPLETE("no_certificate"), B7: INCOMPLETE("chain"), INCIDENT: INCOMPLETE("attachments")})
def certificate_of_another_commune(commune):
    def other(label, value):
        return {**value, 3: 124} if label == "yb1/device" and value[0] == b"device-b" else value

    commune.touch = other
    report(commune, 3)


def report(commune, photos):
    run(commune)[2][1] = commune.report(photos)


@breach({("file", "receipts.cbor"): ALTERED("malformed"), A2: INCOMPLETE("no_receipt"), A5: INCOMPLETE("no_receipt"), B7: INCOMPLETE("no_receipt")})
def receipts_malformed(commune):
    commune.members["receipts.cbor"] = b"\x81"


@breach({("file", "receipts.cbor"): ALTERED("receipt"), B7: INCOMPLETE("no_receipt")})
def receipt_not_good(commune):
    commune.receipts[1][5] = T0 - DAY - 1


@breach({B7: INCOMPLETE("no_receipt")})
def receipt_in_quarantine(commune):
    commune.receipts[1][8] = True


@breach({("file", "receipts.cbor"): ALTERED("receipt"), A2: INCOMPLETE("no_receipt"), A5: INCOMPLETE("no_receipt")})
def receipt_of_too_much(commune):
    commune.receipts[0][4] += [[made_of("x"), 1]] * 1023


@breach({A2: INCOMPLETE("no_receipt"), A5: INCOMPLETE("no_receipt")})
def receipt_of_nothing(commune):
    for key in (2, 3, 4):
        del commune.receipts[0][key]


@breach({A2: INCOMPLETE("no_receipt"), A5: INCOMPLETE("no_receipt")})
def receipt_of_another_log(commune):
    commune.receipts[0][0] = commune.b


@breach({A2: INCOMPLETE("no_receipt")})
def receipt_of_another_size(commune):
    commune.receipts[0][4][0][1] += 1
