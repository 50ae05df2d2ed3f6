"""A hub on this machine: the part of Hugging Face's HTTP API that a push uses, over real files."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs


class Hub:
    """What it holds, and who may write.

    Attributes:
        token: the one that may.
        repositories: files by path, by repository.
        asked: every request's method and path.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.commits: list[str] = []
        self.asked: list[str] = []
        self.blobs: dict[str, bytes] = {}
        self.url = ""
        self.slow = threading.Event()
        """Not set: uploads wait."""
        self.slow.set()


class _Handler(BaseHTTPRequestHandler):
    hub: ClassVar[Hub]
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        self._answer(404, {"error": "not here"})

    def do_PUT(self) -> None:
        self.hub.asked.append(f"PUT {self.path}")
        content = self._body()
        self.hub.slow.wait(60)
        oid = self.path.rpartition("/")[2]
        ok = hashlib.sha256(content).hexdigest() == oid
        self.hub.blobs[oid] = content
        self._answer(200 if ok else 400, {})

    def do_POST(self) -> None:
        self.hub.asked.append(f"POST {self.path}")
        body = self._body()
        if self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            self._answer(401, {"error": "Invalid credentials in Authorization header"})
            return
        self._answer(*self._do(body))

    def _do(self, body: bytes) -> tuple[int, Any]:
        hub = self.hub
        if self.path == "/api/repos/create":
            wanted = json.loads(body)
            name = f"{wanted.get('organization')}/{wanted['name']}"
            hub.repositories.setdefault(name, {})
            hub.private.setdefault(name, wanted.get("visibility") == "private")
            return 200, {"url": f"{hub.url}/{name}"}
        if self.path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        batch = re.fullmatch(r"/(.+)\.git/info/lfs/objects/batch", self.path)
        if batch:
            return 200, {"transfer": "basic", "objects": [*map(self._upload, _objects(body))]}
        found = re.fullmatch(r"/api/models/([^/]+/[^/]+)/([a-z-]+)/([^?]+)(\?.*)?", self.path)
        if found is None or found[1] not in hub.repositories:
            return 404, {"error": "Repository not found"}
        return 200, getattr(self, f"_{found[2].replace('-', '_')}")(found[1], body)

    def _upload(self, one: dict[str, Any]) -> dict[str, Any]:
        href = f"{self.hub.url}/lfs/{one['oid']}"
        return {**one, "actions": {"upload": {"href": href}}}

    def _branch(self, _name: str, _body: bytes) -> Any:
        return {}

    def _preupload(self, _name: str, body: bytes) -> Any:
        return {
            "files": [
                {
                    "path": one["path"],
                    "uploadMode": "lfs"
                    if one["path"].endswith(("safetensors", "gguf"))
                    else "regular",
                    "shouldIgnore": False,
                }
                for one in json.loads(body)["files"]
            ]
        }

    def _commit(self, name: str, body: bytes) -> Any:
        files = self.hub.repositories[name]
        for line in body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.hub.blobs[value["oid"]]
        oid = hashlib.sha1(body).hexdigest()
        self.hub.commits.append(name)
        return {"commitUrl": f"{self.hub.url}/{name}/commit/{oid}", "commitOid": oid}

    def _paths_info(self, name: str, body: bytes) -> Any:
        paths = parse_qs(body.decode())["paths"]
        return [
            {
                "type": "file",
                "path": path,
                "size": len(content),
                "oid": "0" * 40,
                "lfs": {
                    "oid": hashlib.sha256(content).hexdigest(),
                    "size": len(content),
                    "pointerSize": 130,
                },
            }
            for path, content in self.hub.repositories[name].items()
            if path in paths
        ]

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _objects(body: bytes) -> list[dict[str, Any]]:
    objects: list[dict[str, Any]] = json.loads(body)["objects"]
    return objects


@contextmanager
def serving_hub(token: str) -> Iterator[Hub]:
    """A running hub."""
    hub = Hub(token)
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hub
    finally:
        hub.slow.set()
        server.shutdown()
        server.server_close()
        thread.join()
