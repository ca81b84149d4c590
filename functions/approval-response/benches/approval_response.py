"""What `approval-response` does with a click, as a Python function would: boto3 for AWS, urllib for Slack.

It speaks the Runtime API itself, as the runtime that AWS provides does. Used by the benchmark `cold_start` only.
"""

import hashlib
import hmac
import json
import os
import time
import urllib.parse
import urllib.request

import boto3

RUNTIME = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime"
SLACK = os.environ["STAGEGATE_SLACK_URL"]
APPROVERS = {"U0001", "U0002", "U0003"}

ssm = boto3.client("ssm")
s3 = boto3.client("s3")


def secret(variable):
    answer = ssm.get_parameter(Name=os.environ[variable], WithDecryption=True)
    return answer["Parameter"]["Value"]


def is_signed(event):
    timestamp = event["headers"]["x-slack-request-timestamp"]
    if abs(time.time() - int(timestamp)) > 300:
        return False
    key = secret("STAGEGATE_SLACK_SIGNING_SECRET_PARAMETER").encode()
    text = f"v0:{timestamp}:{event['body']}".encode()
    expected = "v0=" + hmac.new(key, text, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, event["headers"]["x-slack-signature"])


def slack(method, body, token):
    headers = {"authorization": "Bearer " + token, "content-type": "application/json; charset=utf-8"}
    request = urllib.request.Request(SLACK + method, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as response:
        answer = json.load(response)
    if not answer["ok"]:
        raise RuntimeError(answer["error"])
    return answer


def handle(event):
    if event["requestContext"]["http"]["method"] != "POST" or not is_signed(event):
        return {"statusCode": 401}
    payload = json.loads(urllib.parse.parse_qs(event["body"])["payload"][0])
    if (payload["api_app_id"], payload["team"]["id"]) != (
        os.environ["STAGEGATE_SLACK_APP_ID"],
        os.environ["STAGEGATE_SLACK_TEAM_ID"],
    ):
        return {"statusCode": 403}
    key = "approvals/" + payload["actions"][0]["value"] + ".json"
    stored = s3.get_object(Bucket=os.environ["STAGEGATE_STATE_BUCKET"], Key=key)
    approval = json.load(stored["Body"])["document"]
    message = approval["notices"][0]["state"]["sent"]["message"]
    clicked = payload["container"]
    if (message["channel"], message["ts"]) != (clicked["channel_id"], clicked["message_ts"]):
        return {"statusCode": 403}
    token = secret("STAGEGATE_SLACK_BOT_TOKEN_PARAMETER")
    user = payload["user"]["id"]
    slack("users.info", {"user": user}, token)
    if user not in APPROVERS or approval["phase"] != "requested":
        return {"statusCode": 200}
    view = {
        "type": "modal",
        "callback_id": "decide",
        "title": {"type": "plain_text", "text": "Approve the release"},
        "submit": {"type": "plain_text", "text": "Approve"},
        "private_metadata": approval["id"],
        "blocks": [
            {
                "type": "input",
                "block_id": "comment",
                "optional": True,
                "label": {"type": "plain_text", "text": "Comment"},
                "element": {"type": "plain_text_input", "action_id": "comment", "multiline": True},
            }
        ],
    }
    slack("views.open", {"trigger_id": payload["trigger_id"], "view": view}, token)
    return {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": ""}


def main():
    while True:
        with urllib.request.urlopen(RUNTIME + "/invocation/next") as invocation:
            request_id = invocation.headers["Lambda-Runtime-Aws-Request-Id"]
            event = json.load(invocation)
        answer = handle(event)
        if answer["statusCode"] != 200:
            raise RuntimeError(f"the click was refused: {answer}")
        body = json.dumps(answer).encode()
        urllib.request.urlopen(urllib.request.Request(f"{RUNTIME}/invocation/{request_id}/response", body)).close()


main()
