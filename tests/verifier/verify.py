#!/usr/bin/env python3
"""A second verifier of evidence bundles, written from docs/EVIDENCE.md alone; it shares no code with `yenban verify`.

    verify.py BUNDLE [--root HEX|FILE] [--witness FILE] [--json]
    verify.py --batch

Exit code: 0 intact or erased, 1 altered or incomplete, 2 wrong usage, 3 when a file cannot be read.

--batch reads a line of JSON for each bundle and writes a line of JSON for each verdict, in the same order:

    {"path": "x.tar", "root": HEX or absent, "witness": PATH or absent}     reads a bundle and judges it
    {"edits": [[offset, bytes removed, "hex put in"], ..]}                  judges the bundle read last with these edits made to
                                                                            it (offsets of the bundle as read, ascending)

A line that cannot be served is answered with {"error": ..}. Only the standard library of Python 3.11 is used.
"""

import argparse
import datetime
import json
import os
import stat
import sys

from judge import Judge, Refused, read_witness


YEAR_1_MS, YEAR_9999_MS = -62_135_596_800_000, 253_370_764_800_000


def read_file(path):
    """A regular file: a pipe or a device would keep whoever reads it waiting, or never end."""
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Refused(f"{path}: not a file")
            return file.read()
    except (OSError, ValueError) as why:
        raise Refused(f"{path}: {why}") from None


def read_root(given):
    """A fingerprint as 64 hexadecimal digits, or a file that holds them."""
    if given is None:
        return None
    for said in (lambda: given, lambda: read_file(given).decode("ascii", "replace")):
        digits = "".join(said().split()).lower()
        if len(digits) == 64 and set(digits) <= set("0123456789abcdef"):
            return digits
    raise Refused("fingerprint: 64 hexadecimal digits, or a file with them")


def edited(data, edits):
    pieces, at = [], 0
    for offset, removed, put in edits:
        if not at <= offset <= offset + removed <= len(data):
            raise ValueError("edits must ascend and lie within the bundle")
        pieces += [data[at:offset], bytes.fromhex(put)]
        at = offset + removed
    return b"".join(pieces) + data[at:]


def batch(lines, out):
    judge, data, root, witness = Judge(), None, None, None
    for line in lines:
        try:
            asked = json.loads(line)
            if "path" in asked:
                data, root = read_file(asked["path"]), read_root(asked.get("root"))
                kept = asked.get("witness")
                witness = None if kept is None else read_witness(read_file(kept))
                answer = judge.judge(data, root, witness)
            else:
                answer = judge.judge(edited(data, asked["edits"]), root, witness)
        except (Refused, ValueError, KeyError, TypeError) as why:
            answer = {"error": f"{type(why).__name__}: {why}"}
        out.write(json.dumps(answer, ensure_ascii=False, separators=(",", ":")) + "\n")
    out.flush()


def rfc3339(at_ms):
    """A time as the document writes it; None for one outside of the years 1 to 9998."""
    if at_ms is None or not YEAR_1_MS <= at_ms < YEAR_9999_MS:
        return None
    at = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(milliseconds=at_ms)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def document(answer):
    """The JSON of docs/EVIDENCE.md: times as RFC 3339, the commune as its five digits."""
    items = [line | {key: rfc3339(line[key]) for key in ("not_before", "not_after")} for line in answer["items"]]
    commune = None if answer["commune"] is None else f"{answer['commune']:05}"
    return answer | {"commune": commune, "exported_at": rfc3339(answer["exported_at"]), "items": items}


def for_people(answer):
    for line in answer["items"]:
        print(f"{line['verdict']:<11}{line['kind']:<9} {line['id']}" + (f"  ({line['reason']})" if line["reason"] else ""))
    print(f"{answer['verdict']}, under the root {answer['root']}")


def main():
    options = argparse.ArgumentParser(description="Verifies an evidence bundle (docs/EVIDENCE.md).")
    options.add_argument("bundle", nargs="?")
    options.add_argument("--root", help="fingerprint of the root to trust, or a file with it")
    options.add_argument("--witness", help="file of heads that somebody else kept")
    options.add_argument("--json", action="store_true")
    options.add_argument("--batch", action="store_true")
    given = options.parse_args()
    # What a bundle says may be any text, whatever the terminal can show.
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    if given.batch:
        batch(sys.stdin, sys.stdout)
        return 0
    if given.bundle is None:
        options.error("a bundle, or --batch")
    try:
        root = read_root(given.root)
        witness = None if given.witness is None else read_witness(read_file(given.witness))
        answer = Judge().judge(read_file(given.bundle), root, witness)
    except (Refused, MemoryError) as why:
        print(f"verify.py: {why or 'not enough memory'}", file=sys.stderr)
        return 3
    if given.json:
        print(json.dumps(document(answer), ensure_ascii=False))
    else:
        for_people(answer)
    return 0 if answer["verdict"] in ("intact", "erased") else 1


if __name__ == "__main__":
    sys.exit(main())
