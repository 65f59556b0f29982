"""DynamoDB and Secrets Manager over their own protocol, with what the assistant reads of them: stock and keys."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from sam_template.repository import CATALOG


class Aws:
    """Answers BatchGetItem with five of every product, and GetSecretValue with `keys`."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        stock = {
            product["sku"]: {"sku": {"S": product["sku"]}, "qty": {"N": "5"}}
            for product in json.loads(CATALOG.read_text())
        }

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                operation = self.headers["x-amz-target"].partition(".")[2]
                content = json.dumps(answer(operation, asked)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        def answer(operation: str, asked: Any) -> dict[str, Any]:
            if operation == "GetSecretValue":
                return {"SecretString": json.dumps(keys), "ARN": "arn", "Name": asked["SecretId"]}
            ((table, request),) = asked["RequestItems"].items()
            found = [stock[key["sku"]["S"]] for key in request["Keys"] if key["sku"]["S"] in stock]
            return {"Responses": {table: found}, "UnprocessedKeys": {}}

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.port: int = self._server.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
