"""Access control lists and labels of a replaced file; writing without root's rights, and being killed.

``os.setxattr`` makes the lists as ``setfacl`` does; no program of another maker is needed.
"""

from __future__ import annotations

import os
import stat

import pytest

import pkcs12kit as pk
from pkcs12kit import file_attributes
from pkcs12kit.file_access import FileAccess
from pkcs12kit.file_attributes import ACCESS_LIST, SELINUX_LABEL, AccessList, Tag
from pkcs12kit.files import read_private, require_writable, write_file, write_private

OLD = b"old"
NEW = b"new secret " * 100
SERVICE, TEAM, PROXY = 65534, 65533, 1234
NOBODY = 2**32 - 1
STOPPED = 77
LABEL = b"system_u:object_r:cert_t:s0\0"
as_root = pytest.mark.usefixtures("as_root")


def access_list(*, proxy=4, group=0, mask=4, others=0):
    """A list that names the user PROXY."""
    return AccessList(
        (
            (Tag.USER_OBJ, 6, NOBODY),
            (Tag.USER, proxy, PROXY),
            (Tag.GROUP_OBJ, group, NOBODY),
            (Tag.MASK, mask, NOBODY),
            (Tag.OTHER, others, NOBODY),
        )
    )


@pytest.fixture
def there(tmp_path):
    """A file of the user who runs the tests."""
    path = tmp_path / "server.p12"
    path.write_bytes(OLD)
    path.chmod(0o600)
    return path


@pytest.fixture
def set_list(cannot_run):
    """Give a file or, as its default, a folder an access control list."""

    def do(path, entries, name=ACCESS_LIST):
        try:
            os.setxattr(path, name, entries.to_bytes())
        except OSError as error:
            cannot_run(f"needs a file system with access control lists: {error}")

    return do


def list_of(path):
    """The access control list of a file."""
    try:
        return AccessList.from_bytes(os.getxattr(path, ACCESS_LIST))
    except OSError:
        return None


def mode_of(path):
    """Permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def written(path, **asked):
    """Write, and return the warnings; a rehearsal without writing gives the same."""
    foretold, warnings = [], []
    require_writable(path, access=FileAccess.of(**asked, on_warning=foretold.append))
    pk.write_pfx(path, NEW, overwrite=True, **asked, on_warning=warnings.append)
    assert path.read_bytes() == NEW
    assert foretold == warnings
    return warnings


class TestAccessLists:
    """The list is kept, and never means more than before."""

    def test_kept(self, there, set_list):
        """A named user may go on reading; the file's group, whose bits show the mask, may not begin to."""
        entries = access_list()
        set_list(there, entries)
        assert mode_of(there) == 0o640
        assert read_private(there, limit=10) == OLD
        assert written(there) == []
        assert (list_of(there), mode_of(there)) == (entries, 0o640)

    def test_tightened(self, there, set_list):
        """Writing, and reading for everybody, are taken away and named."""
        set_list(there, access_list(proxy=6, group=6, mask=7, others=4))
        with pytest.raises(pk.InputError, match="its mode was 0674"):
            read_private(there, limit=10)
        assert len(written(there)) == 2
        assert mode_of(there) == 0o640
        assert list_of(there).entries[1] == (Tag.USER, 4, PROXY)
        assert read_private(there, limit=10000) == NEW

    @pytest.mark.parametrize(("mode", "kept"), [(0o640, True), (0o600, False), (0o400, False), (0o440, True)])
    def test_with_a_mode(self, there, set_list, mode, kept):
        """A mode without the group's reading leaves no list behind, and says so."""
        set_list(there, access_list())
        warnings = written(there, mode=mode)
        assert mode_of(there) == mode
        assert (list_of(there) is not None) == kept
        assert [f"u:{PROXY}:r--" in sentence for sentence in warnings] == ([] if kept else [True])
        assert written(there, mode=mode) == []

    @pytest.mark.parametrize("mode", [None, 0o600, 0o640])
    def test_default_list_of_the_folder_is_not_inherited(self, tmp_path, set_list, mode):
        """A new file in a folder whose files others may read is only for those that were asked for."""
        set_list(tmp_path, access_list(proxy=7, group=7, mask=7, others=5), "system.posix_acl_default")
        plain = tmp_path / "plain"
        plain.write_bytes(b"")
        assert list_of(plain) is not None
        path = tmp_path / "server.p12"
        pk.write_pfx(path, NEW, overwrite=True, mode=mode)
        assert (list_of(path), mode_of(path)) == (None, mode or 0o600)
        write_file(tmp_path / "picture.svg", NEW)
        assert list_of(tmp_path / "picture.svg") is not None

    def test_never_open_while_it_is_written(self, tmp_path, there, set_list, monkeypatch):
        """At each system call, the temporary file in such a folder lets nobody read it who may not read the result."""
        set_list(tmp_path, access_list(proxy=7, group=7, mask=7, others=5), "system.posix_acl_default")
        there.chmod(0o400)
        seen = set()

        def watched(name):
            real = getattr(os, name)

            def watching(*arguments, **options):
                for path in tmp_path.glob(".pkcs12kit-*"):
                    seen.add(mode_of(path) & 0o277)
                return real(*arguments, **options)

            monkeypatch.setattr(os, name, watching)

        for name in ("fchmod", "fchown", "write", "fsync", "read", "replace", "removexattr", "setxattr", "fstat"):
            watched(name)
        written(there)
        assert seen <= {0, 0o200}

    def test_list_that_cannot_be_set(self, there, set_list, monkeypatch):
        """The named users lose it, and that is said; the group's bits, which were the mask, do not become its own."""
        set_list(there, access_list())

        def refusing(*_):
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr(os, "setxattr", refusing)
        warnings = []
        pk.write_pfx(there, NEW, overwrite=True, on_warning=warnings.append)
        assert warnings == [f"{there} loses its access control list (u:{PROXY}:r--): Operation not supported"]
        assert mode_of(there) == 0o600


