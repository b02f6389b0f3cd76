# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The README's commands, from where it says; and what an installed collection needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev.sample_versions import VERSIONS
from dev.settings import ROOT
from tests.e2e.hosts import HOSTS, serving
from tests.e2e.playbooks import QUICK, environment, extra, run

pytestmark = [pytest.mark.fleet, pytest.mark.slow]
INVENTORY = str(ROOT / "inventory" / "dev.yml")


def test_the_playbooks_run_from_their_own_folder(aligned: str) -> None:
    new = VERSIONS["C"].sha
    folder = ROOT / "playbooks"
    quick = extra(QUICK)
    run("ansible-playbook", "update-api.yml", "-e", f"sha={new}", *quick, cwd=folder).ok()
    assert set(serving().values()) == {new}
    run("ansible-playbook", "status-api.yml", cwd=folder).ok()
    run("ansible-playbook", "rollback-api.yml", *quick, cwd=folder).ok()
    assert set(serving().values()) == {aligned}


def install(folder: Path) -> dict[str, str]:
    """Build the collection, install it below `folder`; the environment that finds only that."""
    build = ("collection", "build", "--output-path", str(folder))
    run("ansible-galaxy", *build).ok()
    (archive,) = folder.glob("greenlight-droplet-*.tar.gz")
    where = folder / "collections"
    # From outside of the checkout: inside of it, its ansible.cfg names the checkout itself.
    install_ = ("collection", "install", "--offline", "-p", str(where), str(archive))
    elsewhere = environment({"ANSIBLE_COLLECTIONS_PATH": str(where)})
    run("ansible-galaxy", *install_, cwd=folder, env=elsewhere).ok()
    installed = where / "ansible_collections" / "greenlight" / "droplet"
    assert (installed / "MANIFEST.json").is_file()
    for kept_out in ("tests", "dev", "inventory", "Makefile", ".fleet"):
        assert not (installed / kept_out).exists(), kept_out
    return elsewhere


def test_the_installed_collection_does_it_all(aligned: str, tmp_path: Path) -> None:
    env, new = install(tmp_path), VERSIONS["C"].sha

    def call(name: str, *arguments: str) -> str:
        command = ("ansible-playbook", "-i", INVENTORY, f"greenlight.droplet.{name}")
        outcome = run(*command, *arguments, *extra(QUICK), cwd=tmp_path, env=env).ok()
        assert set(outcome.recap()) == set(HOSTS)
        return outcome.text

    assert "changed=0" in call("setup_api")
    call("update_api", "-e", f"sha={new}")
    assert set(serving().values()) == {new}
    assert new[:7] in call("status_api")
    call("rollback_api")
    assert set(serving().values()) == {aligned}
