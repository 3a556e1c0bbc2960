"""``build(fetch=...)``: what the report has of what was fetched, and what is told when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.paths import search

from .retrieval.conftest import Server

OPTIONS = pk.FetchOptions(allow_private=True, cache=False)


@pytest.fixture
def site(_no_proxies):
    """A web server on loopback."""
    with Server() as server:
        yield server


@pytest.fixture
def published(site, tmp_path):
    """The lab's files, with URLs where the web server has what belongs there."""
    replica = lab.make_replica(key_type=lab.KeyType.EC_P256, base_url=site.base)
    for path, content in replica.published().items():
        site.route(path, content)
    return lab.write(replica, tmp_path / "lab")


@pytest.fixture
def build(published):
    """Call ``build`` with key, certificate and anchor alone; a keyword replaces or adds one."""

    def call(**changed):
        given = {
            "key": published.key,
            "certificate": published.certificate,
            "trust_anchors": [published.trust_anchor],
            "password": "correct horse 42 battery",
            "fetch": OPTIONS,
        }
        return pk.build(**(given | changed))

    return call


def test_the_report_has_every_url(site, build):
    """Each URL once, with what came of it and without its content; JSON-ready."""
    report = build(revocation=pk.Revocation(mode="require"))
    assert report.certificates[-1].subject.common_name == "Federal Common Policy CA"
    assert [status.status.value for status in report.path.revocation.statuses] == ["good"] * 5
    crls = [one.url for one in report.retrievals if one.purpose.value == "crl" and one.status.value == "fetched"]
    assert len(crls) == 5
    assert {one.content for one in report.retrievals} == {None}
    assert [one["url"] for one in report.to_json()["retrievals"]] == [one.url for one in report.retrievals]
    gets = [exchange.target for exchange in site.requests if exchange.method == "GET"]
    assert len(gets) == len(set(gets))


def test_what_failed_is_told_once_and_before_the_password(build):
    """Warnings of fetching come while the path is looked for, before anybody is asked for a password."""
    told = []
    report = build(
        on_warning=told.append,
        password=lambda: told.append("password") or "correct horse 42 battery",
        revocation=pk.Revocation(mode="soft"),  # the lab's OCSP URL is dead
    )
    at = told.index("password")
    assert any("the server answers 404; it would have given" in warning for warning in told[:at])
    assert tuple(one for one in told if one != "password") == report.warnings


def test_without_fetch_the_rest_is_missing(site, build):
    """The same call without ``fetch``: no path, and nobody was asked."""
    with pytest.raises(pk.NoValidPathError):
        build(fetch=None)
    assert site.requests == []


def test_no_path_is_the_same_error(site, build, tmp_path):
    """What could not be fetched is told, then NoValidPathError raised; nothing is written."""
    told = []
    for path in list(site._routes):
        site.answer(path, status=500)
    with pytest.raises(pk.NoValidPathError):
        build(output=tmp_path / "out.p12", on_warning=told.append, fetch=OPTIONS)
    assert any("the server answers 500; it would have given certificates of" in warning for warning in told)
    assert not (tmp_path / "out.p12").exists()


def test_the_path_alone(published):
    """``find_path`` with ``fetch`` returns the path, and ``find_paths`` the report; each URL is told."""
    certificate = pk.load_certificate(published.certificate)
    asked = []
    given = {
        "trust_anchors": published.trust_anchor,
        "time": certificate.not_before + timedelta(days=1),
        "fetch": replace(OPTIONS, on_event=asked.append),
    }
    path = pk.find_path(published.certificate, **given)
    assert path.certificates[0] == certificate
    assert asked
    report = pk.find_paths(published.certificate, **given)
    assert report.best.certificates == path.certificates
    assert pk.find_paths(published.certificate, **given | {"fetch": None}).valid == ()


def test_nothing_is_searched_twice_where_nothing_is_missing(replica, monkeypatch):
    """``find_paths`` with ``fetch`` asks nothing and searches once where the certificates make a path."""
    searches = []
    real = search.PathRequest.find_paths
    monkeypatch.setattr(search.PathRequest, "find_paths", lambda *given: searches.append(1) or real(*given))
    monkeypatch.setattr(search.PathRequest, "find_path", None)
    report = pk.find_paths(
        replica.server.certificate,
        certificates=replica.pool,
        trust_anchors=replica.trust_anchor,
        time=replica.at,
        fetch=replace(OPTIONS, on_event=lambda _: pytest.fail("something was asked for")),
    )
    assert len(report.valid) > 1
    assert searches == [1]
