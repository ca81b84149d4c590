"""Compares the rights of each role in the template with those that its function used in the tests: equal sets, both ways.

Usage: check_rights.py USED

USED is the file that STAGEGATE_RIGHTS_USED named while the tests ran: a line `FUNCTION ACTION` for each right that was used, with
the function's name in the template. The local AWS has refused what a role does not allow, so that a right that is missing has
already failed a test; here it is named again.
"""

import sys
from collections import defaultdict
from pathlib import Path

from cfnlint.decode import cfn_yaml

# Lambda does these in a function's name: every function logs.
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
# What it needs to hand an event on that failed, by the type of the destination.
DESTINATIONS = {"Lambda": "lambda:InvokeFunction", "SQS": "sqs:SendMessage", "SNS": "sns:Publish"}
# A gate writes a lease only where its job takes a while, which on a fast machine no test has to.
SLOW = {"WriteAndRemoveLeases"}
# Rights that are there for a key or a network of the customer. Nothing here has one, and no function asks for them itself.
OPTIONAL = {"KeyPolicy", "NetworkPolicy"}


def actions(policy: dict, without: frozenset[str] | set[str] = frozenset()) -> set[str]:
    statements = [one for one in policy["PolicyDocument"]["Statement"] if one.get("Sid") not in without]
    allowed = (statement["Action"] for statement in statements if statement["Effect"] == "Allow")
    return {action for given in allowed for action in ([given] if isinstance(given, str) else given)}


def unconditional(policy: dict) -> dict:
    """The policy itself, where it is there on a condition."""
    return policy["Fn::If"][1] if "Fn::If" in policy else policy


def references(value: object) -> set[str]:
    """What a list of policies refers to, through conditions too."""
    if isinstance(value, dict):
        return {value["Ref"]} if "Ref" in value else references(list(value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def main() -> int:
    resources = cfn_yaml.load("infra/template.yaml")["Resources"]
    used = defaultdict(set)
    for line in Path(sys.argv[1]).read_text().splitlines():
        function, action = line.split()
        used[function].add(action)

    problems, shared = [], defaultdict(set)
    functions = {name: r["Properties"] for name, r in resources.items() if r["Type"] == "AWS::Serverless::Function"}
    for name, function in functions.items():
        role_name = function["Role"]["Fn::GetAtt"]
        role_name = (role_name if isinstance(role_name, list) else role_name.split("."))[0]
        role = resources[role_name]["Properties"]
        policies = [unconditional(policy) for policy in role["Policies"]]
        own = set().union(*(actions(policy) for policy in policies))
        surely = set().union(*(actions(policy, without=SLOW) for policy in policies))
        attached = {other for other in references(role.get("ManagedPolicyArns", [])) if other in resources} - OPTIONAL
        common = set().union(*(actions(resources[other]["Properties"]) for other in attached))
        for other in attached:
            shared[other].add(name)
        on_failure = function.get("EventInvokeConfig", {}).get("DestinationConfig", {}).get("OnFailure", {})
        needed = used[name] | LOGS | {DESTINATIONS[on_failure["Type"]] for _ in on_failure and [0]}
        problems += [f"{role_name} allows {action}, and {name} never uses it" for action in sorted(surely - needed)]
        problems += [f"{name} uses {action}, and {role_name} does not allow it" for action in sorted(needed - own - common)]
    # A policy for several functions that do each other's work: what none of them does is not needed.
    for policy, names in shared.items():
        all_used = set().union(*(used[name] for name in names))
        allowed = actions(resources[policy]["Properties"])
        problems += [f"{policy} allows {action}, and nobody uses it" for action in sorted(allowed - all_used)]

    for problem in problems:
        print(problem)
    rights = sum(len(used[name]) for name in functions)
    print(f"{len(functions)} functions used {rights} rights, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
