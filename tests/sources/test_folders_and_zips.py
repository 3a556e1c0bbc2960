"""Folders and zips: recursive, bounded, in a fixed order, and nothing ever extracted."""

from __future__ import annotations

import dataclasses
import io
import os
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from pkcs12kit.errors import InputError, LimitExceededError
from pkcs12kit.limits import DEFAULT_LIMITS, MIB
from pkcs12kit.sources import reading
from pkcs12kit.sources.loading import load_certificates

from .conftest import der, key_pem, make_ber_pkcs7, make_zip, pem


class TestFolder:
    """A folder is read with its subfolders, in the order of names."""

    def test_order_nesting_and_what_is_passed_over(self, tmp_path, chain, leaf, request_pem, crl_pem):
        """Keys, requests, CRLs and texts beside certificates are not rejects, with any ending."""
        (tmp_path / "b" / "c").mkdir(parents=True)
        (tmp_path / "b" / "c" / "x.txt").write_bytes(make_ber_pkcs7([der(chain[1])]))
        (tmp_path / "a").write_bytes(der(chain[2]))
        (tmp_path / "z.zip").write_bytes(make_zip({"deep/leaf": pem(chain[0])}))
        for name, content in (("key.pem", key_pem(leaf[1])), ("r.pem", request_pem), ("l.crt", crl_pem)):
            (tmp_path / name).write_bytes(content)
        (tmp_path / "README").write_text("Certificates of the lab.")
        pool = load_certificates(tmp_path)
        assert [certificate.der for certificate in pool] == [der(chain[2]), der(chain[1]), der(chain[0])]
        assert pool.rejects == ()

    def test_what_should_have_held_a_certificate_is_a_reject(self, tmp_path, chain):
        """A certificate's ending over nothing recognizable, and a certificate that is cut short under any name."""
        (tmp_path / "good").write_bytes(der(chain[0]))
        (tmp_path / "empty.cer").touch()
        (tmp_path / "login.crt").write_text("<!DOCTYPE html><title>Sign in</title>")
        (tmp_path / "half").write_bytes(der(chain[0])[:200])
        (tmp_path / "half.zip").write_bytes(make_zip({"a": bytes(1000)})[:50])
        (tmp_path / "empty.txt").touch()
        pool = load_certificates(tmp_path)
        assert len(pool) == 1
        told = {Path(reject.source).name: reject.reason for reject in pool.rejects}
        assert sorted(told) == ["empty.cer", "half", "half.zip", "login.crt"]
        assert "HTML" in told["login.crt"]
        assert "empty" in told["empty.cer"]
        assert "cut short" in told["half"]

    def test_hidden_files_are_passed_over(self, tmp_path, chain):
        """Version control, and the ``._`` files that macOS leaves, which have a certificate's ending."""
        (tmp_path / ".git").mkdir()
        (tmp_path / ".git" / "x.cer").write_bytes(b"noise")
        (tmp_path / "._a.cer").write_bytes(b"\x00\x05\x16\x07")
        (tmp_path / "a.cer").write_bytes(der(chain[0]))
        assert load_certificates(tmp_path).rejects == ()

    def test_symbolic_links(self, tmp_path, chain):
        """Symbolic links are followed, loops end, and a broken link is a reject."""
        inside, outside = tmp_path / "inside", tmp_path / "outside"
        inside.mkdir()
        outside.mkdir()
        (outside / "a.cer").write_bytes(der(chain[0]))
        (inside / "loop").symlink_to(inside)
        (inside / "up").symlink_to(tmp_path)
        (inside / "self").symlink_to(inside / "self")
        (inside / "gone.cer").symlink_to(tmp_path / "nowhere")
        pool = load_certificates(inside)
        assert len(pool) == 1
        assert sorted(Path(reject.source).name for reject in pool.rejects) == ["gone.cer", "self"]

    def test_a_pipe_in_a_folder_is_not_opened(self, tmp_path, chain):
        """A pipe in a folder is skipped: opening it would wait for a writer."""
        os.mkfifo(tmp_path / "pipe.cer")
        (tmp_path / "a.cer").write_bytes(der(chain[0]))
        assert len(load_certificates(tmp_path)) == 1

    def test_unreadable_parts_are_rejects(self, tmp_path, chain, monkeypatch):
        """Permission denied on a file and on a subfolder; the rest is read."""
        for name in ("a.cer", "b.cer"):
            (tmp_path / name).write_bytes(der(chain[0]))
        (tmp_path / "closed").mkdir()
        denied = {str(tmp_path / "a.cer"), str(tmp_path / "closed")}

        def deny(real):
            def guarded(path, *args, **keywords):
                if str(path) in denied:
                    raise PermissionError(13, "Permission denied", path)
                return real(path, *args, **keywords)

            return guarded

        monkeypatch.setattr(reading, "open", deny(open), raising=False)
        monkeypatch.setattr(reading.os, "scandir", deny(os.scandir))
        pool = load_certificates(tmp_path)
        assert len(pool) == 1
        assert {(reject.source, reject.reason) for reject in pool.rejects} == {
            (name, "permission denied") for name in denied
        }

    def test_nothing_in_it(self, tmp_path):
        """An empty folder, and one without certificates, are refused with their names."""
        with pytest.raises(InputError, match=f"^{tmp_path}: expected a certificate, found an empty folder"):
            load_certificates(tmp_path)
        (tmp_path / "README").write_text("Nothing here.")
        with pytest.raises(InputError, match="found 1 file without certificates"):
            load_certificates(tmp_path)

    def test_too_many_files(self, tmp_path, chain):
        """``limits.archive_members`` bounds a folder too."""
        limits = dataclasses.replace(DEFAULT_LIMITS, archive_members=3)
        for number in range(4):
            (tmp_path / f"{number}.cer").write_bytes(der(chain[0]))
        with pytest.raises(LimitExceededError, match=r"limits\.archive_members"):
            load_certificates(tmp_path, limits=limits)

    def test_a_tower_of_folders(self, tmp_path, chain):
        """Deep folders cost no recursion."""
        deep = tmp_path
        for _ in range(300):
            deep /= "d"
            deep.mkdir()
        (deep / "a").write_bytes(der(chain[0]))
        assert len(load_certificates(tmp_path)) == 1

    def test_a_giant_in_a_folder_is_a_reject(self, tmp_path, chain):
        """It is refused by its size, unread; the rest is kept."""
        (tmp_path / "a.cer").write_bytes(der(chain[0]))
        with (tmp_path / "giant").open("wb") as file:
            file.truncate(1024 * MIB)
        pool = load_certificates(tmp_path)
        assert len(pool) == 1
        assert [reject.reason.count("limits.input_bytes") for reject in pool.rejects] == [1]


