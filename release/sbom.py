"""A software bill of materials: CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/). The same input gives the same bytes."""

import json
import uuid

from workspace import Crate


def component(crate: Crate) -> dict:
    made = {
        "type": "library",
        "bom-ref": crate.id,
        "name": crate.name,
        "version": crate.version,
        "purl": crate.id,
        "licenses": [{"expression": crate.licence}],
    }
    if crate.checksum:
        made["hashes"] = [{"alg": "SHA-256", "content": crate.checksum}]
    if crate.repository:
        made["externalReferences"] = [{"type": "vcs", "url": crate.repository}]
    return made


def sbom(version: str, functions: list[str], crates: list[Crate]) -> str:
    """The document. It has no time, so that it is the same for the same sources; its number is made of its content."""
    application = f"pkg:generic/stagegate@{version}"
    roots = sorted(crate.id for crate in crates if crate.name in functions)
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "bom-ref": application, "name": "stagegate", "version": version},
        },
        "components": [component(crate) for crate in crates],
        "dependencies": [{"ref": application, "dependsOn": roots}]
        + [{"ref": crate.id, "dependsOn": list(crate.uses)} for crate in crates],
    }
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document, sort_keys=True))
    return json.dumps({"serialNumber": f"urn:uuid:{number}", **document}, indent=1) + "\n"
