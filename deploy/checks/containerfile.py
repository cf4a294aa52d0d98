"""containerfile.py FILE: whether a Containerfile keeps a few rules, and copies what exists.

In: a Containerfile whose context is the folder two above it.
Out: each problem, a line; exit code 1 when there is one.
"""

import pathlib
import re
import sys

INSTRUCTIONS = set("ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL RUN SHELL STOPSIGNAL USER VOLUME WORKDIR".split())


def instructions(text):
    text = re.sub(r"(?m)^\s*#.*\n", "", text).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


def problems(file):
    steps = instructions(file.read_text())
    yield from (f"there is no instruction {step[0]}" for step in steps if step[0] not in INSTRUCTIONS)
    bases = [what for word, what in steps if word == "FROM"]
    stages = {base.split(" AS ")[1].strip() for base in bases if " AS " in base}
    yield from (f"{base} names no version" for base in bases if ":" not in base.split(" AS ")[0] or ":latest" in base)
    last = steps[max(index for index, step in enumerate(steps) if step[0] == "FROM"):]
    users = [what for word, what in last if word == "USER"]
    if not users or users[-1].split(":")[0] in ("0", "root"):
        yield "the last stage runs as root"
    yield from (f"{word} is missing in the last stage" for word in ("ENTRYPOINT", "HEALTHCHECK") if word not in dict(last))
    for word, what in steps:
        if word == "ADD":
            yield "ADD fetches and unpacks by itself: use COPY"
        if word == "RUN" and "apt-get install" in what and "--no-install-recommends" not in what:
            yield "apt-get install without --no-install-recommends"
        if word == "COPY":
            names = what.split()
            origin = next((name.split("=")[1] for name in names if name.startswith("--from=")), None)
            if origin and origin not in stages:
                yield f"there is no stage {origin}"
            for name in [] if origin else names[:-1]:
                if not (file.parents[2] / name).exists():
                    yield f"there is no {name} to copy"


found = list(problems(pathlib.Path(sys.argv[1]).resolve()))
print("\n".join(found) or "it keeps the rules")
sys.exit(1 if found else 0)
