"""Outputs in folders that cannot be written to: nothing fails that has nothing to write.

Root may write to every folder, so the work is done in a process without that right (capabilities(7)).
"""

from __future__ import annotations

import ctypes
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import pkcs12kit as pk
from pkcs12kit.fleet.locks import lock_file, outputs_locked, why_not_locked
from pkcs12kit.fleet.run_state import state_path

from ..thoroughness import mostly_slow
from .hosts import PASSWORD, Hosts

_VERSION_3 = 0x20080522
_DAC = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH

needs_modes = pytest.mark.skipif(os.name == "nt", reason="folders have modes on POSIX systems only")


def obey_modes():
    """Give up the right to write to every folder, for good."""
    if os.geteuid() != 0:
        return
    assert sys.platform.startswith("linux")
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = (ctypes.c_uint32 * 2)(_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, sets) == 0
    for number in range(3):  # effective, permitted and inheritable
        sets[number] &= ~_DAC
    assert libc.capset(header, sets) == 0


def report(hosts, **given):
    """The status of each bundle and its error."""
    with ThreadPoolExecutor(1) as executor:
        found = pk.batch(hosts.path, executor=executor, **given)
    return [one.status.value for one in found.bundles], [one.error for one in found.bundles]


@pytest.fixture
def hosts(tmp_path):
    """Two hosts whose files are in place, and no state."""
    made = Hosts(tmp_path, 2)
    assert report(made)[0] == ["created"] * 2
    state_path(made.path).unlink()
    return made


@needs_modes
@pytest.mark.parametrize("form", mostly_slow(["pkcs12", "pem"], every=2))
def test_a_file_that_is_right_needs_no_folder_to_write_to(hosts, in_child, form):
    """Unchanged in a plan and in a run; a file that has to be written fails in both for one reason."""
    if form == "pem":
        text = hosts.path.read_text("utf-8").replace(
            'password = { file = "password.txt" }\nprofile = "modern-2023"', ""
        )
        hosts.path.write_text(text.replace(".p12", ".pem") + 'to = "pem"\nkey_out = "out/{name}.key"\n', "utf-8")
        report(hosts)
        state_path(hosts.path).unlink()
    out = hosts.folder / "out"
    out.chmod(0o500)

    def unchanged():
        obey_modes()
        assert report(hosts, plan=True) == (["unchanged"] * 2, [None] * 2)
        hosts.folder.chmod(0o500)  # nor can the state be written
        for given in ({}, {"full": True}):
            assert report(hosts, **given) == (["unchanged"] * 2, [None] * 2)

    def changed():
        obey_modes()
        hosts.folder.chmod(0o700)
        hosts.issue("host001")
        planned = report(hosts, plan=True)
        assert planned[0] == ["unchanged", "failed"]
        assert planned[1][1].endswith("its folder cannot be written to")
        assert report(hosts) == planned
        assert report(hosts, full=True) == planned

    assert in_child(unchanged) == 0
    assert in_child(changed) == 0
    assert [one.name for one in out.iterdir() if one.name.startswith(".")] == []


@pytest.mark.slow
@needs_modes
def test_build_leaves_a_right_file_alone_in_such_a_folder(hosts, in_child):
    """With ``if_changed``; without it the folder is checked before the password is asked for."""
    out = hosts.folder / "out"
    out.chmod(0o500)
    given = {
        "key": hosts.folder / "hosts" / "host000.key",
        "certificate": hosts.folder / "hosts" / "host000.pem",
        "certificates": [hosts.folder / "cas"],
        "trust_anchors": hosts.folder / "root.pem",
        "profile": "modern-2023",
    }

    def work():
        obey_modes()
        there = out / "host000.p12"
        for dry_run in (True, False):
            built = pk.build(**given, output=there, password=PASSWORD, if_changed=True, dry_run=dry_run)
            assert not built.changed
            for output, changed in ((there, {}), (out / "new.p12", {"if_changed": True})):
                with pytest.raises(pk.OutputError, match="its folder cannot be written to"):
                    pk.build(**given, output=output, password=lambda: pytest.fail("asked"), dry_run=dry_run, **changed)
            with pytest.raises(pk.OutputError, match="its folder cannot be written to"):
                pk.build(**given, output=there, password="another 42", if_changed=True, dry_run=dry_run)

    assert in_child(work) == 0


@pytest.mark.parametrize("kind", mostly_slow(["folder", "link", "pipe"], every=3))
def test_something_else_has_the_name_of_a_lock(hosts, kind):
    """What is right stays right; what has to be written fails in a plan as in a run, and names what to remove."""
    lock = lock_file(str(hosts.folder / "out" / "host001.p12"))
    if kind == "pipe" and not hasattr(os, "mkfifo"):
        pytest.skip("there are no named pipes")
    {"folder": lock.mkdir, "link": lambda: lock.symlink_to("x"), "pipe": lambda: os.mkfifo(lock)}[kind]()
    for given in ({"plan": True}, {}):
        assert report(hosts, **given)[0] == ["unchanged"] * 2
    hosts.issue("host001")
    planned = report(hosts, plan=True)
    assert planned[1][1].endswith("is not a regular file; remove it")
    assert report(hosts) == planned


def test_a_lock_that_was_left_behind(hosts):
    """It is taken, as its owner has ended, and removed afterwards; a plan says nothing of it."""
    output = str(hosts.folder / "out" / "host001.p12")
    lock_file(output).touch(0o600)
    assert why_not_locked([output]) is None
    with outputs_locked([output], limits=pk.DEFAULT_LIMITS) as why:
        assert why is None
    assert not lock_file(output).exists()
