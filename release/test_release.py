"""Tests of what makes a release. `python3 -m unittest discover release`."""

import json
import os
import tempfile
import unittest
import zipfile
from pathlib import Path

from archive import sha256, write_zip
from notices import notices
from sbom import sbom
from workspace import Crate, functions, linked


def crate(name: str, folder: Path, **more: object) -> Crate:
    given = {"version": "1.0.0", "licence": "MIT", "repository": "", "is_foreign": True, "checksum": "", "uses": ()}
    return Crate(name=name, folder=folder, **{**given, **more})


class Release(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_a_zip_depends_on_the_program_alone(self) -> None:
        sums = []
        for name, time in [("a", 1_000_000_000), ("b", 1_700_000_000)]:
            program = self.folder / name / "bootstrap"
            program.parent.mkdir()
            program.write_bytes(b"\x7fELF" * 1000)
            os.utime(program, (time, time))
            archive = self.folder / f"{name}.zip"
            write_zip(program, archive)
            sums.append(sha256(archive))
            with zipfile.ZipFile(archive) as zip_:
                entry = zip_.infolist()[0]
                self.assertEqual((entry.filename, entry.external_attr >> 16), ("bootstrap", 0o100755))
        self.assertEqual(sums[0], sums[1])

    def test_the_bill_names_what_is_linked_with_its_licence(self) -> None:
        for architecture in ("arm64", "x86_64"):
            crates = linked(functions(architecture), architecture)
            names = {one.name for one in crates}
            self.assertLessEqual({"lambda_runtime", "rustls", "test-gate"}, names)
            # The tests' own dependencies are not shipped.
            self.assertFalse({"proptest", "stagegate-local-aws", "axum"} & names)
            self.assertEqual([one.id for one in crates if not one.licence], [])
            self.assertEqual([one.id for one in crates if one.is_foreign and len(one.checksum) != 64], [])
            document = json.loads(sbom("1.0.0", functions(architecture), crates))
            known = {component["bom-ref"] for component in document["components"]}
            known.add(document["metadata"]["component"]["bom-ref"])
            for dependency in document["dependencies"]:
                self.assertLessEqual({dependency["ref"], *dependency["dependsOn"]}, known)
            self.assertEqual(len(known), len(crates) + 1, "a component has two entries")

    def test_the_bill_is_the_same_each_time(self) -> None:
        crates = [crate("a", self.folder)]
        self.assertEqual(sbom("1", ["a"], crates), sbom("1", ["a"], crates))
        self.assertNotEqual(sbom("1", ["a"], crates), sbom("2", ["a"], crates))

    def test_each_text_of_a_licence_is_there_once(self) -> None:
        for name, text in [("a", "Be nice.\n"), ("b", "Be nice.  \n"), ("c", "Be nicer.")]:
            (self.folder / name).mkdir()
            (self.folder / name / "LICENSE-MIT").write_text(text)
        (self.folder / "d").mkdir()
        own = crate("own", self.folder / "a", is_foreign=False)
        text = notices(["own"], [own] + [crate(name, self.folder / name) for name in "abcd"])
        self.assertEqual((text.count("Be nice.\n"), text.count("Be nicer.\n")), (1, 1))
        self.assertIn("a 1.0.0, b 1.0.0\n", text)
        self.assertIn("without the text of their licence", text)
        self.assertNotIn("own 1.0.0", text)


if __name__ == "__main__":
    unittest.main()
