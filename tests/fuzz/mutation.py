"""Mutations of encoded ASN.1: elements are dropped, repeated, moved, changed and taken from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .elements import Element, parse

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

_MOST_AT_ONCE = 4
_TAGS = (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A, 0x0C, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1A, 0x1C, 0x1E, 0x30, 0x31)
_TAGGED = (0x80, 0x81, 0x82, 0x84, 0x86, 0x87, 0x88, 0xA0, 0xA1, 0xA2, 0xA3, 0xA4)
_CONTENTS = (
    b"",
    b"\x00",
    b"\x01",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xff" * 21,
    b"\x7f" + b"\xff" * 300,
    b"\x00\x00",
    b"00000101000000Z",
    b"99991231235959Z",
    b"00010101000000Z",
    b"491231235959Z",
    b"500101000000Z",
    b"20260230000000Z",
    b"\xd8\x00\xdc",
    "\u202e\x1b[2J".encode(),
    b"*.example",
    b".",
    b"\x0a\x00\x00\x00\xff\x00\xff\x00",
    b"\x2a",
    b"\x55\x1d\x1e",
    b"\x55\x1d\x14",
    b"\x55\x1d\x1b",
    b"\x55\x1d\x1c",
    b"\x88\x37\xff\xff\xff\xff\x7f",
)


def mutate(data: bytes, chance: random.Random, donors: Sequence[bytes], *, kept: int = 0, most: int = 1 << 16) -> bytes:
    """Change ``data`` in one to a few places; its first ``kept`` octets choose a way of testing, and change rarely.

    Elements to put in come from ``data`` itself and from ``donors``. The answer has ``most`` octets at most.
    """
    head, body = bytearray(data[:kept]), data[kept:]
    if head and chance.random() < 0.1:
        head[chance.randrange(len(head))] = chance.randrange(256)
    tree = parse(body)
    if tree is None or chance.random() < 0.15:
        body = _mutate_octets(body, chance)
    else:
        donated = parse(chance.choice(donors)[kept:]) if donors else None
        for _ in range(chance.randint(1, _MOST_AT_ONCE)):
            _mutate_tree(tree, donated or tree, chance)
        body = b"".join(element.encode() for element in tree)
        if chance.random() < 0.1:
            body = _mutate_octets(body, chance)
    return (bytes(head) + body)[:most]


def _lists(elements: list[Element]) -> list[list[Element]]:
    """List every list of elements of a tree, the outermost first."""
    found, waiting = [], [elements]
    while waiting:
        one = waiting.pop()
        if one:
            found.append(one)
        waiting += [element.contents for element in one if isinstance(element.contents, list)]
    return found


def _mutate_tree(tree: list[Element], donated: list[Element], chance: random.Random) -> None:
    lists = _lists(tree)
    if not lists:
        return
    siblings = chance.choice(lists)
    chance.choice(_CHANGES)(siblings, chance.randrange(len(siblings)), donated, chance)


def _drop(siblings: list[Element], at: int, _donated: list[Element], _chance: random.Random) -> None:
    del siblings[at]


def _repeat(siblings: list[Element], at: int, _donated: list[Element], chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 1, 2, 8))):
        siblings.insert(at, siblings[at].copy())


def _swap(siblings: list[Element], at: int, _donated: list[Element], chance: random.Random) -> None:
    other = chance.randrange(len(siblings))
    siblings[at], siblings[other] = siblings[other], siblings[at]


def _transplant(siblings: list[Element], at: int, donated: list[Element], chance: random.Random) -> None:
    """Put in an element of a donor, preferably of the same tag."""
    found = [element for one in _lists(donated) for element in one]
    alike = [element for element in found if element.tag == siblings[at].tag]
    if not found:
        return
    new = chance.choice(alike if alike and chance.random() < 0.7 else found).copy()
    if chance.random() < 0.5:
        siblings[at] = new
    else:
        siblings.insert(at, new)


def _retag(siblings: list[Element], at: int, _donated: list[Element], chance: random.Random) -> None:
    siblings[at].tag = chance.choice(_TAGS + _TAGGED)


def _refill(siblings: list[Element], at: int, _donated: list[Element], chance: random.Random) -> None:
    siblings[at].contents = chance.choice(_CONTENTS)


def _edit(siblings: list[Element], at: int, _donated: list[Element], chance: random.Random) -> None:
    contents = siblings[at].contents
    if isinstance(contents, bytes):
        siblings[at].contents = _mutate_octets(contents, chance)


def _wrap(siblings: list[Element], at: int, _donated: list[Element], chance: random.Random) -> None:
    siblings[at] = Element(chance.choice((0x30, 0x31, 0x04, 0xA0, 0xA1, 0xA4)), [siblings[at]])


def _unwrap(siblings: list[Element], at: int, _donated: list[Element], _chance: random.Random) -> None:
    contents = siblings[at].contents
    if isinstance(contents, list):
        siblings[at : at + 1] = contents


def _invent(siblings: list[Element], at: int, _donated: list[Element], chance: random.Random) -> None:
    siblings.insert(at, Element(chance.choice(_TAGS + _TAGGED), chance.choice(_CONTENTS)))


_CHANGES: tuple[Callable[[list[Element], int, list[Element], random.Random], None], ...] = (
    _drop,
    _repeat,
    _swap,
    _transplant,
    _transplant,
    _retag,
    _refill,
    _edit,
    _edit,
    _edit,
    _wrap,
    _unwrap,
    _invent,
)


def _mutate_octets(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, _MOST_AT_ONCE)):
        at = chance.randrange(len(changed) + 1)
        kind = chance.randrange(4)
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << chance.randrange(8)
        elif kind == 1 and at < len(changed):
            changed[at] = chance.randrange(256)
        elif kind == 2:
            del changed[at : at + chance.choice((1, 1, 2, 8))]
        else:
            changed[at:at] = chance.randbytes(chance.choice((1, 1, 2, 8)))
    return bytes(changed)
