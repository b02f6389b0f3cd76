# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's own program that reads documents which list networks."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import threading
import types
import typing as t
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from dev.settings import ROOT

PROGRAM = ROOT / "roles" / "firewall" / "files" / "networks.py"
GOOD = {
    "actions": ["192.0.2.0/25", "192.0.2.128/25", "2001:db8::/32"],
    "hooks": ["198.51.100.0/24"],
}


@pytest.fixture(name="program")
def fixture_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The program, with its files in a folder of the test and a kernel without our sets."""
    found = importlib.util.spec_from_file_location("networks_program", PROGRAM)
    assert found is not None
    assert found.loader is not None
    program = importlib.util.module_from_spec(found)
    found.loader.exec_module(program)
    monkeypatch.setattr(program, "FOLDER", tmp_path / "firewall")
    monkeypatch.setattr(program, "CONFIGURATION", tmp_path / "networks.json")
    missing = subprocess.CompletedProcess[str]([], 1, "", "no such set")
    monkeypatch.setattr(program, "nft", lambda *_words: missing)
    return program


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
def fixture_document(program: types.ModuleType) -> t.Iterator[Document]:
    """The document's server, configured as the source of the set github."""
    document = Document()
    settings = {"github": {"url": document.url, "key": "actions"}}
    program.CONFIGURATION.write_text(json.dumps(settings), encoding="utf-8")
    thread = threading.Thread(target=document.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield document
    document.server.shutdown()
    document.server.server_close()
    thread.join(timeout=5)


def test_networks_are_collapsed_and_kept_as_one_transaction(
    program: types.ModuleType, document: Document, capsys: pytest.CaptureFixture[str]
) -> None:
    assert document.url
    assert program.main([]) == 0
    assert (program.FOLDER / "github.nft").read_text() == (
        "flush set inet greenlight github_v4\n"
        "add element inet greenlight github_v4 { 192.0.2.0/24 }\n"
        "flush set inet greenlight github_v6\n"
        "add element inet greenlight github_v6 { 2001:db8::/32 }\n"
    )
    assert capsys.readouterr().out == "github: 2 networks\n"
    assert program.main(["github"]) == 0
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
    program: types.ModuleType,
    document: Document,
    capsys: pytest.CaptureFixture[str],
    status: int,
    content: str,
    message: str,
) -> None:
    assert program.main([]) == 0
    before = (program.FOLDER / "github.nft").read_text()
    document.status, document.content = status, content
    assert program.main([]) == 1
    assert (program.FOLDER / "github.nft").read_text() == before
    said = capsys.readouterr().err
    assert message in said
    assert "the last good copy goes on being used" in said


def test_a_document_is_read_over_https_only(
    program: types.ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"github": {"url": "http://example.com/meta", "key": "actions"}}
    program.CONFIGURATION.write_text(json.dumps(settings), encoding="utf-8")
    assert program.main([]) == 1
    said = capsys.readouterr().err
    assert "not read over https" in said
    assert "there is no older copy" in said


def test_sets_that_the_kernel_has_are_swapped(
    program: types.ModuleType, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert document.url
    loaded: list[str] = []

    def nft(*words: str) -> subprocess.CompletedProcess[str]:
        if words[0] == "-f":
            loaded.append(Path(words[1]).read_text())
        return subprocess.CompletedProcess([], 0, "", "")

    monkeypatch.setattr(program, "nft", nft)
    assert program.main([]) == 0
    assert loaded == [(program.FOLDER / "github.nft").read_text()]


def test_a_copy_that_nft_refuses_is_not_kept(
    program: types.ModuleType,
    document: Document,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert document.url

    def nft(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], int(words[0] == "-f"), "", "too many")

    monkeypatch.setattr(program, "nft", nft)
    assert program.main([]) == 1
    assert "nft refuses the networks of github: too many" in capsys.readouterr().err
    assert not (program.FOLDER / "github.nft").exists()
