"""Whose turn it is: URLs that wait, host by host, so that those upwards never wait for those downwards."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pkcs12kit.retrieval.retrieved import Purpose

if TYPE_CHECKING:
    from pkcs12kit.retrieval.pointers import Pointer


@dataclass(slots=True, eq=False)
class Location:
    """A URL, and every pointer to it that says something else, the first one first."""

    url: str
    number: int
    pointers: dict[str, Pointer] = field(default_factory=dict)

    @property
    def purpose(self) -> Purpose:
        """What it is for: what leads up goes before what leads down, whichever was met first."""
        upwards = any(pointer.purpose is Purpose.CA_ISSUERS for pointer in self.pointers.values())
        return Purpose.CA_ISSUERS if upwards else Purpose.CA_REPOSITORY

    @property
    def host(self) -> str:
        """The host that the fetcher counts by; for what is no URL of a host, the text itself."""
        try:
            return (urlsplit(self.url).hostname or self.url).removesuffix(".")
        except ValueError:
            return self.url


class Turns:
    """URLs that wait. ``at_once`` of one host have their turn at a time: upwards first, else in the order met."""

    def __init__(self, *, at_once: int) -> None:
        self._at_once = at_once
        self._waiting: dict[str, list[tuple[bool, int, Location]]] = {}
        self._running: Counter[str] = Counter()
        self._changed: dict[str, None] = {}  # the hosts for which there may be a turn now, in order
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def put(self, location: Location) -> None:
        """Let a URL wait."""
        host = location.host
        entry = (location.purpose is not Purpose.CA_ISSUERS, location.number, location)
        heappush(self._waiting.setdefault(host, []), entry)
        self._changed[host] = None
        self._size += 1

    def take(self) -> list[Location]:
        """Give those whose turn it is."""
        taken = []
        for host in self._changed:
            waiting = self._waiting.get(host, [])
            while waiting and self._running[host] < self._at_once:
                taken.append(heappop(waiting)[-1])
                self._running[host] += 1
        self._changed.clear()
        self._size -= len(taken)
        return taken

    def end(self, location: Location) -> None:
        """Free the turn of a URL that was taken."""
        self._running[location.host] -= 1
        self._changed[location.host] = None
