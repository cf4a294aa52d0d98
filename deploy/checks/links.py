"""links.py FILE…: whether every link of a page to another one, and to a heading of it, leads somewhere.

In: Markdown files. Out: each broken link, a line; exit code 1 when there is one.
Links to other hosts are not followed.
"""

import pathlib
import re
import sys


def anchors(file):
    """The headings as GitHub names them: small letters, no punctuation, hyphens for spaces."""
    headings = re.findall(r"(?m)^#+ (.+)$", re.sub(r"(?ms)^```.*?^```", "", file.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(file):
    text = re.sub(r"(?ms)^```.*?^```", "", file.read_text())
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (file.parent / name) if name else file
        if not target.exists():
            yield f"{file}: {link}: there is no such file"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            yield f"{file}: {link}: there is no such heading"


files = [pathlib.Path(name) for name in sys.argv[1:]]
problems = [problem for file in files for problem in broken(file)]
print("\n".join(problems) or f"{len(files)} pages: every link leads somewhere")
sys.exit(1 if problems or not files else 0)
