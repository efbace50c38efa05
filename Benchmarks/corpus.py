"""Bookmarks as people keep them: seeded, so that every run loads the same ones. Frequent words are frequent (Zipf), rare ones rare."""

import datetime
import itertools
import random

SUBJECTS = """
swift server rust python postgres sqlite redis kernel compiler garden bread sourdough bicycle repair chess opening piano practice
photography lens watercolour history medieval castle astronomy telescope climate energy battery solar budget tax travel lisbon kyoto
norway hiking camping recipe soup pasta coffee espresso typography fonts design accessibility browser network protocol security password
encryption latency cache queue scheduler memory allocator concurrency actor async testing fuzzing profiling benchmark database index query
transaction backup container deployment kubernetes linux terminal shell editor vim git review career interview writing essay poetry novel
biography film music jazz guitar synthesizer podcast statistics probability algebra geometry topology physics chemistry biology genetics
medicine sleep running swimming yoga meditation economics inflation housing city transport railway aviation sailing language latin grammar
dictionary translation
""".split()

SHAPES = [
    "A gentle introduction to {a}",
    "How {a} changed the way we think about {b}",
    "{a} and {b}: what nobody tells you",
    "The {a} handbook",
    "Why {a} is hard",
    "Notes on {a}, {b} and {c}",
    "{a} in practice",
    "Ten years of {a}",
    "From {a} to {b} in a weekend",
    "Understanding {a} with {b}",
]

SITES = ["example.org", "example.com", "example.net", "blog.example.org", "wiki.example.com", "news.example.net", "docs.example.org"]
CATEGORIES = ["reading", "work", "cooking", "music", "travel", "science", "later", None]
WEIGHTS = list(itertools.accumulate(1 / rank for rank in range(1, len(SUBJECTS) + 1)))
FIRST_SAVED, SECONDS_BETWEEN = 1_420_070_400, 17_280  # 1 January 2015, five a day


def bookmarks(count, seed=1):
    chance = random.Random(seed)
    return [bookmark(number, chance) for number in range(count)]


def bookmark(number, chance):
    a, b, c = words(chance, 3)
    title = chance.choice(SHAPES).format(a=a, b=b, c=c).capitalize()
    return {
        "url": f"https://{chance.choice(SITES)}/{a}/{b}-{number}",
        "title": title,
        "notes": " ".join(words(chance, chance.randint(0, 30))) or None,
        "category": chance.choice(CATEGORIES),
        "tags": sorted(set(words(chance, chance.randint(0, 4)))),
        "saved_at": rfc3339(FIRST_SAVED + number * SECONDS_BETWEEN),
    }


def queries(count, seed=2):
    """What people type: one word, two words, or the beginning of one."""
    chance = random.Random(seed)
    return [chance.choice([word, f"{word} {words(chance, 1)[0]}", word[:4]]) for word in words(chance, count)]


def words(chance, count):
    return chance.choices(SUBJECTS, cum_weights=WEIGHTS, k=count)


def rfc3339(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
