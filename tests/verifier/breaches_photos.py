"""Breaches of photographs and their smaller copies; see breaches.py."""

from breaches_logs import *  # noqa: F403 - the words of all
from bundles import DAY, T0, ZERO, made_of
# 6. photographs


@breach({A2: INCOMPLETE("entry_missing"), COPY: ALTERED("unexplained")})
def photo_not_disclosed(commune):
    run(commune)[2][2] = made_of("hidden")


def forget(commune, word="a5", index=1):
    """The hub let the original go."""
    commune.items[index][3] = None


@breach({A5: INCOMPLETE("not_received")})
def original_never_received(commune):
    forget(commune)
    commune.records["a5"][0][0][0] = 2


@breach({A5: INCOMPLETE("not_received")})
def original_received_and_not_there(commune):
    forget(commune)


@breach({A5: ERASED("deleted")})
def original_deleted(commune):
    forget(commune)
    commune.records["a5"][1][0][0] = 7


@breach({A5: ALTERED("altered_at_hub")})
def original_altered_at_hub(commune):
    forget(commune)
    commune.records["a5"][1][0][0] = 8


@breach({A5: INCOMPLETE("missing_at_hub")})
def original_missing_at_hub(commune):
    forget(commune)
    commune.records["a5"][1][0][0] = 9


def noted(commune, action, about, note):
    record = commune.record("a5", action, T0 + 66_100, about, note)
    commune.records["a5"].insert(2, record)
    commune.trees[1]["a5"], commune.trees[2]["a5"] = 3, 4


# The chain of a photograph tells of its smaller copies too.
@breach({A5: ERASED("deleted")})
def copy_missing_after_the_original_was_deleted(commune):
    original_deleted(commune)
    noted(commune, 9, [made_of("thumbnail"), 900], "thumbnail")


@breach({A5: ALTERED("altered_at_hub")})
def copy_received_after_the_original_was_altered(commune):
    original_altered_at_hub(commune)
    noted(commune, 0, [made_of("thumbnail"), 900], "thumbnail")


@breach({A5: INCOMPLETE("not_received")})
def copy_altered_and_the_original_never_came(commune):
    forget(commune)
    noted(commune, 8, [made_of("thumbnail"), 900], None)


@breach({A5: ALTERED("altered_at_hub")})
def original_altered_to_other_bytes(commune):
    forget(commune)
    noted(commune, 8, [made_of("other bytes"), 900], "original")


@breach({A5: ALTERED("custody_malformed")})
def original_deleted_by_a_broken_chain(commune):
    forget(commune)
    commune.members[CUSTODY_A5] = b"?"


@breach({LOG_A: ERASED("parts_erased"), A5: ERASED("deleted")})
def facts_there_original_and_words_gone(commune):
    original_deleted(commune)
    run(commune)[2][5].parts.append([2, b"\0"])
    run(commune)[2][5].erase = {2}


@breach({LOG_A: ERASED("parts_erased"), A5: ERASED("facts_erased")})
def facts_and_original_erased(commune):
    original_deleted(commune)
    run(commune)[2][5].erase = {1}


@breach({LOG_A: ERASED("parts_erased"), A5: ALTERED("unexplained")})
def facts_erased_and_original_there(commune):
    run(commune)[2][5].erase = {1}


@breach({A5: ALTERED("not_a_photo")})
def photo_without_facts(commune):
    run(commune)[2][5].parts.pop()


@breach({A5: INCOMPLETE("file_missing")})
def original_missing(commune):
    commune.gone.add("originals/a5.heic")


@breach({A5: ALTERED("bytes")})
def original_other_than_listed(commune):
    commune.unlisted["originals/a5.heic"] = b"?"


@breach({A5: ALTERED("bytes")})
def original_other_than_in_the_facts(commune):
    commune.members["originals/a5.heic"] = b"?"


@breach({A5: INCOMPLETE("file_missing")})
def original_never_listed(commune):
    commune.members["originals/a5.heic"] = None


@breach({A5: INCOMPLETE("custody_missing")})
def custody_missing(commune):
    commune.gone.add(CUSTODY_A5)


@breach({A5: ALTERED("custody_bytes")})
def custody_other_than_listed(commune):
    commune.unlisted[CUSTODY_A5] = b"?"


@breach({A5: ALTERED("custody_malformed")})
def custody_of_another(commune):
    commune.members[CUSTODY_A5] = commune.custody()[0]["a2"]


@breach({A5: INCOMPLETE("custody_unproved")})
def custody_without_proofs(commune):
    commune.proved["a5"] = []


