"""Breaches of the signed heads, of what a witness kept, and of a record that was written again; see breaches.py."""

from breaches import *  # noqa: F403 - the words of all
from bundles import DAY, STRANGER, T0, ZERO, made_of
from cbor import encode
from forms import head_hash
# 3. heads


@breach({("file", "heads.cbor"): INCOMPLETE("file_missing"), HEADS: INCOMPLETE("heads_missing"), **NO_HEADS})
def heads_missing(commune):
    commune.gone.add("heads.cbor")


@breach({HEADS: INCOMPLETE("heads_missing"), **NO_HEADS})
def heads_never_listed(commune):
    commune.members["heads.cbor"] = None


@breach({HEADS: ALTERED("malformed"), **NO_HEADS})
def heads_none(commune):
    commune.members["heads.cbor"] = encode([])


def heads(commune, change):
    commune.build()
    items = [[head, number, {}] for number, head in enumerate(commune.heads)]
    change(items)
    commune.members["heads.cbor"] = encode([commune.head_item(head, number, **more) for head, number, more in items])


LAST_HEAD_AWAY = {A2: ALTERED("custody_uncovered"), A5: ALTERED("custody_uncovered"), B7: ALTERED("custody_uncovered")}


@breach({HEADS: ALTERED("head"), **LAST_HEAD_AWAY})
def head_of_a_stranger(commune):
    heads(commune, lambda items: items[2][2].update(key=STRANGER))


@breach({HEADS: ALTERED("head"), **LAST_HEAD_AWAY})
def head_of_another_kind(commune):
    heads(commune, lambda items: items[2][2].update(kind=4))


@breach({HEADS: ALTERED("head"), **LAST_HEAD_AWAY})
def head_of_another_scope(commune):
    heads(commune, lambda items: items[2][2].update(scope=[2, 123]))


@breach({HEADS: ALTERED("head"), **LAST_HEAD_AWAY})
def head_of_true_scope(commune):
    heads(commune, lambda items: items[2][2].update(scope=[True, 123]))


@breach({HEADS: ALTERED("head_order"), **LAST_HEAD_AWAY})
def head_names_another_before(commune):
    heads(commune, lambda items: items[2][0].update({3: ZERO}))


@breach({HEADS: ALTERED("head_order"), A2: ALTERED("custody_uncovered"), A5: ALTERED("custody_uncovered"), B7: ALTERED("custody_uncovered")})
def head_left_out(commune):
    heads(commune, lambda items: items.pop(1))


@breach({HEADS: ALTERED("head_order"), **NO_HEADS})
def first_head_names_one_before(commune):
    heads(commune, lambda items: items[0][0].update({3: made_of("x")}))


@breach({A2: INCOMPLETE("custody_head")})
def heads_begin_later(commune):
    heads(commune, lambda items: items.pop(0))


@breach({A2: ALTERED("custody_uncovered"), A5: ALTERED("custody_uncovered"), B7: ALTERED("custody_uncovered")})
def heads_end_earlier(commune):
    heads(commune, lambda items: items.pop())


@breach({name: ALTERED("custody_proof") for name in (A2, A5, B7)})
def head_over_something_else(commune):
    heads(commune, lambda items: items[2][0].update({2: ZERO}))


def witnessed(change=lambda head: head, **more):
    def witness(commune):
        commune.build()
        return [commune.head_item(change(dict(head)), number, **more) for number, head in enumerate(commune.heads)]

    return witness


@breach()
def witness_agrees(commune):
    commune.witness = witnessed()


@breach({HEADS: ALTERED("witness")})
def witness_has_another_root(commune):
    commune.witness = witnessed(lambda head: {**head, 2: ZERO})


@breach({HEADS: INCOMPLETE("restored")})
def witness_of_an_epoch_before(commune):
    commune.witness = witnessed(lambda head: {**head, 4: 1}, epoch=b"epoch-00")


@breach()
def witness_of_later_days(commune):
    commune.witness = witnessed(lambda head: {**head, 4: commune.exported + head[5], 5: head[5] + 3})


