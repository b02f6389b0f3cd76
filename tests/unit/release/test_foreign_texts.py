# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No text of others reaches a result or an error as it is, and no defect is a traceback."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.greenlight.droplet.plugins.module_utils._core.boundary import reported
from ansible_collections.greenlight.droplet.plugins.module_utils._core.errors import SpecError
from ansible_collections.greenlight.droplet.plugins.module_utils._core.redact import HIDDEN
from ansible_collections.greenlight.droplet.plugins.module_utils._release import entrypoint, info
from ansible_collections.greenlight.droplet.plugins.module_utils._release.report import (
    LINE_CHARACTERS,
    Done,
    Failure,
)
from tests.unit.release.host_state import make_host
from tests.unit.release.orders import parameters, release, sha_of
from tests.unit.release.world import World

ESCAPE = "\x1b[2J\u202e"
SEEN = "\\x1b[2J\\u202e"


def failure(**parts: t.Any) -> Failure:
    """A failure each of whose texts is foreign."""
    names = ("step", "reason", "check", "last_answer", "outcome", "serving", "next_command")
    texts = {name: f"{name} {ESCAPE}\n  outcome        all is well" for name in names}
    given = {**texts, "step": "gate", "action": "release", "sha": "a" * 40, **parts}
    return Failure(log_lines=[f"log {ESCAPE}\r\nx", "y" * 400], **given)


def test_a_failure_shows_what_others_said_and_is_led_by_nobody() -> None:
    text = str(failure())
    assert all(line.isprintable() for line in text.splitlines())
    # What an application says cannot look like a line of ours.
    assert [line for line in text.splitlines() if line.startswith("  outcome")] == [
        f"  outcome        outcome {SEEN} outcome all is well"
    ]
    assert f"    | log {SEEN}\\r\\nx" in text
    assert f"    | {'y' * LINE_CHARACTERS}\n" in text


def test_the_parts_of_a_failure_are_as_safe() -> None:
    facts = failure(last_answer="z" * 999).to_dict()
    assert len(facts["last_answer"]) == LINE_CHARACTERS
    for value in facts.values():
        for text in value if isinstance(value, list) else [value]:
            assert text is None or text.isprintable()


def test_a_step_line_is_one_line() -> None:
    assert Done("pull", f"a {ESCAPE}\nb", 1.0).text == f"a {SEEN} b"


def call(monkeypatch: pytest.MonkeyPatch, work: t.Callable[[], t.Any], **values: t.Any) -> t.Any:
    """Call the module with its work replaced."""
    monkeypatch.setattr(entrypoint, "_execute", lambda *_values, **_options: work())
    return entrypoint.call("release", parameters(**values), check_mode=False)


def test_a_result_is_safe_and_tells_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {
        "changed": True,
        "message": f"{ESCAPE} p&w<ord",
        "live": {"sha": "e" * 40, "slot": "blue"},
        "notes": ["e is told, here not", json.dumps({"x": "p&w<ord"}).replace("&", "\\u0026")],
        "diff": {"before": "a\nb\n", "after": "c\n"},
    }
    shown = call(monkeypatch, lambda: found, secrets={"A": "p&w<ord", "B": "e"})
    assert shown == {
        "changed": True,
        "run": "",
        "message": f"{SEEN} {HIDDEN}",
        "live": {"sha": "e" * 40, "slot": "blue"},
        "notes": [f"{HIDDEN} is told, here not", f'{{"x": "{HIDDEN}"}}'],
        "diff": {"before": "a\nb\n", "after": "c\n"},
    }


@pytest.mark.parametrize(
    ("fault", "msg"),
    [
        (SpecError(f"said {ESCAPE}"), f"said {SEEN}"),
        (RecursionError("deep"), "A defect in the release; please report it: RecursionError"),
        (
            AttributeError("'NoneType' has no 'slot'"),
            "please report it: AttributeError: 'NoneType'",
        ),
        (StopIteration(), "please report it: StopIteration"),
    ],
)
def test_whatever_goes_wrong_is_one_line(
    monkeypatch: pytest.MonkeyPatch, fault: Exception, msg: str
) -> None:
    def fail() -> t.NoReturn:
        raise fault

    found = call(monkeypatch, fail)
    assert found["failed"] is True
    assert msg in found["msg"]
    assert found["msg"].isprintable()


def test_a_failure_of_a_transaction_keeps_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> t.NoReturn:
        raise failure(done=[Done("pull", ESCAPE, 1.0)], changed=True)

    found = call(monkeypatch, fail)
    assert (found["failed"], found["changed"]) == (True, True)
    assert found["steps"] == [{"step": "pull", "text": SEEN, "seconds": 1.0}]
    assert found["failure"]["reason"] == f"reason {SEEN} outcome all is well"


class Module:
    """What the code under test uses of AnsibleModule."""

    _name = "files"

    def __init__(self, **params: t.Any) -> None:
        self.params: dict[str, t.Any] = parameters(**params)
        self.check_mode = False
        self.no_log_values = {"e", "api", "long enough"}
        self.left: dict[str, t.Any] = {}

    def fail_json(self, **result: t.Any) -> t.NoReturn:
        """Remember the result and leave."""
        self.left = result
        raise SystemExit(1)

    def exit_json(self, **result: t.Any) -> t.NoReturn:
        """Remember the result and leave."""
        self.left = result
        raise SystemExit(0)


def test_ansible_hides_no_short_value_inside_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrypoint, "_execute", lambda *_values, **_options: {"changed": False})
    module: t.Any = Module(
        action="release", secrets={"A": "e"}, registry_password="api", env={"name": "api"}
    )
    with pytest.raises(SystemExit):
        entrypoint.run_module(module)
    assert module.no_log_values == set()
    # Ansible returns them with the result.
    assert module.params["secrets"] == {"A": HIDDEN}
    assert module.params["registry_password"] == HIDDEN
    assert module.params["env"] == {"name": HIDDEN}


@pytest.mark.parametrize("fault", [KeyError("x"), OSError(28, "No space left"), SpecError("bad")])
def test_every_module_fails_with_one_line(fault: Exception) -> None:
    module: t.Any = Module()
    with pytest.raises(SystemExit), reported(module):
        raise fault
    assert module.left["msg"].isprintable()
    assert ("A defect in files" in module.left["msg"]) == (not isinstance(fault, SpecError))


def test_what_is_read_for_people_is_safe(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    release(world, sha_of("first"), holder=f"ann{ESCAPE}", ci_run=ESCAPE)
    monkeypatch.setattr(info, "open_host", lambda _app: make_host(world))
    monkeypatch.setattr(info, "notes", lambda _host: [ESCAPE])
    found = info.inspect_releases("api", 50)
    assert found["runs"][0]["holder"] == f"ann{SEEN}"
    assert found["events"][0]["event"]
    assert found["notes"] == [SEEN]
    assert ESCAPE not in json.dumps(found, ensure_ascii=False)