class TestLabels:
    """Labels of security modules and other attributes."""

    @pytest.fixture
    def labelled(self, there, cannot_run):
        """A file with a label and an attribute of its user."""
        try:
            os.setxattr(there, SELINUX_LABEL, LABEL)
            os.setxattr(there, "user.note", b"mine")
        except OSError as error:
            cannot_run(f"needs a file system that stores labels, and the right to set them: {error}")
        return there

    def test_kept(self, labelled):
        """The label of the old file, as a service under SELinux needs it."""
        written(labelled)
        assert os.getxattr(labelled, SELINUX_LABEL) == LABEL
        assert os.getxattr(labelled, "user.note") == b"mine"

    def test_lost(self, labelled, monkeypatch):
        """Each that cannot be kept is named."""

        def refusing(*_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "setxattr", refusing)
        warnings = []
        pk.write_pfx(labelled, NEW, overwrite=True, on_warning=warnings.append)
        [label] = [it for it in warnings if "SELinux" in it]
        assert "'system_u:object_r:cert_t:s0' (Permission denied); restorecon" in label
        assert f"{labelled} loses its attribute 'user.note' (Permission denied)" in warnings

    def test_not_copied(self, there):
        """Capabilities and signatures of the contents are for the old contents."""
        had = {"security.capability": b"x", "security.ima": b"y"}
        descriptor = os.open(there, os.O_RDWR)
        try:
            lost = list(file_attributes.copy_attributes(descriptor, had))
        finally:
            os.close(descriptor)
        assert lost == ["loses its attribute 'security.capability' (it is not copied)"]

    def test_system_without_attributes(self, there, monkeypatch):
        """Python has them on Linux only; elsewhere the file is written all the same."""
        monkeypatch.setattr(file_attributes, "_HAS_ATTRIBUTES", False)
        assert written(there) == []
        assert mode_of(there) == 0o600


def become(user, group, others=()):
    """Become another user for good, as ``setpriv --reuid --regid --groups`` does."""
    os.setgroups(list(others))
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)


