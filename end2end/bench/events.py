"""Writes a log of made up events into a database of Porchlight, as fast as SQLite takes them.

    python3 events.py DATABASE SITE COUNT DAYS

What is written is spread over the days before now, over 20 conversations, 200 pages and 10 agents. The foreign keys of what is made up lead nowhere.
"""

import json
import random
import sqlite3
import sys
import time
import uuid

CONVERSATIONS = [f"conversation-{number}" for number in range(20)]
PAGES = [f"https://shop.example/{number}?campaign=spring" for number in range(200)]


def identifier(milliseconds, number):
    """A UUID of version 7."""
    return str(uuid.UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | number))


AGENTS = [identifier(1, number) for number in range(10)]


def visit(at, number):
    """The events of a visit: kinds, what is with them, and how many seconds later."""
    agent = random.choice(AGENTS)
    chat = identifier(at, number)
    yield "widget.loaded", {}, 0
    yield "conversation.triggered", {}, 1
    if random.random() < 0.5:
        yield "conversation.closed", {}, 20
        return
    yield "conversation.engaged", {}, 10
    yield "input.captured", {"field": "topic"}, 0
    yield "input.email", {"value": "somebody@example.com"}, 20
    if random.random() < 0.3:
        yield "livechat.requested", {"chat": chat, "agentID": agent}, 0
        if random.random() < 0.2:
            yield "livechat.timeout", {"chat": chat, "agentID": None, "online": False}, 100
        else:
            yield "livechat.initiated", {"chat": chat, "agentID": agent}, random.randrange(60)
            for _ in range(3):
                yield "message.sent", {"chat": chat}, 10
                yield "message.received", {"chat": chat, "agentID": agent}, 10
            yield "livechat.ended", {"chat": chat, "agentID": agent}, 10
    elif random.random() < 0.2:
        yield "meeting.booked", {"agentID": agent}, 30
    yield "conversation.completed", {}, 5


def rows(site, count, days):
    """The rows of the log, in the order of time."""
    random.seed(7)
    end = int(time.time() * 1000)
    made = 0
    while made < count:
        at = end - days * 86_400_000 + made * days * 86_400_000 // count
        # No two runs make the same ids.
        number = count << 36 | made << 8
        visitor, session = identifier(at, number | 1), identifier(at, number | 2)
        # Some conversations and pages are seen far more often than others, and a few pages are those of a season.
        conversation = CONVERSATIONS[int(20 * random.random() ** 2)]
        page = PAGES[int(200 * random.random() ** 3)]
        for seq, (kind, data, seconds) in enumerate(visit(at, number | 3), start=1):
            at += seconds * 1000
            yield identifier(at, number | 4 + seq), kind, seq, at, site, visitor, session, "-", conversation, page, json.dumps(data)
            made += 1


def main(database, site, count, days):
    connection = sqlite3.connect(database, timeout=60)
    connection.execute("pragma foreign_keys = off")
    with connection:
        connection.executemany(
            "insert into event (id, type, seq, time, site, visitor, session, view, conversation, page, data) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows(site, count, days),
        )
    connection.close()


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
