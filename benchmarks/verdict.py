"""What a set-up kept of its promises, by Telegram's record and the database."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.people import Deed
from benchmarks.processes import Ledger

AT_ONCE = 16  # calls under way when a process dies, as docs/adr/0007-delivery-guarantees.md promises
Place = tuple[int, int]  # a chat's and a message's number
NOTED = (
    "SELECT chat.telegram_id, outgoing.message_id FROM outgoing JOIN chat ON chat.id = outgoing.chat_id"
    " WHERE outgoing.message_id IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class Kill:
    """What Telegram had accepted when a process died, and what of it the database knew."""

    seen: frozenset[Place]
    noted: frozenset[Place]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How often each promise was broken; only `repeats` may be above zero."""

    lost: int
    handled_twice: int
    out_of_order: int
    tickets_twice: int
    repeats: int
    repeats_outside_window: int


# What the bot wrote into each chat, oldest first: a message's number and text.
Record = Mapping[int, Sequence[tuple[int, str]]]


def judge(
    deeds: Sequence[Deed], updates: Collection[int], record: Record, kills: Sequence[Kill], ledger: Ledger
) -> Verdict:
    """Compare what people did, what they read, and what the database says of it."""
    repeated = repeats(deeds, record)
    return Verdict(
        lost=missing(deeds, record) + not_done(updates, ledger),
        handled_twice=handled_twice(ledger),
        out_of_order=out_of_order(deeds, record),
        tickets_twice=len(ledger.ask("SELECT candidate_id FROM ticket GROUP BY candidate_id HAVING count(*) > 1")),
        repeats=len(repeated),
        repeats_outside_window=outside(repeated, kills),
    )


def missing(deeds: Iterable[Deed], record: Record) -> int:
    """Deeds that did not arrive."""
    return sum(not any(deed.words in text for _, text in record.get(deed.target, ())) for deed in deeds)


def not_done(updates: Collection[int], ledger: Ledger) -> int:
    """Updates that Telegram gave away and the bot has not handled, or has set aside."""
    done = {number for (number,) in ledger.ask("SELECT update_id FROM \"update\" WHERE state = 'done'")}
    return len(set(updates) - done)


def handled_twice(ledger: Ledger) -> int:
    """Messages that left two questions, and updates that wrote the same message twice into the outbox."""
    asked = ledger.ask(
        "SELECT message_id FROM question WHERE message_id IS NOT NULL GROUP BY candidate_id, message_id"
        " HAVING count(*) > 1"
    )
    rows = ledger.ask("SELECT key, chat_id, method, payload FROM outgoing WHERE key LIKE 'u%:%'")
    written = Counter((key.partition(":")[0], chat, method, json.dumps(payload)) for key, chat, method, payload in rows)
    return len(asked) + sum(count - 1 for count in written.values())


def out_of_order(deeds: Iterable[Deed], record: Record) -> int:
    """Deeds of one chat that arrived in another, or came back to it, before an earlier one."""
    places: dict[Place, list[Place]] = defaultdict(list)
    for deed in deeds:
        found = [
            (at, text.index(deed.words))
            for at, (_, text) in enumerate(record.get(deed.target, ()))
            if deed.words in text
        ]
        if found:
            places[deed.source, deed.target].append(found[0])
    return sum(after < before for ways in places.values() for before, after in pairwise(ways))


def repeats(deeds: Iterable[Deed], record: Record) -> dict[Place, Place]:
    """Messages that say again what an earlier one had said, with that earlier one."""
    found: dict[Place, Place] = {}
    for deed in deeds:
        same = [number for number, text in record.get(deed.target, ()) if deed.words in text]
        found.update({(deed.target, after): (deed.target, before) for before, after in pairwise(same)})
    return found


def outside(repeated: Mapping[Place, Place], kills: Sequence[Kill]) -> int:
    """Repeats that no kill explains: one a chat, and no more than were under way."""
    explained: list[set[int]] = [set() for _ in kills]
    unexplained = 0
    for after, before in sorted(repeated.items()):
        for kill, chats in zip(kills, explained, strict=True):
            under_way = before in kill.seen and before not in kill.noted and after not in kill.seen
            if under_way and before[0] not in chats and len(chats) < AT_ONCE:
                chats.add(before[0])
                break
        else:
            unexplained += 1
    return unexplained