@breach({A5: ALTERED("custody_order")})
def proofs_change_places(commune):
    commune.proved["a5"] = [2, 1]


@breach({A5: ALTERED("custody_order")})
def proof_of_more_than_there_is(commune):
    proof_changed(commune, "a5", lambda proofs: proofs[-1].__setitem__(1, 4))


@breach({A5: ALTERED("custody_order")})
def proof_of_nothing(commune):
    proof_changed(commune, "a5", lambda proofs: proofs[0].__setitem__(1, 0))


@breach({A5: ALTERED("custody_proof")})
def proof_of_another_leaf(commune):
    proof_changed(commune, "a5", lambda proofs: proofs[0].__setitem__(2, 3))


@breach({A5: ALTERED("custody_proof")})
def proof_with_a_hash_too_many(commune):
    proof_changed(commune, "a5", lambda proofs: proofs[0][3].append(ZERO))


@breach({A5: ALTERED("custody_proof")})
def proof_of_the_records_before(commune):
    proof_changed(commune, "a5", lambda proofs: proofs[1].__setitem__(1, 2))


def proof_changed(commune, word, change):
    count = [list(commune.records).index(word) + 1]

    def touch(label, value):
        if label == "proofs":
            count[0] -= 1
            if not count[0]:
                change(value)
        return value

    commune.touch = touch


@breach({A5: ALTERED("custody_uncovered")})
def custody_proved_under_a_head_before(commune):
    commune.proved["a5"] = [1]


@breach({A5: ALTERED("custody_uncovered")})
def custody_proved_in_part(commune):
    commune.trees[2]["a5"] = 2


@breach({A5: ALTERED("custody_export")})
def custody_without_the_export(commune):
    commune.records["a5"][2][0][1] += 1


@breach({A5: ALTERED("custody_received")})
def custody_received_something_else(commune):
    commune.records["a5"][0][0][2] = ZERO


@breach({A5: ALTERED("custody_received")})
def custody_received_long_after_the_receipt(commune):
    for record in commune.records["a5"][:2]:
        record[0][1] += DAY + 1
    commune.proved["a5"], commune.trees[1] = [2], {"a2": 3, "": 3}


@breach()
def custody_received_a_day_after_the_receipt(commune):
    for record in commune.records["a5"][:2]:
        record[0][1] = T0 + 66_000 + DAY
    commune.proved["a5"], commune.trees[1] = [2], {"a2": 3, "": 3}


# A head made in the same millisecond may or may not stand over the record.
@breach()
def head_of_the_same_millisecond(commune):
    for record in commune.records["b7"][:2]:
        record[0][1] = commune.head_times[1]


@breach({B7: ALTERED("custody_late")})
def head_a_millisecond_after_a_record(commune):
    commune.records["b7"][1][0][1] = commune.head_times[1] - 1


@breach({A5: ALTERED("custody_late")})
def head_without_a_proof(commune):
    commune.proved["a5"] = [2]


# A clock set back: the record stands still at its newest head until the clock has passed it.
@breach()
def time_that_stands_still(commune):
    commune.head_times[1:] = [commune.exported, commune.exported]
    for record in commune.records["b7"][:2]:
        record[0][1] = commune.exported
    commune.receipts[1][5] = commune.exported


@breach()
def who_erased(commune):
    commune.records["a5"][0][1] = None


@breach({A5: ALTERED("custody_malformed")})
def note_too_long(commune):
    commune.records["a5"][0][0][4] = "x" * 257


@breach()
def action_unknown(commune):
    commune.records["a5"][1][0][0] = 11


@breach({("photo", A + ":6"): INCOMPLETE("not_listed")})
def photo_not_listed(commune):
    run(commune)[2].append(commune.photo("a5"))
    run(commune)[3][1][0] = 6


# 7. copies


@breach({COPY: INCOMPLETE("file_missing")})
def copy_missing(commune):
    commune.gone.add(COPY[1])


@breach({COPY: ALTERED("bytes")})
def copy_other_than_listed(commune):
    commune.unlisted[COPY[1]] = b"?"


@breach({COPY: ALTERED("unexplained")})
def copy_other_than_made(commune):
    commune.members[COPY[1]] = b"?"


@breach({COPY: ALTERED("unexplained")})
def copy_of_another_kind(commune):
    commune.copies[0][3] = 2


@breach({COPY: ALTERED("unexplained")})
def copy_of_another_photo(commune):
    commune.copies[0][1] = 5
