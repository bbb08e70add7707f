"""How names are folded and compared: plain arithmetic on text, no database.

Every known word is filed under itself, under its beginnings, and under itself with one letter left out. What somebody
types is looked up the same ways, so that one wrong, missing, doubled or swapped letter still meets the name, each by
an exact look-up in an index.
"""

from __future__ import annotations

import unicodedata

LONGEST = 40
FUZZY_FROM = 4
BEGINNING_FROM = 3
SPECIAL = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})


def words(text: str) -> list[str]:
    """Return the words of a text, in small letters without accents; punctuation parts, apostrophes vanish."""
    folded = unicodedata.normalize("NFKD", text.casefold().translate(SPECIAL))
    plain = "".join(sign for sign in folded if not unicodedata.combining(sign) and sign not in "'\u2019`")
    parted = "".join(sign if sign.isalnum() else " " for sign in plain)
    return [word[:LONGEST] for word in parted.split()]


def shortened(word: str) -> set[str]:
    """Return a word with each one of its letters left out; nothing for words too short to tell apart."""
    if len(word) < FUZZY_FROM:
        return set()
    return {word[:at] + word[at + 1 :] for at in range(len(word))}


def beginnings(word: str) -> set[str]:
    """Return the beginnings of a word that somebody may stop typing at."""
    return {word[:length] for length in range(BEGINNING_FROM, len(word))}


def filed_under(word: str) -> set[str]:
    """Return everything that a known word is filed under."""
    return {word} | shortened(word) | beginnings(word)


def looked_up(word: str) -> set[str]:
    """Return everything that a typed word is looked up as."""
    return {word} | shortened(word)
