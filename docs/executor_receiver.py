"""What a runbook's `executor` calls, in fifty lines: run it behind TLS, and write `set_access` for your system.

WEBHOOK_SECRET=whsec_… AUDIENCE=pam-prod JWKS=https://bot.example/.well-known/jwks.json python executor_receiver.py 8443
"""

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

DONE, CLOSED = {}, set()  # keep both on a disk: answers by webhook-id, and requests that are closed for ever


def set_access(person, runbook, target, until):
    """Opens the access until then, or closes it (None). Doing either twice must be as good as once."""
    print(f"{person} {runbook} {target}: {'open until ' + until if until else 'closed'}", flush=True)


def permitted(data):
    """The permit is for us, for this runbook, and signed by the bot's key. Add --proof to demand that the log knows it."""
    words = ["permit", "verify", "-", "--aud", os.environ["AUDIENCE"], "--runbook", data["runbook"], "--json"]
    words += ["--jwks", os.environ["JWKS"]]
    done = subprocess.run([sys.executable, "-m", "bot", *words], input=data["permit"], capture_output=True, text=True)
    claims = json.loads(done.stdout) if done.returncode == 0 else {}
    return (claims.get("txn"), claims.get("sub")) == (data["request"], data["requester"])


def act(kind, data):
    """An open after the close is refused: it was on its way when the approval ended."""
    if kind not in ("grant.open", "grant.close"):
        return {"state": "failed", "detail": "unknown type"}
    if kind == "grant.open" and (data["request"] in CLOSED or not permitted(data)):
        return {"state": "failed", "detail": "closed already, or the permit is refused"}
    if kind == "grant.close":
        CLOSED.add(data["request"])
    set_access(data["requester"], data["runbook"], data["target"], data["not_after"] if kind == "grant.open" else None)
    return {"state": "opened" if kind == "grant.open" else "closed"}


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body, id_ = self.rfile.read(int(self.headers["content-length"])), self.headers["webhook-id"]
        try:
            event = Webhook(os.environ["WEBHOOK_SECRET"]).verify(body, dict(self.headers))
        except WebhookVerificationError:
            self.send_error(401)
            return
        if id_ not in DONE:  # the same id is the same call again: its answer was lost on the way
            DONE[id_] = act(event["type"], event["data"])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(DONE[id_]).encode())


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
