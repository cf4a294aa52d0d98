"""notifications.py HOST PORT SLOTS MILLISECONDS: the lab's application.

Answers GET /notifications after MILLISECONDS, at most SLOTS at a time; the rest wait their turn. So a node carries
SLOTS * 1000 / MILLISECONDS requests a second, and beyond that its latency grows. It sleeps instead of computing: many
nodes fit on a small machine. Also answers /healthz, and /metrics with a request counter and a latency histogram.
"""

import asyncio
import os
import sys
import time

BUCKETS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0)
PATH = "/notifications"
NAME = os.uname().nodename


class Metrics:
    def __init__(self):
        self.counts = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0

    def record(self, seconds):
        self.counts[next((i for i, bound in enumerate(BUCKETS) if seconds <= bound), len(BUCKETS))] += 1
        self.seconds += seconds

    def text(self):
        total = sum(self.counts)
        lines = [
            "# TYPE http_requests_total counter",
            f'http_requests_total{{path="{PATH}",code="200"}} {total}',
            "# TYPE http_request_duration_seconds histogram",
        ]
        cumulated = 0
        for bound, count in zip((*BUCKETS, "+Inf"), self.counts):
            cumulated += count
            lines.append(f'http_request_duration_seconds_bucket{{path="{PATH}",le="{bound}"}} {cumulated}')
        lines.append(f'http_request_duration_seconds_sum{{path="{PATH}"}} {self.seconds}')
        lines.append(f'http_request_duration_seconds_count{{path="{PATH}"}} {total}')
        return "\n".join(lines) + "\n"


class Application:
    def __init__(self, slots, service_seconds):
        self.slots = asyncio.Semaphore(slots)
        self.service_seconds = service_seconds
        self.metrics = Metrics()

    async def answer(self, path):
        if path == PATH:
            began = time.perf_counter()
            async with self.slots:
                await asyncio.sleep(self.service_seconds)
            self.metrics.record(time.perf_counter() - began)
            return "200 OK", "application/json", f'{{"notifications":[],"node":"{NAME}"}}\n'
        if path == "/metrics":
            return "200 OK", "text/plain; version=0.0.4", self.metrics.text()
        if path == "/healthz":
            return "200 OK", "text/plain", "ok\n"
        return "404 Not Found", "text/plain", "no such page\n"

    async def serve(self, reader, writer):
        """One connection: requests without a body, one after the other."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                _method, target, _version = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
                status, kind, body = await self.answer(target.split("?")[0])
                writer.write(
                    f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
            pass  # The other side went away, or doesn't speak HTTP.
        finally:
            writer.close()


async def main(host, port, slots, milliseconds):
    application = Application(int(slots), float(milliseconds) / 1000)
    server = await asyncio.start_server(application.serve, host, int(port), backlog=1024)
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
