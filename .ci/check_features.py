"""Checks that every function and the CLI build their shared dependencies with the same features.

Cargo selects features anew for each selection of packages: where they differ, `sam build` builds the AWS SDK once for each
function, and the demo builds it once more after the tests. What is missing belongs into crates/same-features/Cargo.toml.
"""

import collections
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Packages of this repository may differ: they are few, and small.
OWN = f" ({ROOT}"


def features_of(*selection: str) -> dict[str, frozenset[str]]:
    """The features of each package, for the machine and for its build scripts, in one selection."""
    tree = subprocess.run(
        ["cargo", "tree", "--offline", "--prefix", "none", "--format", "{p}|{f}", *selection],
        capture_output=True, text=True, check=True, cwd=ROOT,
    ).stdout
    found = collections.defaultdict(set)
    for line in tree.splitlines():
        package, separator, features = line.removesuffix(" (*)").partition("|")
        if separator and OWN not in package:
            found[package].add(features)
    return {package: frozenset(features) for package, features in found.items()}


def main() -> int:
    packages = sorted(path.parent.name for path in ROOT.glob("functions/*/Cargo.toml")) + ["stagegate"]
    alone = {name: features_of("--package", name, "--edges", "normal,build") for name in packages}
    together = features_of("--workspace", "--edges", "normal,build,dev")
    problems = 0
    for package in sorted(set().union(*alone.values())):
        missing = collections.defaultdict(list)
        for name, features in alone.items():
            # One more set of features beside the same ones is that of a build script or a procedural macro.
            if package in features and not features[package] <= together[package]:
                missing[features[package]].append(name)
        for features, names in missing.items():
            problems += 1
            wanted = ",".join(sorted(set(",".join(together[package]).split(",")) - set(",".join(features).split(","))))
            print(f"{package}: {', '.join(names)} lack the features {wanted}")
    if problems:
        print(f"{problems} packages are built more than once; add these features to crates/same-features/Cargo.toml")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