class TestZip:
    """A zip is unpacked in memory, within budgets."""

    def test_members_are_named_in_rejects(self, tmp_path, chain):
        """``bundle.zip!inner.zip!file``."""
        half = pem(chain[0]).partition(b"-----END")[0]
        inner = make_zip({"sub/half.pem": half, "good.p7b": make_ber_pkcs7([der(chain[0])])})
        file = tmp_path / "bundle.zip"
        file.write_bytes(make_zip({"inner.zip": inner, "root": der(chain[2]), "__MACOSX/._root.cer": b"\x00\x05"}))
        pool = load_certificates(file)
        assert len(pool) == 2
        assert [(reject.source, reject.position) for reject in pool.rejects] == [(f"{file}!inner.zip!sub/half.pem", 1)]

    @pytest.mark.parametrize(
        "name", ["../evil.pem", "a/../../evil.pem", "/etc/evil.pem", "..\\evil.pem", "C:\\evil.pem", "\\evil.pem"]
    )
    def test_a_member_named_to_escape(self, tmp_path, monkeypatch, chain, name):
        """Such an archive was made to harm: it is refused as a whole, named, and nothing is written anywhere."""
        file = tmp_path / "zips" / "evil.zip"
        file.parent.mkdir()
        file.write_bytes(make_zip({"good.pem": pem(chain[0]), name: pem(chain[1])}))
        monkeypatch.chdir(tmp_path / "zips")
        with pytest.raises(InputError, match=r"evil\.zip: refused, .*outside its folder: .*evil\.pem"):
            load_certificates(file)
        assert sorted(path.name for path in tmp_path.rglob("*")) == ["evil.zip", "zips"]
        (tmp_path / "zips" / "good.cer").write_bytes(der(chain[0]))
        pool = load_certificates(tmp_path)
        assert (len(pool), [reject.source for reject in pool.rejects]) == (1, [str(file)])

    def test_a_bomb(self, tmp_path):
        """``limits.archive_bytes`` counts what is really unpacked; what the headers say is not believed."""
        bomb = make_zip({"zeros": bytes(130 * MIB)})
        assert len(bomb) < MIB
        file = tmp_path / "bomb.zip"
        file.write_bytes(bomb.replace((130 * MIB).to_bytes(4, "little"), (10).to_bytes(4, "little")))
        with pytest.raises(InputError, match=r"bomb\.zip"):
            load_certificates(file)
        file.write_bytes(bomb)
        with pytest.raises(LimitExceededError, match=r"bomb\.zip: unpacks to more than .*limits\.archive_bytes"):
            load_certificates(file)

    def test_a_nested_bomb_shares_one_budget(self, tmp_path, chain):
        """Many small bombs in one archive are one large one; in a folder it is one reject."""
        limits = dataclasses.replace(DEFAULT_LIMITS, archive_bytes=4 * MIB)
        inner = make_zip({"zeros": bytes(MIB)})
        file = tmp_path / "nested.zip"
        file.write_bytes(make_zip({f"{number}.zip": inner for number in range(10)}))
        (tmp_path / "a.cer").write_bytes(der(chain[0]))
        pool = load_certificates(tmp_path, limits=limits)
        assert len(pool) == 1
        assert all("limits.archive_bytes" in reject.reason for reject in pool.rejects)
        assert pool.rejects

    def test_too_many_members(self):
        """Refused before an object is made of each."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for number in range(10_001):
                archive.writestr(str(number), b"")
        tracemalloc.start()
        with pytest.raises(LimitExceededError, match=r"limits\.archive_members"):
            load_certificates(buffer.getvalue())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 4 * MIB

    def test_too_deep(self, chain):
        """``limits.nesting`` bounds zips in zips; the outer one says what it met."""
        data = pem(chain[0])
        for _ in range(DEFAULT_LIMITS.nesting + 1):
            data = make_zip({"inner.zip": data})
        with pytest.raises(InputError, match=r"limits\.nesting"):
            load_certificates(data)

    def test_encrypted_and_exotic_members(self, chain):
        """Each is a reject with what to do; the rest is read."""
        buffer = io.BytesIO(make_zip({"good.pem": pem(chain[0])}))
        with zipfile.ZipFile(buffer, "a") as archive:
            archive.writestr("packed.pem", pem(chain[1]), zipfile.ZIP_BZIP2)
            archive.writestr("locked.pem", pem(chain[2]))
        data = bytearray(buffer.getvalue())
        data[data.rindex(b"PK\x01\x02") + 8] |= 1  # the flag of the last entry: encrypted
        pool = load_certificates(bytes(data))
        assert len(pool) == 1
        told = {reject.source.partition("!")[2]: reject.reason for reject in pool.rejects}
        assert "deflate" in told["packed.pem"]
        assert "encrypted" in told["locked.pem"]

    def test_damage_in_one_member(self, chain):
        """A checksum that does not hold loses that member only."""
        data = bytearray(make_zip({"a": der(chain[0]), "b": der(chain[1])}, zipfile.ZIP_STORED))
        data[data.index(der(chain[0])) + 40] ^= 1
        pool = load_certificates(bytes(data))
        assert len(pool) == 1
        assert [reject.reason for reject in pool.rejects] == ["damaged in the zip archive"]

    def test_names_cannot_steer_a_terminal(self, chain):
        """Control characters in a member's name are escaped."""
        pool = load_certificates(make_zip({"\x1b[2Jx.cer": b"", "a": der(chain[0])}))
        assert [reject.source for reject in pool.rejects] == ["the bytes given!\\x1b[2Jx.cer"]

    def test_without_certificates(self, tmp_path):
        """A zip named by the user that holds none is refused, as is an empty one."""
        file = tmp_path / "docs.zip"
        for members in ({"README": b"text"}, {}):
            file.write_bytes(make_zip(members))
            with pytest.raises(InputError, match=r"docs\.zip: expected a certificate, found a zip archive"):
                load_certificates(file)
