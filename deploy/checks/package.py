"""package.py CARGO.TOML: whether everything that the Debian package takes along exists.

In: the manifest. Out: each problem, a line; exit code 1 when there is one.
Never: builds. Programs are built later, so assets below target/ are not looked for.
"""

import pathlib
import subprocess
import sys
import tomllib


def problems(manifest):
    root = manifest.parent
    deb = tomllib.loads(manifest.read_text())["package"]["metadata"]["deb"]
    for source, target, mode in deb["assets"]:
        if not source.startswith("target/") and not list(root.glob(source)):
            yield f"there is no {source} to install as {target}"
        if mode not in ("644", "755"):
            yield f"{source}: mode {mode}"
    units = deb["systemd-units"]
    unit = root / units["unit-scripts"] / f"{units['unit-name']}.service"
    if not unit.exists():
        yield f"there is no unit {unit}"
    elif not any(f"ExecStart=/{target}" in unit.read_text() or f"ExecStart=/{target}{pathlib.Path(source).name} " in unit.read_text()
                 for source, target, _ in deb["assets"]):
        yield "the unit starts a program that the package does not bring"
    scripts = sorted((root / deb["maintainer-scripts"]).iterdir())
    for script in scripts:
        if script.name not in ("preinst", "postinst", "prerm", "postrm"):
            yield f"dpkg calls no script {script.name}"
        said = subprocess.run(["sh", "-n", script], capture_output=True, text=True)
        if said.returncode:
            yield said.stderr.strip()
        if "#DEBHELPER#" not in script.read_text():
            yield f"{script.name} has no #DEBHELPER#, where the unit's own steps go"


found = list(problems(pathlib.Path(sys.argv[1]).absolute()))
print("\n".join(found) or "everything is there")
sys.exit(1 if found else 0)
