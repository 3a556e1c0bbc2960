"""Random events between two runs: a run that uses the state answers as one that opens every file."""

from __future__ import annotations

import json
import os
import random
import shutil
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509 import load_der_x509_certificate

import pkcs12kit as pk
from pkcs12kit.fleet import run, secrets
from pkcs12kit.lab.authority import CrlEntry, Validity

from .hosts import PASSWORD, Hosts

OTHER = "another password 7"
OPTIONS = {
    "friendly_name": ("a", "b"),
    "ca_name": (["x"],),
    "certificate_name": ("c",),
    "iterations": (1000, 2000),
    "mac_iterations": (1500,),
    "mode": ("0600", "0640"),
    "with_anchor": (True,),
    "no_anchor": (True,),
    "server_name": ("host000.example", "other.example"),
    "expires_within": ("60d", "900d"),
    "at": ("2026-12-10T00:00:00Z",),
    "ranking": ("fewest-certificates", "longest-lasting"),
    "crl": ("crl",),
    "revocation": ("hard", "soft", "off"),
}
DONE = {"created": "create", "rewritten": "rewrite"}


class Inline:
    """An executor that does each job when it is submitted."""

    def submit(self, function, *arguments):
        """Return a finished future."""
        future = Future()
        future.set_result(function(*arguments))
        return future


class Events(Hosts):
    """Four bundles: files with a password, another source of it, a file rewritten in place, and PEM in two files."""

    def __init__(self, folder, chance, monkeypatch):
        super().__init__(folder, 4)
        self.chance = chance
        self.monkeypatch = monkeypatch
        self.now = datetime.now(UTC)
        monkeypatch.setattr(run, "now", lambda: self.now)
        monkeypatch.setenv("FLEET_EVENTS", PASSWORD)
        self.root, self.middle, self.issuing = map(pk.lab.Authority.create, ("Root", "Middle CA", "Issuing CA"))
        (folder / "root.pem").write_text(self.root.certificate.to_pem(), "ascii")
        shutil.rmtree(folder / "cas")
        for name in ("cas", "crl"):
            (folder / name).mkdir()
        self._issuers = {False: self.issuing}
        signed = {"m1": (self.root, self.middle, 300), "m2": (self.root, self.middle, 350)}
        signed |= {"i1": (self.middle, self.issuing, 250), "i2": (self.root, self.issuing, 90)}
        self.cas = {
            name: by.issue_ca(of, validity=Validity.around(days_after=days)) for name, (by, of, days) in signed.items()
        }
        for name in ("m1", "i1"):
            self.add_ca(name)
        self.revoke(None)
        for name in self.names:
            self.issue(name)
        self.in_place()
        common = {"certificates": "cas", "trust_anchors": "root.pem", "no_second_opinion": True}
        closed = common | {"profile": "modern-2023", "iterations": 1000}
        files = [{"key": f"hosts/host00{n}.key", "certificate": f"hosts/host00{n}.pem"} for n in range(4)]
        own = {"file": "password.txt"}
        self.bundles = [
            {"name": "file", **files[0], "output": "out/0.p12", "password": own, **closed},
            {"name": "source", **files[1], "output": "out/1.p12", "password": {"env": "FLEET_EVENTS"}, **closed},
            {"name": "in place", "pkcs12": "in.p12", "output": "in.p12", "password": own}
            | {"pkcs12_password": own, **closed},
            {"name": "pem", **files[3], "to": "pem", "output": "out/3.pem", "key_out": "out/3.key", **common},
        ]
        self.outputs = [folder / name for name in ("out/0.p12", "out/1.p12", "out/3.pem", "out/3.key", "in.p12")]
        self.inputs = [folder / "hosts" / f"host00{n}.{kind}" for n in (0, 1, 3) for kind in ("key", "pem")]
        self.inputs += [folder / "root.pem", folder / "in.p12"]

    def add_ca(self, name):
        """Add a CA certificate to the pool."""
        (self.folder / "cas" / f"{name}.pem").write_text(self.cas[name].to_pem(), "ascii")

    def revoke(self, name):
        """Write CRLs with one CA certificate, or with none."""
        date = datetime.now(UTC) - timedelta(hours=1)
        entries = [] if name is None else [CrlEntry(serial_number=self.cas[name].serial_number, date=date)]
        for by in (self.root, self.middle):
            (self.folder / "crl" / f"{by.certificate.label}.crl").write_bytes(by.make_crl(revoked=entries))

    def in_place(self):
        """Deliver a new PKCS#12 file without CA certificates."""
        server = self.issuing.issue_server("host002.example")
        certificate = load_der_x509_certificate(server.certificate.der)
        closed = BestAvailableEncryption((self.folder / "password.txt").read_text("ascii").strip().encode())
        data = serialize_key_and_certificates(None, server.private_key, certificate, None, closed)
        (self.folder / "in.p12").write_bytes(data)

    def event(self):
        """Let something happen, and return its name."""
        chance, names = self.chance, sorted(self.cas)
        outputs = [path for path in self.outputs if path.exists()]
        events = {
            "option": lambda: self.set_option(chance.choice(self.bundles), chance.choice(sorted(OPTIONS))),
            "issue": lambda: self.issue(chance.choice(self.names)),
            "in place": self.in_place,
            "CA": lambda: self.add_ca(chance.choice(names)),
            "no CA": lambda: (self.folder / "cas" / f"{chance.choice(names)}.pem").unlink(missing_ok=True),
            "revoke": lambda: self.revoke(chance.choice([*names, None])),
            "touch": lambda: os.utime(chance.choice([*outputs, *self.inputs])),
            "copy": lambda: copied(chance.choice([*outputs, *self.inputs])),
            "flip": lambda: flipped(chance.choice([*outputs, *self.inputs]), chance),
            "cut": lambda: os.truncate(path := chance.choice(outputs), chance.randint(0, path.stat().st_size)),
            "mode": lambda: chance.choice(outputs).chmod(chance.choice([0o600, 0o640, 0o644, 0o400])),
            "remove": lambda: chance.choice(outputs[:-1]).unlink(),
            "link": lambda: linked(chance.choice(outputs[:-1])),
            "mix": lambda: self.outputs[0].exists() and shutil.copyfile(self.outputs[0], self.outputs[1]),
            "password": lambda: (self.folder / "password.txt").write_text(chance.choice([PASSWORD, OTHER]), "ascii"),
            "variable": lambda: self.monkeypatch.setenv("FLEET_EVENTS", chance.choice([PASSWORD, OTHER])),
            "source": lambda: self.bundles[1].update(
                password=chance.choice([{"env": "FLEET_EVENTS"}, {"command": ["cat", "password.txt"]}])
            ),
            "clock": lambda: setattr(self, "now", datetime.now(UTC) + timedelta(days=chance.choice([0, 1, 100, 270]))),
            "no state": lambda: (self.folder / ".fleet.toml.state.json").unlink(missing_ok=True),
        }
        name = chance.choice([*events, *["option"] * 5])
        events[name]()
        return name

    def set_option(self, bundle, key):
        """Give a bundle an option, or take it away; not one that the manifest refuses for this bundle."""
        before = bundle.pop(key, None)
        if self.chance.random() < 0.8:
            bundle[key] = self.chance.choice(OPTIONS[key])
        try:
            self.load()
        except pk.InputError:
            bundle.pop(key, None)
            if before is not None:
                bundle[key] = before

    def repair(self):
        """Bring back what other events have broken."""
        for name in self.names:
            self.issue(name)
        for name in ("m1", "i1"):
            self.add_ca(name)
        (self.folder / "root.pem").write_text(self.root.certificate.to_pem(), "ascii")
        self.in_place()
        self.revoke(None)
        self.now = datetime.now(UTC)
        for bundle in self.bundles:
            for key in ("server_name", "at", "crl", "revocation"):
                bundle.pop(key, None)

    def load(self):
        """Write the manifest and read it."""
        tables = ["\n".join(f"{key} = {toml(value)}" for key, value in one.items()) for one in self.bundles]
        self.path.write_text("version = 1\n" + "".join(f"[[bundle]]\n{table}\n" for table in tables), "utf-8")
        return pk.fleet.manifest.load_manifest(self.path)

    def run(self, **options):
        """Run in what counts as a new process, and return what a user is told of each bundle."""
        self.load()
        self.monkeypatch.setattr(secrets, "_GENERATIONS", secrets._Generations())
        self.monkeypatch.setattr(secrets, "_COMMANDS", secrets._Commands())
        return [
            (one.name, DONE.get(one.status.value, one.status.value), one.why, one.error, one.expires, one.certificates)
            for one in pk.batch(self.path, executor=Inline(), **options).bundles
        ]

    def tree(self):
        """Return what a plan and a second run leave as it is."""
        files = sorted(path for path in self.folder.rglob("*") if path.name != "fleet.toml" and not path.is_dir())
        return {
            path: (s := path.lstat()) and (s.st_mtime_ns, s.st_ctime_ns, s.st_ino, s.st_mode, s.st_size)
            for path in files
        }


