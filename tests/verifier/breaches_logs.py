"""Breaches of logs and incidents; see breaches.py."""

from breaches_heads import *  # noqa: F403 - the words of all
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
