"""CRLs and OCSP responses from files and folders, as they are: what they say is looked at where they are used."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pkcs12kit.errors import InputError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.sources.containers import pem_blocks
from pkcs12kit.sources.reading import folder_files, is_folder, name_of, read_source
from pkcs12kit.sources.sniffing import Kind, sniff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.limits import Limits
    from pkcs12kit.sources.reading import Source


def load_crls(*sources: Source, limits: Limits = DEFAULT_LIMITS) -> tuple[bytes, ...]:
    """Read certificate revocation lists, DER or PEM, from files, folders, ``"-"`` or bytes; each once, as DER.

    In a folder whatever is no CRL is passed over. Raises :class:`~pkcs12kit.errors.InputError` for a source that cannot
    be read or holds none.
    """
    return _load(sources, Kind.REVOCATION_LIST, limits)


def load_ocsp_responses(*sources: Source, limits: Limits = DEFAULT_LIMITS) -> tuple[bytes, ...]:
    """Read OCSP responses, as :func:`load_crls` does CRLs."""
    return _load(sources, Kind.OCSP_RESPONSE, limits)


def _load(sources: tuple[Source, ...], wanted: Kind, limits: Limits) -> tuple[bytes, ...]:
    found: dict[bytes, None] = {}
    for source in sources:
        others: dict[str, None] = {}
        of_source = [der for data in _contents(source, limits) for der in _of_kind(data, wanted, others)]
        if not of_source:
            instead = "no file with any" if is_folder(source) else " and ".join(others)
            raise InputError(f"{name_of(source)}: expected {wanted.value}, found {instead}")
        found.update(dict.fromkeys(of_source))
    return tuple(found)


def _contents(source: Source, limits: Limits) -> Iterator[bytes]:
    if not is_folder(source):
        yield read_source(source, limits)
        return
    for file in folder_files(os.fsdecode(source), limits):
        if file.fault is None:
            yield read_source(file.path, limits)


def _of_kind(data: bytes, wanted: Kind, others: dict[str, None]) -> Iterator[bytes]:
    """Give what is of one kind; say in ``others`` what else there is."""
    kind = sniff(data)
    parts = ((block.kind, block.content) for block in pem_blocks(data)) if kind is Kind.PEM else [(kind, data)]
    for kind_of_part, content in parts:
        if kind_of_part is wanted:
            yield content
        else:
            others[kind_of_part.value] = None
