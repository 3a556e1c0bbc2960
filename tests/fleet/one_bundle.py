"""One bundle of a fleet in a folder, with the calls to work on it."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from ssl import DER_cert_to_PEM_cert

from cryptography.hazmat.primitives import serialization

import pkcs12kit as pk
from pkcs12kit.fleet import work as module
from pkcs12kit.fleet.bundles import FleetBundle, Secret
from pkcs12kit.fleet.jobs import Job, Task
from pkcs12kit.fleet.pools import evidence_digest, evidence_files, fleet_digest
from pkcs12kit.fleet.work import work
from pkcs12kit.pkcs12 import derivation

from ..waiting import wait_until_settled

PASSWORD = "correct horse 42 battery"
OPTIONS = {"profile": "modern-2023", "iterations": 2048, "no_second_opinion": True}


def pem(certificate):
    """A certificate in PEM."""
    return DER_cert_to_PEM_cert(certificate.der)


class OneBundle:
    """One bundle in a folder."""

    def __init__(self, files, folder, monkeypatch):
        self.folder = folder
        self.key, self.certificate = folder / "server.key", folder / "server.pem"
        self.cas, self.anchor = folder / "cas.p7b", folder / "anchor.pem"
        for path, source in (
            (self.key, files.key),
            (self.certificate, files.certificate),
            (self.anchor, files.trust_anchor),
        ):
            path.write_bytes(source.read_bytes())
        self.cas.write_text("".join(map(pem, pk.load_certificates(files.certificates))))
        self.password = folder / "password"
        self.password.write_text(PASSWORD)
        self.output = folder / "server.p12"
        self.monkeypatch = monkeypatch
        wait_until_settled(self.password)

    def bundle(self, **changed):
        """The bundle."""
        given = {
            "name": "server",
            "output": str(self.output),
            "folder": str(self.folder),
            "key": str(self.key),
            "certificate": str(self.certificate),
            "certificates": (str(self.cas),),
            "trust_anchors": (str(self.anchor),),
            "password": Secret(kind="file", value=str(self.password)),
            "options": OPTIONS,
        }
        return FleetBundle(**(given | changed))

    def job(self, task=Task.BUILD, record=None, **changed):
        """A job of the run of now."""
        bundle = self.bundle(**changed)
        return Job(
            bundle=bundle,
            task=task,
            pool=fleet_digest(bundle.certificates, bundle.trust_anchors, limits=pk.DEFAULT_LIMITS),
            evidence=evidence_digest(*evidence_files(bundle), limits=pk.DEFAULT_LIMITS),
            record=record,
            time=datetime.now(UTC),
            limits=pk.DEFAULT_LIMITS,
        )

    def work(self, task=Task.BUILD, record=None, **changed):
        """The outcome, which has no secret; and neither has the job."""
        job = self.job(task, record, **changed)
        outcome = work(job)
        key = serialization.load_pem_private_key(self.key.read_bytes(), None)
        parts = [PASSWORD.encode(), *self.key.read_bytes().splitlines()[1:-1]]
        parts.append(key.private_numbers().private_value.to_bytes(32, "big"))
        for value in (job, outcome, outcome.record):
            pickled = pickle.dumps(value)
            assert not [part for part in parts if part in pickled or part in repr(value).encode()]
        return outcome

    def without_derivations(self):
        """Let every key derivation, and every call of build, fail."""
        self.monkeypatch.setattr(derivation, "PendingKey", None)
        self.monkeypatch.setattr(module, "build", None)
