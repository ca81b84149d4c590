"""What cargo knows of the workspace: the functions, and what is linked into them."""

import functools
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGETS = {"arm64": "aarch64-unknown-linux-gnu", "x86_64": "x86_64-unknown-linux-gnu"}


@dataclass(frozen=True, order=True)
class Crate:
    """A package that is linked, or that builds one that is."""

    name: str
    version: str
    licence: str
    repository: str
    folder: Path
    # Whether it comes from a registry, and not from this repository.
    is_foreign: bool
    checksum: str
    # Ids of the packages that it uses.
    uses: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"pkg:cargo/{self.name}@{self.version}"


@functools.cache
def metadata(architecture: str) -> dict:
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", TARGETS[architecture]]
    return json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)


def functions(architecture: str) -> list[str]:
    """The packages under `functions/`, each with a program of its own name."""
    packages = metadata(architecture)["packages"]
    here = ROOT / "functions"
    return sorted(p["name"] for p in packages if Path(p["manifest_path"]).parent.parent == here)


def checksums() -> dict[tuple[str, str], str]:
    """The sums of Cargo.lock by name and version."""
    found, name, version = {}, "", ""
    for line in (ROOT / "Cargo.lock").read_text().splitlines():
        key, _, value = line.partition(" = ")
        value = value.strip('"')
        if key == "name":
            name = value
        elif key == "version":
            version = value
        elif key == "checksum":
            found[name, version] = value
    return found


def linked(names: list[str], architecture: str) -> list[Crate]:
    """The packages with these names and everything that they need to be built, without what only tests need."""
    known = metadata(architecture)
    packages = {package["id"]: package for package in known["packages"]}
    nodes = {node["id"]: node for node in known["resolve"]["nodes"]}
    members = {packages[member]["name"]: member for member in known["workspace_members"]}
    sums = checksums()

    def used(of: str) -> Iterator[str]:
        for dependency in nodes[of]["deps"]:
            if any(kind["kind"] != "dev" for kind in dependency["dep_kinds"]):
                yield dependency["pkg"]

    waiting, seen = [members[name] for name in names], set()
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting.extend(used(one))

    def crate(id_: str) -> Crate:
        package = packages[id_]
        purls = sorted(f"pkg:cargo/{packages[other]['name']}@{packages[other]['version']}" for other in used(id_))
        return Crate(
            name=package["name"],
            version=package["version"],
            licence=(package["license"] or "").replace("/", " OR "),
            repository=package["repository"] or "",
            folder=Path(package["manifest_path"]).parent,
            is_foreign=package["source"] is not None,
            checksum=sums.get((package["name"], package["version"]), ""),
            uses=tuple(purls),
        )

    return sorted(crate(one) for one in seen)
