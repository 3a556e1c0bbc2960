"""XMPP: TLS is begun inside a stream of XML (RFC 6120)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Never
from xml.parsers import expat  # a document type, which is where its dangers are, ends the dialogue
from xml.sax.saxutils import quoteattr  # it writes

if TYPE_CHECKING:
    from pkcs12kit.tls.starttls.dialogue import Dialogue

_TLS: Final = "urn:ietf:params:xml:ns:xmpp-tls"
_STREAMS: Final = "http://etherx.jabber.org/streams"
_STREAM: Final = f"{_STREAMS} stream"  # expat's form: namespace and local name
_FEATURES: Final = f"{_STREAMS} features"
_ERROR: Final = f"{_STREAMS} error"
_STARTTLS: Final = f"{_TLS} starttls"
_PROCEED: Final = f"{_TLS} proceed"


def xmpp(dialogue: Dialogue, server: str) -> None:
    """RFC 6120 section 5.4; ``server`` is the name that the stream is opened to."""
    dialogue.send(
        f"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='{_STREAMS}'"
        f" to={quoteattr(server)} version='1.0'>".encode()
    )
    stream = _Stream(dialogue)
    name, inside = stream.next_element()
    if name != _FEATURES:
        dialogue.refused(_words(name, inside))
    if _STARTTLS not in inside:
        dialogue.refused("starttls is not among its features")
    dialogue.send(f"<starttls xmlns='{_TLS}'/>".encode())
    name, inside = stream.next_element()
    if name != _PROCEED:
        dialogue.refused(_words(name, inside))


def _words(name: str, inside: list[str]) -> str:
    return " ".join(one.rpartition(" ")[2] for one in (name, *inside))


class _Stream:
    """What comes from the server, one child of the stream after the other."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue
        self._open: list[str] = []
        self._inside: list[str] = []
        self._whole: list[tuple[str, list[str]]] = []
        self._parser = expat.ParserCreate(namespace_separator=" ")
        if hasattr(self._parser, "SetReparseDeferralEnabled"):  # else a tag in two pieces may be read late
            self._parser.SetReparseDeferralEnabled(False)  # noqa: FBT003  # by position only
        self._parser.StartDoctypeDeclHandler = self._refuse_document_type
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def next_element(self) -> tuple[str, list[str]]:
        """Wait for the next child of the stream to end; give its name and those of all inside it.

        Nothing beyond its last character is taken, so that what follows can be seen.
        """
        while not self._whole:
            piece = self._dialogue.take_past(b">")
            try:
                self._parser.Parse(piece)
            except expat.ExpatError:
                self._dialogue.strange(piece)
        return self._whole.pop()

    def _refuse_document_type(self, *_: object) -> Never:
        self._dialogue.broken("the server sends a document type, which RFC 6120 section 11.1 forbids")

    def _start(self, name: str, _: dict[str, str]) -> None:
        if not self._open and name != _STREAM:
            self._dialogue.strange(name)
        if len(self._open) == 1:
            self._inside = []
        elif self._open:
            self._inside.append(name)
        self._open.append(name)

    def _end(self, name: str) -> None:
        self._open.pop()
        if not self._open:
            self._dialogue.refused("the server closed the stream")
        if len(self._open) == 1:
            self._whole.append((name, self._inside))
