"""Rules 6 and 7 of docs/EVIDENCE.md ("Verdicts"): photographs, their custody records, and the smaller copies."""

from bisect import bisect_left
from itertools import accumulate

import forms
from lines import VERDICTS, entry_id, member_of

DAY_MS = 86_400_000
RECEIVED, EXPORTED, DELETED, FOUND_ALTERED, FOUND_MISSING = 0, 4, 7, 8, 9


class Photographs:
    """The part of a judge that is about photographs; `judge.py` has read the bundle, its heads and its logs before."""

    # 6

    def _photos(self):
        self.known = {}
        self.made = {}
        for body in self.disclosed.values():
            if body.says == 13 and body.facts:
                self.made.setdefault(body.subject, []).append(body.facts)
        received = {}
        for log, objects, hub_time, _ in self.receipts:
            for one in objects:
                times = received.setdefault((log, one), [])
                times.append(hub_time)
        for item, original in self.manifest.items.items():
            line = self._line(entry_id(*item), "photo")
            facts = self._facts(line, item, original)
            if facts:
                self.known[item] = facts
            self._photo(line, item, original, facts, received)
        for item, body in sorted(self.disclosed.items(), key=lambda pair: pair[0]):
            if body.says == 9 and item not in self.manifest.items:
                self._line(entry_id(*item), "photo").find("incomplete", "not_listed")

    def _facts(self, line, item, original):
        """Rules 1 to 3: the facts, when they are known."""
        log, seq, branch = item
        of_log, parsed = self.logs.get((log, branch), (None, None))
        if of_log is not None and of_log.worst >= VERDICTS.index("incomplete"):
            return line.find(VERDICTS[of_log.worst], "chain")
        if of_log is not None:
            line.not_before = self._not_before(parsed, seq)
        if of_log is None or seq not in parsed.bodies:
            return line.find("incomplete", "entry_missing")
        body = parsed.bodies[seq]
        if body.erased(0) or body.erased(1):
            line.find("erased", "facts_erased")
            if original is not None:
                line.find("altered", "unexplained")
            return None
        if body.says != 9 or body.facts is None:
            return line.find("altered", "not_a_photo")
        return body.facts

    def _not_before(self, parsed, seq):
        for run in parsed.runs:
            if run.first <= seq <= run.last:
                head = next(head for head in run.heads if head.seq >= seq)
                return None if head.token is None else self._token(head.token)

    def _photo(self, line, item, original, facts, received):
        name = member_of(item)
        custody = self._chain(item)
        if original is None:  # 4
            last = RECEIVED
            for action, _, digest, size, note in custody.records if custody else ():
                of_original = note == "original" or facts and (digest, size) == facts[:2]
                if action == DELETED or of_original and action in (RECEIVED, FOUND_ALTERED, FOUND_MISSING):
                    last = action
            line.find(
                *{
                    RECEIVED: ("incomplete", "not_received"),
                    DELETED: ("erased", "deleted"),
                    FOUND_ALTERED: ("altered", "altered_at_hub"),
                    FOUND_MISSING: ("incomplete", "missing_at_hub"),
                }[last]
            )
        elif not self._there(original):
            line.find(*self._not_there(original, "file_missing"))
        elif not self._as_listed(original) or facts and (self._digest(original), len(self._content(original))) != facts[:2]:
            line.find("altered", "bytes")
        times = []
        if facts and original is not None:  # 5
            times = received.get((item[0], facts[2:]), [])
            line.not_after = min(times, default=None)
            if not times:
                line.find("incomplete", "no_receipt")
        if not self._there(name):  # 6
            return line.find(*self._not_there(name, "custody_missing"))
        if not self._as_listed(name):
            return line.find("altered", "custody_bytes")
        if not custody:
            return line.find("altered", "custody_malformed")
        if not custody.proofs:  # 7
            return line.find("incomplete", "custody_unproved")
        before = (-1, 1)
        for number, covered, index, path in custody.proofs:
            if number <= before[0] or not before[1] <= covered <= len(custody.records):
                return line.find("altered", "custody_order")
            before = (number, covered)
            if number not in self.heads:
                line.find("incomplete", "custody_head")
            elif not self._included(custody, covered, index, path, self.heads[number]):
                line.find("altered", "custody_proof")
        if self.last_head is not None and before != (self.last_head, len(custody.records)):  # 8
            line.find("altered", "custody_uncovered")
        if not self._proved_in_time(custody):  # 9
            line.find("altered", "custody_late")
        if not any(action == EXPORTED and at == self.manifest.exported for action, at, *_ in custody.records):  # 10
            line.find("altered", "custody_export")
        if facts and original is not None:  # 11
            if not any(
                action == RECEIVED and (digest, size) == facts[:2] and (not times or any(at <= time + DAY_MS for time in times))
                for action, at, digest, size, _ in custody.records
            ):
                line.find("altered", "custody_received")

    def _proved_in_time(self, custody):
        covered = {number: covered for number, covered, _, _ in custody.proofs}
        # By time; with each, how many records a head made later must cover.
        told = sorted((at, count) for count, (_, at, *_) in enumerate(custody.records, 1))
        most = list(accumulate((count for _, count in told), max))
        for number, head in self.heads.items():
            earlier = bisect_left(told, (head[4],))
            if earlier and covered.get(number, 0) < most[earlier - 1]:
                return False
        return True

    def _not_there(self, name, reason):
        return ("altered", "not_listed") if name in self.members else ("incomplete", reason)

    def _included(self, custody, covered, index, path, head):
        key = (custody.leaf(covered), index, head[1], path, head[2])
        if key not in self.inclusions:
            if len(self.inclusions) > 100_000:
                self.inclusions.clear()
            self.inclusions[key] = forms.included(*key)
        return self.inclusions[key]

    # 7

    def _copies(self):
        for item, kind, name in self.manifest.copies:
            line = self._line(name, "copy")
            if not self._there(name):
                line.find(*self._not_there(name, "file_missing"))
                continue
            if not self._as_listed(name):
                line.find("altered", "bytes")
                continue
            facts, copy = self.known.get(item), (kind, self._digest(name), len(self._content(name)))
            if not facts or not any(photo == facts[0] and copy in made for photo, made in self.made.get(item[:2], [])):
                line.find("altered", "unexplained")