def toml(value):
    """Return a value as TOML has it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(one)}" for key, one in value.items()) + "}"
    return json.dumps(value)


def copied(path):
    """Replace a file by an equal one."""
    other = path.with_name("copy.tmp")
    shutil.copy(path, other)
    other.replace(path)


def flipped(path, chance):
    """Change one bit of a file."""
    data = bytearray(path.read_bytes())
    if data:
        data[chance.randrange(len(data))] ^= 1
        path.write_bytes(data)


def linked(path):
    """Replace a file by a symbolic link to it."""
    other = path.with_name(f"{path.name}.moved")
    if not path.is_symlink():
        path.replace(other)
        path.symlink_to(other)


@pytest.mark.parametrize(
    ("seed", "steps"), [(0, 6), *(pytest.param(n, 20, marks=pytest.mark.slow) for n in range(1, 9))]
)
@pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
def test_a_state_never_changes_the_answer(tmp_path, monkeypatch, seed, steps):
    """A plan says what a plan with every file opened says and writes nothing; a run does it, and the next nothing."""
    fleet = Events(tmp_path, random.Random(seed), monkeypatch)  # noqa: S311  # a test chooses events
    fleet.run()
    happened = []
    for _ in range(steps):
        happened += [fleet.event() for _ in range(fleet.chance.choice([1, 1, 2]))]
        if fleet.chance.random() < 0.3:
            fleet.repair()
        before = fleet.tree()
        planned, whole = fleet.run(plan=True), fleet.run(plan=True, full=True)
        assert planned == whole, happened[-5:]
        assert fleet.tree() == before, happened[-5:]
        done = fleet.run()
        assert done == whole, happened[-5:]
        after = {path: seen for path, seen in fleet.tree().items() if not path.name.startswith(".fleet")}
        again = fleet.run()
        for first, second in zip(done, again, strict=True):
            assert second[1] == ("failed" if first[1] == "failed" else "unchanged"), (happened[-5:], first, second)
        assert {p: s for p, s in fleet.tree().items() if not p.name.startswith(".fleet")} == after, happened[-5:]
