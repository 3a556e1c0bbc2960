"""The validity by this computer's clock of a path that was judged for another time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.paths.failure import validity_failure
from pkcs12kit.times import format_time, time_or_now

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.paths.validation.verdict import ValidatedPath


def not_valid_now(path: ValidatedPath) -> Iterator[str]:
    """Yield a sentence if certificates of the path are not valid by this computer's clock; it names them with dates.

    The trust anchor's own counts unless the parameters of the path leave its validity unchecked.
    """
    counted = path.with_anchor if path.parameters.check_trust_anchor_validity else path.certificates
    outside = "; ".join(outside_validity(counted, time_or_now(None)))
    if outside:
        yield f"valid at {format_time(path.parameters.time)}, the time asked for, but not now: {outside}"


def outside_validity(certificates: Iterable[Certificate], time: datetime) -> Iterator[str]:
    """Yield each certificate that is not valid at a time, with the date that is the reason."""
    for certificate in certificates:
        if (failure := validity_failure(certificate, time)) is not None:
            yield f"{certificate.label} {failure.detail}"
