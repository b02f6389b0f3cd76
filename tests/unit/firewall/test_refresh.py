# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents that list networks, and the firewall's sets that follow them."""

from __future__ import annotations

import json
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import (
    FirewallError,
    NotSetUpError,
)
from ansible_collections.greenlight.droplet.plugins.module_utils._firewall import commands, refresh

GOOD = {
    "actions": ["192.0.2.0/25", "192.0.2.128/25", "2001:db8::/32"],
    "hooks": ["198.51.100.0/24"],
}


@pytest.fixture(name="folder", autouse=True)
def fixture_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the copies, with the configuration beside it and a kernel without our sets."""
    folder = tmp_path / "firewall"
    monkeypatch.setattr(refresh, "FOLDER", str(folder))
    monkeypatch.setattr(refresh, "CONFIGURATION", str(tmp_path / "networks.json"))
    monkeypatch.setattr(commands, "has_set", lambda _name: False)
    return folder


class Document:
    """A small server of one document."""

    def __init__(self) -> None:
        self.status, self.content = 200, json.dumps(GOOD)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            """Answers every GET with the document."""

            def do_GET(self) -> None:
                self.send_response(outer.status)
                self.end_headers()
                self.wfile.write(outer.content.encode())

            def log_message(self, *_words: t.Any) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/meta"


@pytest.fixture(name="document")
def fixture_document() -> t.Iterator[Document]:
    """The document's server, configured as the source of the set github."""
    document = Document()
    settings = {"github": {"url": document.url, "key": "actions"}}
    Path(refresh.CONFIGURATION).write_text(json.dumps(settings), encoding="utf-8")
    thread = threading.Thread(target=document.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield document
    document.server.shutdown()
    document.server.server_close()
    thread.join(timeout=5)


def test_networks_are_collapsed_and_kept_as_one_transaction(
    folder: Path, document: Document, capsys: pytest.CaptureFixture[str]
) -> None:
    assert document.url
    assert refresh.refresh_all([]) == 0
    assert (folder / "github.nft").read_text() == (
        "flush set inet greenlight github_v4\n"
        "add element inet greenlight github_v4 { 192.0.2.0/24 }\n"
        "flush set inet greenlight github_v6\n"
        "add element inet greenlight github_v6 { 2001:db8::/32 }\n"
    )
    assert capsys.readouterr().out == "github: 2 networks\n"
    assert refresh.refresh_all(["github"]) == 0
    assert capsys.readouterr().out == "github: 2 networks, as before\n"


@pytest.mark.parametrize(
    ("status", "content", "message"),
    [
        (503, "", "answers 503"),
        (200, "<html>", "is not JSON"),
        (200, "[]", "has no list of networks under 'actions'"),
        (200, '{"actions": []}', "has no list of networks"),
        (200, '{"actions": ["192.0.2.0/24", "all"]}', "'all' under 'actions' is no network"),
        (200, '{"actions": ["0.0.0.0/0"]}', "'0.0.0.0/0' under 'actions' is too wide"),
        (200, '{"actions": ["::/0"]}', "'::/0' under 'actions' is too wide"),
    ],
)
def test_a_bad_document_leaves_the_last_good_copy(
    folder: Path,
    document: Document,
    capsys: pytest.CaptureFixture[str],
    status: int,
    content: str,
    message: str,
) -> None:
    assert refresh.refresh_all([]) == 0
    before = (folder / "github.nft").read_text()
    document.status, document.content = status, content
    assert refresh.refresh_all([]) == 1
    assert (folder / "github.nft").read_text() == before
    said = capsys.readouterr().err
    assert message in said
    assert "the last good copy goes on being used" in said


def test_a_document_is_read_over_https_only(capsys: pytest.CaptureFixture[str]) -> None:
    settings = {"github": {"url": "http://example.com/meta", "key": "actions"}}
    Path(refresh.CONFIGURATION).write_text(json.dumps(settings), encoding="utf-8")
    assert refresh.refresh_all([]) == 1
    said = capsys.readouterr().err
    assert "not read over https" in said
    assert "there is no older copy" in said


def test_sets_that_the_kernel_has_are_swapped(
    folder: Path, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert document.url
    loaded: list[str] = []
    monkeypatch.setattr(commands, "has_set", lambda name: name == "github_v4")
    monkeypatch.setattr(commands, "load_text", loaded.append)
    assert refresh.refresh_all([]) == 0
    assert loaded == [(folder / "github.nft").read_text()]


def test_a_copy_that_nft_refuses_is_not_kept(
    folder: Path,
    document: Document,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert document.url

    def refuse(_text: str) -> None:
        raise FirewallError("'nft -f -' failed: too many")

    monkeypatch.setattr(commands, "has_set", lambda _name: True)
    monkeypatch.setattr(commands, "load_text", refuse)
    assert refresh.refresh_all([]) == 1
    assert "github: 'nft -f -' failed: too many; there is no older copy" in capsys.readouterr().err
    assert not (folder / "github.nft").exists()


def test_a_document_that_nobody_configured_is_named(document: Document) -> None:
    assert document.url
    with pytest.raises(NotSetUpError, match="has no document other"):
        refresh.refresh_all(["other"])
