"""terraform_names.py LIST FOLDER: whether every resource and argument is one that the provider knows.

In: the provider's names (linode-resources.json), a folder of *.tf files.
Out: each problem, a line; exit code 1 when there is one. Says nothing about types, or rules across fields.
"""

import json
import pathlib
import re
import sys

import hcl2

# Arguments of Terraform itself, in any resource or nested block.
META = {"dynamic", "provisioner", "connection"}
REFERENCE = re.compile(r"\b(?:data\.)?(linode_\w+)\.(\w+)|\bvar\.(\w+)|\blocal\.(\w+)|\bmodule\.(\w+)")


def plain(name):
    return name.strip('"')


def blocks(value):
    """A nested block, once or several times."""
    return value if isinstance(value, list) else [value]


def look(where, body, known, meta, problems):
    """Compares a body with `known`: name -> {required, block}."""
    given = {plain(name) for name in body if not name.startswith("__")} - meta - META
    for dynamic in blocks(body.get("dynamic", [])):
        for name, block in dynamic.items():
            if name.startswith("__"):
                continue
            given.add(plain(name))
            look_nested(where, plain(name), blocks(block["content"]), known, problems)
    for name in sorted(given):
        if name not in known:
            problems.append(f"{where}: the provider knows no {name}")
        elif known[name].get("deprecated"):
            problems.append(f"{where}: {name} is deprecated")
        elif "block" in known[name] and name in body:
            look_nested(where, name, blocks(body[name]), known, problems)
    for name, argument in known.items():
        if argument.get("required") and name not in given:
            problems.append(f"{where}: {name} is missing")


def look_nested(where, name, bodies, known, problems):
    if name not in known or "block" not in known[name]:
        problems.append(f"{where}: the provider knows no block {name}")
        return
    for body in bodies:
        if isinstance(body, dict):
            look(f"{where}.{name}", body, known[name]["block"], {"for_each", "content", "iterator"}, problems)


def main(names, folder):
    provider = json.loads(pathlib.Path(names).read_text())
    problems, seen = [], 0
    declared = {"resource": set(), "variable": set(), "local": set(), "module": set()}
    texts = {}
    for file in sorted(pathlib.Path(folder).glob("*.tf")):
        text = texts[file.name] = file.read_text()
        document = hcl2.loads(text)
        for resource in document.get("resource", []):
            for kind, named in resource.items():
                for name, body in named.items():
                    kind, name = plain(kind), plain(name)
                    declared["resource"].add((kind, name))
                    where = f"{file.name}: {kind}.{name}"
                    seen += 1
                    if kind not in provider["resources"]:
                        problems.append(f"{where}: the provider knows no such resource")
                        continue
                    look(where, body, provider["resources"][kind]["arguments"], set(provider["meta_arguments"]), problems)
        declared["variable"] |= {plain(name) for variable in document.get("variable", []) for name in variable}
        declared["module"] |= {plain(name) for module in document.get("module", []) for name in module}
        declared["local"] |= {plain(name) for group in document.get("locals", []) for name in group if not name.startswith("__")}
    for file, text in texts.items():
        code = re.sub(r'(?m)#.*$', "", text)
        for kind, name, variable, local, module in REFERENCE.findall(code):
            if kind and (kind, name) not in declared["resource"] and not f'"{kind}"' == name:
                problems.append(f"{file}: nothing declares {kind}.{name}")
            for word, what in ((variable, "variable"), (local, "local"), (module, "module")):
                if word and word not in declared[what]:
                    problems.append(f"{file}: nothing declares the {what} {word}")
    if not seen:
        problems.append(f"{folder}: no resource was found")
    print("\n".join(sorted(set(problems))) or f"{seen} resources: every name is known")
    return 1 if problems else 0


sys.exit(main(*sys.argv[1:]))
