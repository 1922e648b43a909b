"""Verifies webhooks with the reference implementation of Standard Webhooks, each as it came and with one byte changed.

    verify_webhooks.py SECRET REQUESTS.json      requests: a list of [headers, body]; prints how many were verified
"""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

secret, path = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    requests = json.load(file)
for headers, body in requests:
    assert Webhook(secret).verify(body, headers) == json.loads(body)
    forged = [(headers, body.replace('"type"', '"kind"', 1))]
    forged += [(headers | {name: headers[name] + "0"}, body) for name in ("webhook-id", "webhook-timestamp")]
    for headers, body in forged:
        try:
            Webhook(secret).verify(body, headers)
        except WebhookVerificationError:
            continue
        sys.exit("something was verified that was not signed")
print(len(requests))
