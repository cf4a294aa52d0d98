"""probe.py URL SECONDS: calls again and again, on a new connection each time, and says what a caller noticed.

In: a URL, whose certificate is not looked at, and for how long.
Out: a line of JSON; exit code 1 when any request failed.
"""

import http.client
import json
import ssl
import sys
import time
import urllib.parse

EVERY_SECONDS = 0.02
PATIENCE_SECONDS = 1


def call(url, context):
    connection = http.client.HTTPSConnection(url.hostname, url.port or 443, timeout=PATIENCE_SECONDS, context=context)
    try:
        connection.request("GET", url.path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main(url, seconds):
    url, context = urllib.parse.urlsplit(url), ssl._create_unverified_context()
    ends = time.monotonic() + float(seconds)
    answered, failed, last_failed, gap, last_good = 0, 0, 0, 0.0, time.monotonic()
    while (now := time.monotonic()) < ends:
        good = call(url, context)
        if good:
            answered += 1
            gap, last_good = max(gap, time.monotonic() - last_good), time.monotonic()
        else:
            failed += 1
            last_failed += ends - now < 1
        time.sleep(EVERY_SECONDS)
    gap = max(gap, time.monotonic() - last_good)
    print(json.dumps({"answered": answered, "failed": failed, "longest_gap_seconds": round(gap, 2), "last_second_failed": last_failed}))
    return 1 if failed else 0


sys.exit(main(*sys.argv[1:]))
