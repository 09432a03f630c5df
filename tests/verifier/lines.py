"""What one line of a verdict is, how lines are named, and what is remembered between bundles."""

from hashlib import sha256

from cbor import Malformed

VERDICTS = ("intact", "erased", "incomplete", "altered")


class Line:
    def __init__(self, name, kind):
        self.name, self.kind, self.worst, self.reason = name, kind, 0, None
        self.not_before = self.not_after = None

    def find(self, verdict, reason):
        rank = VERDICTS.index(verdict)
        if rank > self.worst:
            self.worst, self.reason = rank, reason

    def told(self):
        return {
            "id": self.name,
            "kind": self.kind,
            "verdict": VERDICTS[self.worst],
            "reason": self.reason,
            "not_before": self.not_before,
            "not_after": self.not_after,
        }


class Memo:
    """Results by (form, hash of the bytes): mutation runs meet the same members again and again. Forgets all when full."""

    def __init__(self, most=4096):
        self.most, self.kept = most, {}

    def read(self, form, content, digest=None):
        """form(content), or None when it is Malformed."""
        content = bytes(content) if digest is None else content
        key = (form, digest or sha256(content).digest())
        if key not in self.kept:
            if len(self.kept) >= self.most:
                self.kept.clear()
            try:
                self.kept[key] = form(bytes(content))
            except Malformed:
                self.kept[key] = None
        return self.kept[key]


def entry_id(log, seq, branch=0):
    return f"{log.hex()}:{seq}" + (f"/{branch}" if branch else "")


def member_of(item):
    return f"custody/{item[0].hex()}-{item[1]}-{item[2]}.cbor"
