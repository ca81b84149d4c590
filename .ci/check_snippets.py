"""Checks the examples for Terraform and the CDK against the template: they name outputs and functions that there are.

Usage: check_snippets.py terraform FILE | cdk SYNTHESIZED_TEMPLATE
"""

import json
import re
import sys
from pathlib import Path

from cfnlint.decode import cfn_yaml

# What UserParameters may have (docs/test-gate.md, docs/smoke-test.md).
PARAMETERS = {"gate", "pipeline", "stage", "execution", "variables", "build"}


def template() -> dict:
    return cfn_yaml.load("infra/template.yaml")


def terraform(file: Path) -> list[str]:
    import hcl2

    with file.open() as opened:
        parsed = hcl2.load(opened)
    wanted = {"aws_iam_role_policy", "aws_codepipeline"}
    found = {kind.strip('"') for resource in parsed["resource"] for kind in resource}
    problems = [f"there is no {kind}" for kind in wanted - found]
    text = file.read_text()
    # The outputs of the stack, by their own name or by that of the local value.
    names = set(re.findall(r'(?:outputs|local\.stagegate)\["(\w+)"\]', text))
    problems += [f"the template has no output {name}" for name in sorted(names - set(template()["Outputs"]))]
    if len(names) < 7:
        problems.append(f"only the outputs {sorted(names)} were found: the check does not see them any more")
    keys = set(re.findall(r"\b(\w+)\s+=", " ".join(re.findall(r"jsonencode\(merge\(local\.about, \{(.*?)\}\)\)", text, re.S))))
    problems += [f"UserParameters have no {key}" for key in sorted(keys - PARAMETERS - {"base"})]
    return problems


def cdk(file: Path) -> list[str]:
    resources = json.loads(file.read_text())["Resources"].values()
    known = [
        resource["Properties"]["FunctionName"].get("Fn::Sub", "").replace("${NamePrefix}", "stagegate")
        for resource in template()["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    ]
    problems, seen = [], 0
    for resource in resources:
        if resource["Type"] in ("AWS::Lambda::Permission", "AWS::Lambda::Function"):
            problems.append(f"the example makes a {resource['Type']}")
        if resource["Type"] != "AWS::CodePipeline::Pipeline":
            continue
        for action in (action for stage in resource["Properties"]["Stages"] for action in stage["Actions"]):
            if action["ActionTypeId"]["Provider"] != "Lambda":
                continue
            seen += 1
            function = json.dumps(action["Configuration"]["FunctionName"])
            if not any(f"function:{name}" in function for name in known):
                problems.append(f"{action['Name']} calls a function that the template does not have: {function}")
            parameters = json.loads(action["Configuration"]["UserParameters"])
            problems += [f"{action['Name']}: UserParameters have no {key}" for key in parameters.keys() - PARAMETERS]
            if parameters["execution"] != "#{codepipeline.PipelineExecutionId}":
                problems.append(f"{action['Name']} does not tell its execution")
    if seen != 3:
        problems.append(f"{seen} gates were found, not 3")
    return problems


def main() -> int:
    check = {"terraform": terraform, "cdk": cdk}[sys.argv[1]]
    problems = check(Path(sys.argv[2]))
    for problem in problems:
        print(f"{sys.argv[2]}: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
