"""The check of the entries that Java's key store has of a PKCS#12 file, which may be fewer than the file holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.certificates.serial_numbers import serial_number_label
from pkcs12kit.findings import Check, Finding, not_checked, not_ok, note, ok
from pkcs12kit.pkcs12.attributes import JAVA_MARK
from pkcs12kit.pkcs12.opening import CONTENTS
from pkcs12kit.pkcs12.readers import is_java
from pkcs12kit.text import counted
from pkcs12kit.verifier.delivered import describe, validate_in_order, without_wrong_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.compatibility import Reader
    from pkcs12kit.pkcs12.inspection import PfxReport
    from pkcs12kit.pkcs12.java_entries import JavaEntries
    from pkcs12kit.verifier.delivered import ChainPaths, DeliveredChain


def check_java_entries(
    anatomy: PfxReport,
    chain: DeliveredChain,
    paths: ChainPaths,
    wanted: Iterable[Reader],
    *,
    certs_only: bool,
    limits: Limits,
) -> Finding:
    """Check that Java's key store has every entry of the file, and serves a valid path for the key.

    A loss is a problem if one of the readers ``wanted`` is Java, and a note otherwise. In a file with a key, further
    certificates without Java's mark of trust do not count as lost.
    """
    check = Check.JAVA_ENTRIES
    java = anatomy.java
    if java is None:
        return not_checked(check, "not all contents were opened")
    problems = list(java.losses)
    if any(use.part == CONTENTS and use.contents_password for use in anatomy.password_uses):
        problems.append("Java does not open contents that have another password than the MAC")
    problems += _unlisted(java) if certs_only else _of_chain(java, chain, paths, limits)
    if not problems:
        return ok(check, f"Java's key store has every entry: {java}")
    return (not_ok if is_java(wanted) else note)(check, "; ".join(problems))


def _unlisted(java: JavaEntries) -> Iterator[str]:
    if java.unlisted:
        which = counted(len(java.unlisted), "certificate") if java.entries else "every certificate"
        yield f"Java does not list {which} without its mark of trust, {JAVA_MARK}"


def _of_chain(java: JavaEntries, chain: DeliveredChain, paths: ChainPaths, limits: Limits) -> Iterator[str]:
    """Yield why Java does not serve a valid path, where the file has one."""
    if chain.target is None or paths.path is None:
        return
    entry = java.of_key(chain.target)
    if entry is None or not entry.chain:  # a loss
        return
    if entry.chain[0] != chain.target:
        served, meant = (
            f"{one.label} {serial_number_label(one.serial_number)}" for one in (entry.chain[0], chain.target)
        )
        yield f"Java serves another certificate for this key: {served}, and not {meant}"
        return
    parameters = without_wrong_name(chain.target, paths.path.parameters)
    valid, why_not = validate_in_order(entry.chain, paths.anchors, parameters, limits)
    if valid is None:
        why = "the chain does not end at a trust anchor" if why_not is None else describe(why_not)
        yield f"Java serves a chain of {counted(len(entry.chain), 'certificate')} that is not valid: {why}"
