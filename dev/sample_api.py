# Copyright (c) 2026, Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build versions of the sample API and push them: `python -m dev.sample_api build A B`."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dev import bases, docker_cli, images, settings, state
from dev.sample_versions import VERSIONS, Version
from dev.shell import CommandError
from dev.steps import Step, step

SOURCE = settings.ROOT / "tests" / "sample_api"
SHARED_TAG = "greenlight-dev/application:shared"
REVISION = "org.opencontainers.image.revision"


def image(sha: str, name: str = "api") -> str:
    """The image of a version as it is pushed from this machine."""
    return f"{settings.REGISTRY_PUSH}/{name}:{sha}"


def version_dockerfile(parent: str, version: Version) -> str:
    """The Dockerfile of one version: environment, label, and a layer of its own if it has one."""
    lines = [f"FROM {parent}"]
    pairs = " ".join(f'{key}="{value}"' for key, value in version.environment().items())
    lines.append(f"ENV {pairs}")
    if version.revision is not None:
        lines.append(f'LABEL {REVISION}="{version.revision}"')
    if version.layer_megabytes:
        lines.append(f"RUN head -c {version.layer_megabytes}M /dev/urandom > /tmp/layer")
    return "\n".join(lines) + "\n"


def _build(files: dict[str, str], tag: str, arguments: list[str], current: Step) -> None:
    """Build `tag` from `files` unless the image that is there was made from the same."""
    wanted = images.inputs_hash({**files, "arguments": " ".join(arguments)})
    if docker_cli.image_label(tag, settings.INPUTS_LABEL) == wanted:
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        label = ["--label", f"{settings.INPUTS_LABEL}={wanted}"]
        docker_cli.build(Path(folder), tag, current, [*arguments, *label])


def shared_image(distribution: bases.Distribution, current: Step) -> str:
    """Build what all versions share; return its image id."""
    parent = docker_cli.docker(
        *("image", "inspect", "--format", "{{.Id}}"),
        images.tag("application-base", distribution),
    )
    paths = [SOURCE / "Dockerfile", *sorted(SOURCE.glob("*.py"))]
    files = {path.name: path.read_text(encoding="utf-8") for path in paths}
    _build(files, SHARED_TAG, ["--build-arg", f"PARENT={parent}"], current)
    return docker_cli.docker("image", "inspect", "--format", "{{.Id}}", SHARED_TAG)


def build(
    versions: Sequence[Version],
    *,
    push: bool,
    distribution: bases.Distribution = bases.DISTRIBUTIONS[bases.DEFAULT_DISTRIBUTION],
    name: str = "api",
) -> list[str]:
    """Build versions, push them to the fleet's registry if asked; return the image names."""
    built = []
    with state.lock():
        with step("sample API, shared part") as current:
            parent = shared_image(distribution, current)
        for version in versions:
            tag = image(version.sha, name)
            with step(f"sample API {version.name}") as current:
                _build({"Dockerfile": version_dockerfile(parent, version)}, tag, [], current)
                current.note = version.sha
                if push:
                    docker_cli.docker("--config", str(settings.DOCKER_CONFIG), "push", "-q", tag)
                    current.note += " pushed"
            built.append(tag)
    return built


def _sha(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{40}", text):
        raise argparse.ArgumentTypeError("a full SHA is 40 digits 0-9a-f")
    return text


def parser() -> argparse.ArgumentParser:
    """The command line."""
    main_parser = argparse.ArgumentParser(prog="python -m dev.sample_api", description=__doc__)
    commands = main_parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="names and SHAs of the versions")
    builder = commands.add_parser("build", help="build versions by name, `all`, or one by --sha")
    builder.add_argument("names", nargs="*", metavar="NAME")
    builder.add_argument("--sha", type=_sha)
    builder.add_argument("--behaviour", default="", help="with --sha: comma separated switches")
    builder.add_argument("--application", default="api", help="image name, default api")
    builder.add_argument("--push", action="store_true", help="push to the fleet's registry")
    return main_parser


def chosen(options: argparse.Namespace) -> list[Version]:
    """The versions that the command line asks for; ValueError names what is unknown."""
    names = list(VERSIONS) if options.names == ["all"] else options.names
    if unknown := [name for name in names if name not in VERSIONS]:
        raise ValueError(f"unknown: {', '.join(unknown)}; known: {', '.join(VERSIONS)}")
    versions = [VERSIONS[name] for name in names]
    if options.sha:
        versions.append(Version("given", behaviour=options.behaviour, given_sha=options.sha))
    if not versions:
        raise ValueError("name a version, `all`, or give --sha")
    return versions


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    options = parser().parse_args(arguments)
    if options.command == "list":
        for version in VERSIONS.values():
            print(f"{version.sha}  {version.name}")
        return 0
    try:
        build(chosen(options), push=options.push, name=options.application)
    except (CommandError, ValueError) as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
