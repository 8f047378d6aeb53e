"""`/healthz` and `/metrics` over HTTP, served by threads, so that a loop that stands still can be told of."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bot.failures import FailedError

PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"


@contextmanager
def health_server(
    host: str, port: int, *, troubles: Callable[[], Sequence[str]], page: Callable[[], bytes]
) -> Iterator[int]:
    """Serve until the end of the block; gives the port. Raises FailedError where it cannot be bound."""

    class Handler(BaseHTTPRequestHandler):
        """Two pages; the rest is 404."""

        timeout = 5.0
        server_version = "liqwatch"
        sys_version = ""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                self._answer(200, PROMETHEUS_TEXT, page())
            elif path == "/healthz":
                wrong = list(troubles())
                body = json.dumps({"status": "bad" if wrong else "ok", "troubles": wrong}).encode()
                self._answer(503 if wrong else 200, "application/json", body)
            else:
                self._answer(404, "text/plain; charset=utf-8", b"there are /healthz and /metrics\n")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
            """Scrapes are no news."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        # A restart finds the port free at once; two bots still cannot share it.
        allow_reuse_address = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Whoever asked hung up: no news either."""

    try:
        server = Server((host, port), Handler)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FailedError(f"METRICS_PORT {port} on {host} cannot be served: {reason}") from error
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, name="health", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
