"""A crawl as it would be if answers came in rounds: so that what is found is not a matter of which answer is first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.certificates.pool import CertificatePool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.retrieval.following import Following


class Rounds:
    """The URLs of a round are those that the certificates of the rounds before lead to.

    The crawl asks in whatever order is quickest, and has answers of later rounds while an earlier one is incomplete.
    ``found`` has the certificates of the rounds that are complete, in an order that follows from them alone; ``wanted``
    the URLs of the round that is not.
    """

    def __init__(self, following: Following, *, has_path: Callable[[CertificatePool], bool]) -> None:
        self.found: dict[Certificate, None] = {}
        self.wanted: frozenset[str] = frozenset()
        self._following = following
        self._has_path = has_path
        self._asked: set[str] = set()
        self._round: list[str] | None = None

    def advance(self, answers: Mapping[str, tuple[Certificate, ...]]) -> bool:
        """Go through the rounds that are complete; whether the last of them made a path, or nothing is left to ask.

        ``answers`` has the certificates that each URL gave: none, where it failed.
        """
        while True:
            if self._round is None:
                self._round = self._next_round()
                if self._following.take_turn_to_search(last=not self._round) and self._has_path(
                    CertificatePool(self._following.between)
                ):
                    return True
            if not self._round and not self._following.widen():
                return True
            self.wanted = frozenset(self._round)
            if not self.wanted <= answers.keys():
                return False
            for url in self._round:
                for certificate in answers[url]:
                    if certificate not in self.found:
                        self.found[certificate] = None
                        self._following.add(certificate)
            self._round = None

    def _next_round(self) -> list[str]:
        urls = {pointer.url for pointer in self._following.take()} - self._asked
        self._asked |= urls
        return sorted(urls)