@breach({HEADS: INCOMPLETE("witness")})
def witness_of_a_head_kept_back(commune):
    commune.witness = witnessed(lambda head: {**head, 4: commune.exported - 1, 5: head[5] + 3})


@breach({HEADS: INCOMPLETE("restored")})
def witness_of_a_head_lost_by_a_restore(commune):
    commune.witness = witnessed(lambda head: {**head, 4: commune.exported - 1, 5: head[5] + 3}, epoch=b"epoch-00")


# Head 0 was made after the first record and is not in the bundle.
@breach({HEADS: INCOMPLETE("witness"), A2: INCOMPLETE("custody_head")})
def witness_of_a_head_before(commune):
    witness = witnessed()(commune)
    heads(commune, lambda items: items.pop(0))
    commune.witness = lambda commune: witness


@breach({HEADS: INCOMPLETE("restored"), A2: INCOMPLETE("custody_head")})
def witness_of_a_head_before_and_of_another_epoch(commune):
    witness = witnessed(epoch=b"epoch-00")(commune)[:1]
    heads(commune, lambda items: items.pop(0))
    commune.witness = lambda commune: witness


@breach({A2: INCOMPLETE("custody_head")})
def witness_of_a_head_before_anything_came(commune):
    witness = witnessed(lambda head: {**head, 4: T0 + 60_000})(commune)[:1]
    heads(commune, lambda items: items.pop(0))
    commune.witness = lambda commune: witness


def rewritten(commune, word, change):
    """Two heads went out; then the chain is another, under a third head that follows them."""
    then = []
    commune.touch = lambda label, value: then.append(value) or value if label == "proofs" else value
    _, honest = commune.custody()
    words = list(commune.records)
    change(commune.records[word])
    for chains in commune.trees:
        if word in chains:
            chains[word] = min(chains[word], len(commune.records[word]))
    commune.trees[2][word] = len(commune.records[word])
    custody = commune.custody

    def others_hold(label, value):
        # Under the heads that went out the hub still has the proofs of every other chain.
        if label == "proofs":
            of, kept = words[-len(then)], then.pop(0)
            return value if of == word else kept[: len([proof for proof in kept if proof[0] < 2])] + [proof for proof in value if proof[0] == 2]
        return value

    def again():
        commune.touch = others_hold
        files, heads = custody()
        heads[:2] = honest[:2]
        before = heads[1]
        heads[2][3] = head_hash(tuple(before[key] for key in range(6)))
        return files, heads

    commune.custody = again
    kept = [commune.head_item(head, number) for number, head in enumerate(honest[:2])]
    commune.witness = lambda commune: kept


# What the hub can prove of the rewritten chain: nothing under heads that went out with another one.
@breach({A2: ALTERED("custody_late")})
def custody_rewritten(commune):
    commune.proved["a2"] = [2]
    rewritten(commune, "a2", lambda records: records.pop(1))


# The records under head 0 are those of then; what came between it and head 1 is struck out.
@breach({A2: ALTERED("custody_late")})
def custody_struck_out_between_heads(commune):
    commune.proved["a2"] = [0, 2]
    rewritten(commune, "a2", lambda records: records.pop(2))


@breach({A2: ALTERED("custody_proof")})
def custody_struck_out_and_proved_all_the_same(commune):
    rewritten(commune, "a2", lambda records: records.pop(2))


# It tells that everything came after the heads that went out: so says no receipt.
@breach({A2: ALTERED("custody_received")})
def custody_moved_behind_the_heads(commune):
    commune.proved["a2"] = [2]

    def later(records):
        for record in records[:3]:
            record[0][1] += 2 * DAY

    rewritten(commune, "a2", later)


@breach({HEADS: INCOMPLETE("witness")})
def witness_of_a_stranger(commune):
    commune.witness = witnessed(key=STRANGER)


@breach({HEADS: INCOMPLETE("witness")})
def witness_of_something_else(commune):
    commune.witness = witnessed(kind=6)
