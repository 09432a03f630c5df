"""Breaches of logs, incidents, photographs and copies; see breaches.py."""

from breaches import *  # noqa: F403 - the words of the other half
from bundles import AN, BA, DAY, T0, ZERO, Body, made_of
from cbor import encode

# 4. logs


@breach({LOG_A: INCOMPLETE("file_missing"), **BROKEN_A})
def log_missing(commune):
    commune.gone.add(LOG_A_NAME)


@breach({LOG_A: ALTERED("bytes"), **CHAIN_A})
def log_altered(commune):
    commune.unlisted[LOG_A_NAME] = b"?"


@breach({LOG_A: ALTERED("malformed"), **CHAIN_A})
def log_malformed(commune):
    commune.members[LOG_A_NAME] = encode([commune.a, 0, []])


@breach({LOG_A: ALTERED("malformed"), **CHAIN_A})
def log_of_another(commune):
    commune.members[LOG_A_NAME] = commune.log(commune.logs[1])


@breach({("log", "logs/readme.txt"): ALTERED("malformed")})
def log_with_a_name_of_its_own(commune):
    commune.members["logs/readme.txt"] = b"?"


@breach({LOG_A: ALTERED("order"), **CHAIN_A})
def entry_0_after_another(commune):
    run(commune)[1] = made_of("x")


@breach({LOG_B: ALTERED("order"), B7: ALTERED("chain")})
def runs_change_places(commune):
    commune.logs[1]["runs"].reverse()


@breach({LOG_B: ALTERED("order"), B7: ALTERED("chain")})
def runs_do_not_meet(commune):
    commune.logs[1]["runs"][0][2].append(made_of("6"))
    commune.logs[1]["runs"][0][3][0][0] = 6


@breach({LOG_B: ALTERED("order"), B7: ALTERED("chain")})
def heads_of_a_run_descend(commune):
    commune.logs[1]["runs"][1][3] = [[8, b"device-b", None], [7, b"device-b", None], [8, b"device-b", None]]


@breach({LOG_B: ALTERED("order"), B7: ALTERED("chain")})
def head_beyond_its_run(commune):
    commune.logs[1]["runs"][1][3].append([9, b"device-b", None])


@breach({LOG_B: INCOMPLETE("no_head"), B7: INCOMPLETE("chain")})
def head_before_the_last_step(commune):
    commune.logs[1]["runs"][1][3][0][0] = 7


@breach({LOG_B: INCOMPLETE("no_head"), B7: INCOMPLETE("chain")})
def run_without_a_head(commune):
    commune.logs[1]["runs"][1][3] = []


@breach({LOG_B: ALTERED("device"), B7: ALTERED("chain")})
def head_of_another_device(commune):
    commune.logs[1]["runs"][1][3][0][1] = b"device-a"


@breach({LOG_B: INCOMPLETE("no_certificate"), B7: INCOMPLETE("chain")})
def device_unknown(commune):
    commune.devices.pop()


@breach({LOG_B: ALTERED("head"), B7: ALTERED("chain")})
def head_of_another_key(commune):
    commune.logs[1]["key"] = AN


@breach({LOG_B: ALTERED("token"), B7: ALTERED("chain")})
def token_before_the_key(commune):
    run(commune, 1, 1)[3][0][2] = T0 - DAY - 1


@breach({LOG_A: ALTERED("device"), **CHAIN_A})
def log_started_with_another_key(commune):
    run(commune)[2][0] = commune.started(BA)


@breach()
def log_started_by_other_words(commune):
    run(commune)[2][0] = Body("started", [0, encode({0: 0, 16: b"short"})])


@breach({LOG_B: ERASED("parts_erased")})
def salt_withheld(commune):
    run(commune, 1, 1)[2][0].withheld = True


@breach({LOG_A: ALTERED("malformed"), **CHAIN_A})
def body_of_nine_parts(commune):
    run(commune)[2][0].parts += [[2, b"\0"]] * 8


@breach()
def body_of_eight_parts(commune):
    run(commune)[2][0].parts += [[2, b"\0"]] * 7


