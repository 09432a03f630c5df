"""The rules of docs/EVIDENCE.md ("Verdicts"), line by line and in the order of the document; those about photographs stand in
photographs.py. Numbers in comments are its rules."""

import re
from hashlib import sha256

import forms
import p256
import ustar
from cbor import Malformed
from lines import VERDICTS, Line, Memo, entry_id, member_of
from photographs import DAY_MS, Photographs

LOG_NAME = re.compile(r"logs/([0-9a-f]{16})-(0|[1-9][0-9]*)\.cbor")


class Refused(Exception):
    """What was given beside the bundle (a witness, a fingerprint) is not of its form: no verdict."""


def read_witness(data):
    """[(statement, scope, epoch, issued, kind, value)] of a witness file."""
    try:
        witness = []
        for one in forms.statements(data):
            signed = forms.statement(one)
            witness.append((signed, forms.item_value(forms.value_of(signed[1], "yb1/item"))))
        return witness
    except Malformed as why:
        raise Refused(f"witness: {why}") from None


class Judge(Photographs):
    """Judges one bundle after the other; what it remembers between them is bound to the bytes it was computed from."""

    def __init__(self):
        self.memo = Memo()
        self.inclusions = {}

    def judge(self, data, root=None, witness=None):
        self.data, self.root_trusted, self.witness = memoryview(data), root, witness
        self.lines = []
        self.answer = dict.fromkeys(("verdict", "root", "commune", "hub", "exported_at", "purpose"))
        self.members, self.ended = ustar.read(self.data)
        self.digests = {}
        if self._bundle(self._line("bundle", "bundle")):
            self._files()
            self._heads(self._line("heads", "custody"))
            self._logs()
            self._incidents()
            self._photos()
            self._copies()
        self.answer["verdict"] = VERDICTS[max(line.worst for line in self.lines)]
        self.answer["items"] = [line.told() for line in self.lines]
        return self.answer

    # What all rules use

    def _line(self, name, kind):
        self.lines.append(Line(name, kind))
        return self.lines[-1]

    def _content(self, name):
        start, end = self.members[name]
        return self.data[start:end]

    def _digest(self, name):
        if name not in self.digests:
            self.digests[name] = sha256(self._content(name)).digest()
        return self.digests[name]

    def _as_listed(self, name):
        return self.manifest.files[name] == (len(self._content(name)), self._digest(name))

    def _there(self, name):
        return name in self.manifest.files and name in self.members

    def _counts(self, name):
        return self._there(name) and self._as_listed(name)

    def _read(self, form, name):
        return self.memo.read(form, self._content(name), self._digest(name))

    def _signed_by_hub(self, signed, time=None):
        key_id, payload, signature = signed
        return any(
            purpose == 2
            and forms.key_id(public) == key_id
            and (time is None or since - DAY_MS <= time and (retired is None or time <= retired + DAY_MS))
            and p256.verify(public, payload, signature)
            for purpose, public, since, retired in self.keys
        )

    def _good(self, form, time_of, data):
        """The value of a statement of the hub when it is good, else None."""
        signed = self.memo.read(forms.statement, data)
        value = signed and self.memo.read(form, signed[1])
        return value if value and self._signed_by_hub(signed, time_of(value)) else None

    # 1

    def _bundle(self, line):
        if self.ended:
            line.find("incomplete" if self.ended == "cut" else "altered", self.ended)
        for name, reason in ((ustar.MANIFEST, "manifest_missing"), ("keys.cbor", "keys_missing")):
            if name not in self.members:
                line.find("incomplete", reason)
                return False
        good = self._read(good_keys, "keys.cbor")
        if not good:
            line.find("altered", "keys")
            return False
        commune, _, root, self.keys = good
        root = forms.fingerprint(root).hex()
        self.answer["root"] = root
        if self.root_trusted not in (None, root):
            line.find("altered", "other_root")
            return False
        signed = self._read(forms.statement, ustar.MANIFEST)
        version = signed and self.memo.read(forms.manifest_version, signed[1])
        if version is None:
            line.find("altered", "manifest")
            return False
        if version != 1:
            line.find("altered", "version")
            return False
        self.manifest = self.memo.read(forms.Manifest, signed[1])
        if not self.manifest or not self._signed_by_hub(signed, self.manifest.exported):
            line.find("altered", "manifest")
            return False
        if self.manifest.commune != commune:
            line.find("altered", "commune")
            return False
        # Names that nothing proves are not told.
        told = self.manifest
        self.answer.update(commune=commune, hub=told.hub, exported_at=told.exported, purpose=told.purpose)
        return True

    # 2

    def _files(self):
        told_elsewhere = {name for name in self.manifest.files if name.startswith("logs/")}
        told_elsewhere.update(member_of(item) for item in self.manifest.items)
        told_elsewhere.update(name for name in self.manifest.items.values() if name is not None)
        told_elsewhere.update(name for _, _, name in self.manifest.copies)
        told_elsewhere.add(ustar.MANIFEST)
        self.certificates, self.receipts = {}, []
        for name in sorted((self.members.keys() | self.manifest.files.keys()) - told_elsewhere):
            line = self._line(name, "file")
            if name not in self.manifest.files:
                line.find("altered", "not_listed")
            elif name not in self.members:
                line.find("incomplete", "file_missing")
            elif not self._as_listed(name):
                line.find("altered", "bytes")
        # The content is read for its own sake, not line by line: who names these two files a copy must not blind the other rules.
        lines = {line.name: line for line in self.lines if line.kind == "file"}
        for name, read in (("certificates.cbor", self._certificates), ("receipts.cbor", self._receipts)):
            if self._counts(name):
                line = lines.get(name) or Line(name, "file")
                entries = self._read(forms.statements, name)
                if entries is None:
                    line.find("altered", "malformed")
                else:
                    read(line, entries)

    def _certificates(self, line, entries):
        for one in entries:
            value = self._good(device_of, lambda value: value[3], one)
            if not value or value[2] != self.manifest.commune or value[0] in self.certificates:
                line.find("altered", "certificate")
            else:
                self.certificates[value[0]] = value[1]

    def _receipts(self, line, entries):
        for one in entries:
            value = self._good(receipt_of, lambda value: value[2], one)
            if not value:
                line.find("altered", "receipt")
            elif not value[3]:
                self.receipts.append(value)

    # 3

    def _heads(self, line):
        self.heads = {}
        self.last_head = None
        if not self._counts("heads.cbor"):
            return line.find("incomplete", "heads_missing")
        entries = self._read(forms.statements, "heads.cbor")
        if not entries:
            return line.find("altered", "malformed")
        epochs, before = {}, None
        for one in entries:
            item = self._good(item_of, lambda value: value[2], one)
            head = item and self._head_of(item)
            if not head:
                return line.find("altered", "head")
            number = head[5]
            if before is None:
                follows = number != 0 or head[3] == forms.ZERO_LINK
            else:
                follows = number == before[5] + 1 and head[3] == forms.head_hash(before)
            if not follows:
                return line.find("altered", "head_order")
            self.heads[number], epochs[number], before, self.last_head = head, item[1], head, number
        since = self._first_record() if self.witness else None
        for signed, item in self.witness or ():
            head = self._head_of(item)
            if not head or not self._signed_by_hub(signed, item[2]):
                line.find("incomplete", "witness")
            elif head[5] in self.heads:
                if head != self.heads[head[5]]:
                    line.find(*("altered", "witness") if item[1] == epochs[head[5]] else ("incomplete", "restored"))
            elif self.heads and (
                head[5] < min(self.heads)
                and since is not None
                and head[4] > since
                or head[5] > max(self.heads)
                and head[4] < self.manifest.exported
            ):
                line.find("incomplete", "witness" if item[1] == self.manifest.epoch else "restored")

    def _chain(self, item):
        name = member_of(item)
        custody = self._read(forms.Custody, name) if self._counts(name) else None
        return custody if custody and custody.item == item else None

    def _first_record(self):
        chains = [chain for chain in map(self._chain, self.manifest.items) if chain]
        return min((at for chain in chains for _, at, *_ in chain.records), default=None)

    def _head_of(self, item):
        scope, _, _, kind, value = item
        # true is no 1 in CBOR, but it is to Python.
        if kind != 5 or scope != [1, self.manifest.commune] or type(scope[0]) is bool:
            return None
        try:
            return forms.head_value(value)
        except Malformed:
            return None

    # 4

    def _logs(self):
        self.logs = {}
        for name in sorted(name for name in self.manifest.files if name.startswith("logs/")):
            match = LOG_NAME.fullmatch(name)
            if not match or int(match[2]) > forms.U32:
                self._line(name, "log").find("altered", "malformed")
                continue
            log, branch = bytes.fromhex(match[1]), int(match[2])
            line = self._line(log.hex() + (f"/{branch}" if branch else ""), "log")
            self.logs[log, branch] = line, self._log(line, name, log, branch)
        self.disclosed = {
            (parsed.log, seq, parsed.branch): body
            for line, parsed in self.logs.values()
            if line.worst < VERDICTS.index("incomplete")
            for seq, body in parsed.bodies.items()
        }

    def _log(self, line, name, log, branch):
        if name not in self.members:
            return line.find("incomplete", "file_missing")
        if not self._as_listed(name):
            return line.find("altered", "bytes")
        parsed = self._read(forms.Log, name)
        if not parsed or (parsed.log, parsed.branch) != (log, branch):
            return line.find("altered", "malformed")
        before = None
        for run in parsed.runs:
            seqs = [head.seq for head in run.heads]
            if (
                before is not None
                and (run.first <= before.last or run.first == before.last + 1 and run.previous != before.links[-1])
                or run.first == 0
                and run.previous != forms.ZERO_LINK
                or any(b <= a for a, b in zip(seqs, seqs[1:]))
                or any(head.message is None for head in run.heads)
            ):
                line.find("altered", "order")
            if not seqs or seqs[-1] != run.last:
                line.find("incomplete", "no_head")
            before = run
        heads = [head for run in parsed.runs for head in run.heads]
        for head in heads:
            if head.device != heads[0].device:
                line.find("altered", "device")
            key = self.certificates.get(head.device)
            if key is None:
                line.find("incomplete", "no_certificate")
            elif head.message is not None and not p256.verify(key, head.message, head.signature):
                line.find("altered", "head")
            if head.token is not None and self._token(head.token) is None:
                line.find("altered", "token")
        key = self.certificates.get(heads[0].device) if heads else None
        bodies = [(seq, body) for run in parsed.runs for seq, body in run.bodies.items()]
        if key is not None and any(seq == 0 and body.says == 0 and body.key != key for seq, body in bodies):
            line.find("altered", "device")
        if not all(body.whole for _, body in bodies):
            line.find("erased", "parts_erased")
        return parsed

    def _token(self, token):
        value = self._good(token_of, lambda value: value[0], token)
        return value and value[0]

    # 5

    def _incidents(self):
        named_so, attached = {}, {}
        for (log, seq, _), body in self.disclosed.items():
            named_so.setdefault((log, seq), []).append(body)
            if body.says == 9 and body.subject:
                attached.setdefault(body.subject, set()).add((log, seq))
        named = self.manifest.incidents or []
        others = {name for name, bodies in named_so.items() if any(body.says == 7 for body in bodies)} - set(named)
        for name in [*named, *sorted(others)]:
            line, bodies = self._line(entry_id(*name), "incident"), named_so.get(name, [])
            reports = [body for body in bodies if body.says == 7]
            if not bodies:
                line.find("incomplete", "entry_missing")
            elif not reports and any(body.erased(0) for body in bodies):
                line.find("erased", "entry_erased")
            elif not reports:
                line.find("altered", "not_an_incident")
            else:
                if any(None in body.parts for body in reports):
                    line.find("erased", "parts_erased")
                if len(attached.get(name, ())) < max(body.announced for body in reports):
                    line.find("incomplete", "attachments")

def good_keys(data):
    """keys.cbor, signed by the root that it names."""
    if len(data) > forms.MAX_KEYS_BYTES:
        raise Malformed("too long")
    key_id, payload, signature = forms.statement(data)
    value = forms.keys_value(forms.value_of(payload, "yb1/keys"))
    if key_id != forms.key_id(value[2]) or not p256.verify(value[2], payload, signature):
        raise Malformed("not signed by the root it names")
    return value


def device_of(payload):
    return forms.device_value(forms.value_of(payload, "yb1/device"))


def receipt_of(payload):
    return forms.receipt_value(forms.value_of(payload, "yb1/receipt"))


def token_of(payload):
    # A tuple, as hub time 0 must not look like nothing.
    return (forms.token_value(forms.value_of(payload, "yb1/token")),)


def item_of(payload):
    return forms.item_value(forms.value_of(payload, "yb1/item"))
