#!/usr/bin/env python3
"""notifications HOST PORT WORKERS MILLISECONDS: stands in for your application.

Answers GET /notifications after MILLISECONDS, at most WORKERS at a time, so one node carries
WORKERS * 1000 / MILLISECONDS requests a second and is slow beyond that. /metrics has the counter and the histogram
that the reference policy reads. /healthz says 200 from the moment that requests can be answered until the process is
asked to end; then 503, while what has begun is finished.
"""

import asyncio
import signal
import sys
import time

BUCKETS = (0.025, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0)
PATH = "/notifications"
LONGEST_END_SECONDS = 30


class Metrics:
    """How many requests were answered, and how long each took, waiting included."""

    def __init__(self):
        self.counts = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0

    def record(self, seconds):
        slot = next((index for index, bound in enumerate(BUCKETS) if seconds <= bound), len(BUCKETS))
        self.counts[slot] += 1
        self.seconds += seconds

    def text(self):
        total, cumulated = sum(self.counts), 0
        lines = [
            "# TYPE http_requests_total counter",
            f'http_requests_total{{path="{PATH}",code="200"}} {total}',
            "# TYPE http_request_duration_seconds histogram",
        ]
        for bound, count in zip((*BUCKETS, "+Inf"), self.counts):
            cumulated += count
            lines.append(f'http_request_duration_seconds_bucket{{path="{PATH}",le="{bound}"}} {cumulated}')
        lines.append(f'http_request_duration_seconds_sum{{path="{PATH}"}} {self.seconds}')
        lines.append(f'http_request_duration_seconds_count{{path="{PATH}"}} {total}')
        return "\n".join(lines) + "\n"


class Application:
    def __init__(self, workers, seconds):
        self.workers = asyncio.Semaphore(workers)
        self.seconds = seconds
        self.metrics = Metrics()
        self.ready = False
        self.under_way = 0

    async def answer(self, path):
        if path == PATH:
            began = time.perf_counter()
            async with self.workers:
                await asyncio.sleep(self.seconds)
            self.metrics.record(time.perf_counter() - began)
            return "200 OK", "application/json", '{"notifications":[]}\n'
        if path == "/metrics":
            return "200 OK", "text/plain; version=0.0.4", self.metrics.text()
        if path == "/healthz":
            return ("200 OK", "text/plain", "ready\n") if self.ready else \
                ("503 Service Unavailable", "text/plain", "not ready\n")
        return "404 Not Found", "text/plain", "no such page\n"

    async def serve(self, reader, writer):
        """One connection: requests without a body, one after the other."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.under_way += 1
                try:
                    _method, target, _version = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
                    status, kind, body = await self.answer(target.split("?")[0])
                    headers = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\nCache-Control: no-store\r\n"
                    writer.write(f"HTTP/1.1 {status}\r\n{headers}\r\n{body}".encode())
                    await writer.drain()
                finally:
                    self.under_way -= 1
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
            pass  # The other side went away, or doesn't speak HTTP.
        finally:
            writer.close()


async def main(host, port, workers, milliseconds):
    application = Application(int(workers), float(milliseconds) / 1000)
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    await asyncio.start_server(application.serve, host, int(port), backlog=1024)
    # Here an application connects to its database and fills its caches, before it calls itself ready.
    application.ready = True
    await end.wait()
    application.ready = False
    deadline = time.monotonic() + LONGEST_END_SECONDS
    while application.under_way and time.monotonic() < deadline:
        await asyncio.sleep(0.05)


asyncio.run(main(*sys.argv[1:]))