@as_root
class TestWithoutRoot:
    """A user who may write to the folder, and may not give files away."""

    CASES = (
        # owner, group, mode of the file there; groups of the user; asked for; the result or the error
        (SERVICE, TEAM, 0o600, (), {}, "who could not read the new file, and only root"),
        (SERVICE, TEAM, 0o600, (), {"owner": PROXY}, (PROXY, PROXY, 0o600)),
        (SERVICE, TEAM, 0o640, (TEAM,), {"owner": PROXY}, (PROXY, TEAM, 0o640)),
        (SERVICE, TEAM, 0o640, (), {"owner": PROXY}, "its group 65533 could not read the new file"),
        (SERVICE, TEAM, 0o640, (), {"owner": PROXY, "group": PROXY}, (PROXY, PROXY, 0o640)),
        (SERVICE, TEAM, 0o640, (), {"owner": PROXY, "mode": 0o600}, (PROXY, PROXY, 0o600)),
        (SERVICE, TEAM, 0o600, (), {"owner": SERVICE}, "may not give a file to nobody"),
        (PROXY, TEAM, 0o600, (), {}, (PROXY, PROXY, 0o600)),
        (PROXY, TEAM, 0o640, (), {}, "its group 65533 could not read the new file"),
        (PROXY, TEAM, 0o640, (TEAM,), {}, (PROXY, TEAM, 0o640)),
        (PROXY, PROXY, 0o640, (), {"group": TEAM}, "may not give a file to the group 65533"),
        (0, 0, 0o600, (), {}, (PROXY, PROXY, 0o600)),
        (0, TEAM, 0o640, (TEAM,), {}, (PROXY, TEAM, 0o640)),
        (0, TEAM, 0o640, (), {}, "its group 65533 could not read the new file"),
        (0, TEAM, 0o640, (), {"mode": 0o640}, "its group 65533 could not read the new file"),
    )

    @pytest.mark.parametrize(("owner", "group", "mode", "groups", "asked", "result"), CASES)
    def test_replacing(self, there, in_child, owner, group, mode, groups, asked, result):
        """Where a reader would be lost the old file stays, also in a dry run; the rest is kept or named."""
        os.chown(there, owner, group)
        there.chmod(mode)
        os.chown(there.parent, PROXY, PROXY)
        folder = os.open(there.parent, os.O_RDONLY)

        def work():
            os.fchdir(folder)
            become(PROXY, PROXY, groups)
            foretold, warnings = [], []
            calls = (
                lambda: require_writable("server.p12", access=FileAccess.of(**asked, on_warning=foretold.append)),
                lambda: pk.write_pfx("server.p12", NEW, overwrite=True, **asked, on_warning=warnings.append),
            )
            for call in calls:
                if isinstance(result, str):
                    with pytest.raises(pk.OutputError, match=result):
                        call()
                else:
                    call()
            assert foretold == warnings

        try:
            assert in_child(work) == 0
        finally:
            os.close(folder)
        status = there.stat()
        expected = (owner, group, mode) if isinstance(result, str) else result
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == expected
        assert there.read_bytes() == (OLD if isinstance(result, str) else NEW)
        assert list(there.parent.iterdir()) == [there]


@as_root
def test_killed_at_each_step(there, in_child, monkeypatch, set_list):
    """Between any two system calls of keeping owner, list and label: the old file, or the complete new one with all."""
    os.chown(there, SERVICE, TEAM)
    set_list(there, access_list())
    names = (
        "open",
        "stat",
        "fstat",
        "fchmod",
        "fchown",
        "setxattr",
        "removexattr",
        "write",
        "fsync",
        "read",
        "replace",
    )

    def stop_before(number):
        made = 0

        def counting(real):
            def counted(*arguments, **options):
                nonlocal made
                made += 1
                if made == number:
                    os._exit(STOPPED)
                return real(*arguments, **options)

            return counted

        for name in names:
            monkeypatch.setattr(os, name, counting(getattr(os, name)))

    seen = set()
    for number in range(1, 100):

        def work(number=number):
            os.umask(0)
            stop_before(number)
            write_private(there, NEW)

        status = in_child(work)
        assert status in {0, STOPPED}
        seen.add(there.read_bytes())
        left = there.stat()
        assert (left.st_uid, left.st_gid, list_of(there)) == (SERVICE, TEAM, access_list())
        for path in there.parent.glob(".pkcs12kit-*"):
            assert list_of(path) in {None, access_list()}
            assert mode_of(path) == (0o640 if list_of(path) else 0o600)
            path.unlink()
        if status == 0:
            break
        write_private(there, OLD)
    assert number > 12
    assert seen == {OLD, NEW}
