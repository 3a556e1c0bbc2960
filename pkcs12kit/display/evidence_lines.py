"""The CRLs and OCSP responses of a failure as text for a terminal (by rich): each with its times and what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from pkcs12kit.errors import FailureReason
from pkcs12kit.paths.revocation.faults import EvidenceFault
from pkcs12kit.text import harmless
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.tree import Tree

    from pkcs12kit.paths.failure import Failure
    from pkcs12kit.paths.revocation.attempts import EvidenceAttempt

_SHOWN: Final = 5
_NO_TIMES: Final = frozenset({EvidenceFault.OTHER_ISSUER, EvidenceFault.RESPONDER_ERROR})

_OF_ANSWERS: Final = frozenset({EvidenceFault.ANSWER_UNKNOWN, EvidenceFault.RESPONDER_ERROR})


def finding_above_evidence(failure: Failure) -> str:
    """Return the finding of a failure; without the sentences about evidence that is listed below it."""
    faults = {attempt.fault for attempt in failure.evidence} - {EvidenceFault.OTHER_ISSUER}
    is_listed = failure.reason is FailureReason.REVOCATION_UNKNOWN and faults
    return "revocation status unknown" if is_listed else failure.detail


def add_evidence(branch: Tree, failure: Failure) -> None:
    """Add to the line of a failure what was considered, and where newer evidence is published."""
    for attempt in failure.evidence[:_SHOWN]:
        node = branch.add(_evidence(attempt))
        for line in _details(attempt):
            node.add(Text(harmless(line), style="dim"))
    if len(failure.evidence) > _SHOWN:
        branch.add(Text(f"and {len(failure.evidence) - _SHOWN} more; --json has them all", style="dim"))
    locations = failure.evidence_locations
    if locations is not None and locations.all:
        branch.add(Text(harmless(f"the certificate names {', '.join(locations.all)}"), style="dim"))


def _evidence(attempt: EvidenceAttempt) -> Text:
    """Return the line of one object: the file that it is from, what it is, and why it does not count."""
    line = Text("" if attempt.source is None else f"{attempt.source}: ", style="bold")
    line.append(f"{attempt.label} ", style="not bold")
    return line.append(attempt.detail, style="not bold yellow")


def _details(attempt: EvidenceAttempt) -> Iterator[str]:
    """Yield the times of an object with their meaning, the limits of its scope, and its other faults."""
    if attempt.fault not in _NO_TIMES:
        for each in attempt.times:
            at = "absent" if each.time is None else format_time(each.time)
            yield f"{each.field} {at}: {each.meaning}"
    if attempt.scope:
        yield f"covers {'; '.join(attempt.scope)}"
    if attempt.answer_meaning is not None and (attempt.counts or attempt.fault in _OF_ANSWERS):
        yield f"{'the reason' if attempt.counts else attempt.answer} means: {attempt.answer_meaning}"
    for other in attempt.other_faults:
        yield f"and it {other.detail}"
