"""Carries out the SAM transform of a template, as CloudFormation would, and prints the outcome as JSON.

Usage: transform.py TEMPLATE

Code and layers are named by folders in the template; the transform wants to see an S3 address, so each gets one.
"""

import json
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform


class NoManagedPolicies:
    """The functions have roles of their own: no name of a policy of AWS is looked up."""

    def load(self) -> dict[str, str]:
        return {}


def main() -> int:
    template = yaml_parse(Path(sys.argv[1]).read_text())
    for name, resource in template["Resources"].items():
        for key in ("CodeUri", "ContentUri"):
            if key in resource.get("Properties", {}):
                resource["Properties"][key] = f"s3://code/{name}"
    # `transform` refuses the section, which CloudFormation takes.
    json.dump(transform(template, {}, NoManagedPolicies()), sys.stdout, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
