"""Scripts that use the library: they pass results between processes, and arguments of the wrong kind."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context

import pytest

from pkcs12kit import lab
from pkcs12kit.builder.build import build
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.budget import BudgetExhaustedError, SearchBudget
from pkcs12kit.paths.confirmation import Confirmation, ConfirmationError, Opinion
from pkcs12kit.paths.failure import InvalidPathError
from pkcs12kit.paths.report import NoValidPathError
from pkcs12kit.paths.search import find_path, find_paths
from pkcs12kit.paths.validation.parameters import ValidationParameters

NOW = ValidationParameters(time=datetime.now(UTC))


@pytest.fixture(scope="module")
def topology():
    """EE<B<A<TA, and a server of somebody else."""
    return lab.Topology.from_edges("EE<B<A<TA", "Other<C")


def report_on(topology, label):
    """Search for a server of the topology."""
    anchors = [topology.trust_anchor("TA")]
    return find_paths(topology.servers[label].certificate, pool=topology.pool, trust_anchors=anchors, parameters=NOW)


def test_reports_and_their_errors_survive_pickling(topology):
    """A worker of another process gives back what it found, and what it raised."""
    found = pickle.loads(pickle.dumps(report_on(topology, "EE")))  # noqa: S301  # made here
    assert found == report_on(topology, "EE")
    path = found.best
    nothing = report_on(topology, "Other")
    errors = [
        NoValidPathError(nothing),
        InvalidPathError(nothing.rejected[0].failures[0]),
        ConfirmationError(path, Confirmation(opinion=Opinion.INVALID, detail="no")),
        BudgetExhaustedError("signature_checks", 5),
    ]
    for error in errors:
        again = pickle.loads(pickle.dumps(error))  # noqa: S301  # made here
        assert type(again) is type(error)
        assert str(again) == str(error)


def test_build_in_another_process(tmp_path):
    """A report of a build holds no private key but the encrypted one, so it can be handed over."""
    files = lab.write(lab.make_replica(key_type=lab.KeyType.EC_P256), tmp_path / "lab")
    given = {
        "key": files.key,
        "certificate": files.certificate,
        "certificates": [files.certificates],
        "trust_anchors": [files.trust_anchor],
        "password": "a password",
    }
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as executor:
        report = executor.submit(build, **given).result()
        assert report.has_private_key
        assert [certificate.sha256 for certificate in report.certificates[:5]] == [
            certificate.sha256 for certificate in report.path.certificates
        ]
        with pytest.raises(NoValidPathError):
            executor.submit(build, **{**given, "certificates": []}).result()


def test_representations_are_short(topology):
    """A notebook shows what ends a cell by its repr."""
    report = report_on(topology, "EE")
    assert repr(report) == "<PathReport 'CN=EE': 1 valid, 0 rejected>"
    assert len(repr(report_on(topology, "Other").rejected[0])) < 500


def test_the_wrong_type_is_named(topology):
    """A certificate for a trust anchor, a list for a pool, a path for a certificate, a text for a time."""
    target, anchor = topology.servers["EE"].certificate, topology.trust_anchor("TA")
    for wrong, sentence in (
        ({"target": "server.pem"}, r"target: expected Certificate, not str; load_certificate\(\)"),
        ({"pool": [target]}, r"CertificatePool\(\[\.\.\.\]\) makes one"),
        ({"trust_anchors": [target]}, r"TrustAnchor\.from_certificate\(\) makes one"),
    ):
        given = {"target": target, "pool": topology.pool, "trust_anchors": [anchor], "parameters": NOW, **wrong}
        with pytest.raises(TypeError, match=sentence):
            find_path(given.pop("target"), **given)
    with pytest.raises(TypeError, match="time: expected datetime, not str"):
        ValidationParameters(time="2024-01-01")


def test_a_budget_says_what_is_spent():
    """Each limit on its own."""
    budget = SearchBudget(DEFAULT_LIMITS)
    budget.spend("signature_checks", 3)
    assert (budget.spent("signature_checks"), budget.spent("candidate_paths")) == (3, 0)