@breach({LOG_A: ALTERED("malformed"), **CHAIN_A})
def part_too_long(commune):
    run(commune)[2][0].parts.append([2, encode(bytes(65_534))])


@breach({LOG_A: ALTERED("malformed"), **CHAIN_A})
def part_of_no_cbor(commune):
    run(commune)[2][0].parts.append([2, b"\x18\x01"])


@breach({LOG_A: ALTERED("malformed"), **CHAIN_A})
def keys_of_a_part_descend(commune):
    run(commune)[2][0].parts.append([2, b"\xa2\x01\x00\x00\x00"])


@breach({LOG_A: ALTERED("malformed"), **CHAIN_A})
def part_too_deep(commune):
    run(commune)[2][0].parts.append([2, b"\x81" * 16 + b"\x80"])


@breach()
def part_with_odd_keys(commune):
    run(commune)[2][0].parts.append([2, encode({-1: 0, "a": 0, (1,): 0})])


# 5. incidents


@breach({("incident", A + ":9"): INCOMPLETE("entry_missing")})
def incident_not_there(commune):
    commune.incidents.append([commune.a, 9])


@breach({("incident", A + ":2"): ALTERED("not_an_incident")})
def incident_that_is_a_photo(commune):
    commune.incidents.append([commune.a, 2])


@breach()
def whole_commune(commune):
    commune.incidents = None


@breach({LOG_A: ERASED("parts_erased"), INCIDENT: ERASED("entry_erased")})
def incident_erased(commune):
    run(commune)[2][1].erase = {0}


@breach({LOG_A: ERASED("parts_erased"), INCIDENT: ERASED("parts_erased")})
def words_of_an_incident_erased(commune):
    run(commune)[2][1].erase = {1}


@breach({LOG_A: ERASED("parts_erased")})
def other_words_erased(commune):
    run(commune)[2][5].parts.append([2, b"\0"])
    run(commune)[2][5].erase = {2}


@breach({INCIDENT: INCOMPLETE("attachments")})
def photographs_announced(commune):
    report(commune, 4)


@breach()
def photographs_announced_and_there(commune):
    report(commune, 3)


@breach({LOG_A: ERASED("parts_erased"), INCIDENT: INCOMPLETE("attachments")})
def words_erased_and_photographs_missing(commune):
    report(commune, 4)
    run(commune)[2][1].erase = {1}


@breach()
def report_that_announces_nothing(commune):
    run(commune)[2][1] = Body("report", [0, encode({0: 7})])


def forked(commune, *bodies):
    """Another branch of log a, and what it says from entry 0 on."""
    heads = [[len(bodies) - 1, b"device-a", None]]
    commune.logs.append({"log": commune.a, "branch": 1, "key": AN, "runs": [[0, ZERO, list(bodies), heads]]})


# A phone that contradicts itself: what one branch reports the other does not hide, whichever came first.
@breach({("incident", A + ":4"): INCOMPLETE("attachments")})
def incident_that_another_branch_hides(commune):
    run(commune)[2][4] = Body("other", [0, encode({0: 3})])
    forked(commune, *(made_of(str(n)) for n in range(4)), commune.report(1))


@breach({INCIDENT: INCOMPLETE("attachments")})
def incident_that_another_branch_makes_smaller(commune):
    forked(commune, commune.started(AN), commune.report(4))


@breach()
def incident_erased_on_one_branch(commune):
    forked(commune, commune.started(AN), Body("report", [0, encode({0: 3})]))


@breach({INCIDENT: INCOMPLETE("attachments"), ("photo", A + ":2/1"): INCOMPLETE("not_listed")})
def photograph_that_two_branches_tell_of(commune):
    report(commune, 4)
    forked(commune, commune.started(AN), made_of("1"), commune.photo("a2"))


@breach({("incident", A + ":6"): INCOMPLETE("attachments")})
def incident_not_named(commune):
    run(commune)[2].append(commune.report(1))
    run(commune)[3][1][0] = 6


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
