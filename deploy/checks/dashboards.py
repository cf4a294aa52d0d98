"""dashboards.py SCHEMAS RULES TELEMETRY DASHBOARD…: whether Grafana would take the dashboards, and whether they show what exists.

In: the folder of Grafana's schemas, the folder of our rules, the file that declares the daemon's metrics.
Out: each problem, a line; exit code 1 when there is one.
"""

import json
import pathlib
import re
import sys

import jsonschema
import yaml

OURS = re.compile(r"\bwindlass_\w+")
RECORDED = re.compile(r"\b[a-z]\w*(?::\w+)+")
HISTOGRAM = re.compile(r"_(bucket|sum|count)$")


def metrics(telemetry):
    """The names that the daemon exposes, as declared in one file; counters get their ending."""
    text = pathlib.Path(telemetry).read_text()
    kinds = dict(re.findall(r"pub (\w+): (?:Family<\w+, )?(\w+)", text))
    names = {}
    for name, field in re.findall(r'registry\.register\(\s*"(\w+)",\s*(?:"[^"]*"|help),\s*(\w+)\.clone\(\)', text):
        names["windlass_" + name + ("_total" if kinds[field] == "Counter" else "")] = kinds[field]
    return names


def recorded(folder):
    """The names that recording rules make, and every expression of a rule, with its place."""
    names, expressions = set(), []
    for file in sorted(pathlib.Path(folder).glob("*.yml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                names |= {rule["record"]} if "record" in rule else set()
                expressions.append((f"{file.name}: {rule.get('alert') or rule['record']}", rule["expr"]))
    return names, expressions


def unknown(expression, ours, records):
    bare = re.sub(r'"[^"]*"', '""', expression)
    for name in OURS.findall(bare):
        if name not in ours and not (HISTOGRAM.search(name) and ours.get(HISTOGRAM.sub("", name)) == "Histogram"):
            yield f"the daemon has no metric {name}"
    for name in RECORDED.findall(bare):
        if name not in records:
            yield f"no rule records {name}"


class Schemas:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def problems(self, name, part, value):
        file = self.folder / f"{name}.jsonschema.json"
        if not file.exists():
            yield f"there is no schema of {name}"
            return
        schema = json.loads(file.read_text())
        if part:
            if part not in schema["definitions"]:
                return
            schema["$ref"] = f"#/definitions/{part}"
        for error in jsonschema.Draft7Validator(schema).iter_errors(value):
            place = "/".join(str(step) for step in error.absolute_path)
            yield f"{place}: {error.message[:200]}"


def look(file, schemas, ours, records):
    dashboard = json.loads(pathlib.Path(file).read_text())
    yield from schemas.problems("dashboard", None, dashboard)
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    if not panels:
        yield "it has no panel"
    ids = [panel["id"] for panel in dashboard["panels"]]
    if len(set(ids)) != len(ids):
        yield "two panels have one id"
    annotations = dashboard["annotations"]["list"]
    expressions = [(annotation["name"], annotation["expr"]) for annotation in annotations if "expr" in annotation]
    asked = [annotation["target"].get("tags") for annotation in annotations if "target" in annotation]
    if ["windlass", "$pool"] not in asked:
        yield "no annotation asks for the regions that the daemon draws: tags windlass and $pool"
    for panel in panels:
        title = panel["title"]
        for problem in schemas.problems(panel["type"], "Options", panel["options"]):
            yield f"{title}: options: {problem}"
        custom = panel["fieldConfig"]["defaults"].get("custom")
        for problem in schemas.problems(panel["type"], "FieldConfig", custom) if custom else ():
            yield f"{title}: fieldConfig: {problem}"
        for target in panel["targets"]:
            expressions.append((title, target["expr"]))
            for problem in schemas.problems("prometheus", "Dataquery", target):
                yield f"{title}: target: {problem}"
    for title, expression in expressions:
        for problem in unknown(expression, ours, records):
            yield f"{title}: {problem}"


def main(schemas, rules, telemetry, *dashboards):
    ours = metrics(telemetry)
    records, expressions = recorded(rules)
    problems = [f"{place}: {problem}" for place, expression in expressions for problem in unknown(expression, ours, records)]
    for file in dashboards:
        problems += [f"{pathlib.Path(file).name}: {problem}" for problem in look(file, Schemas(schemas), ours, records)]
    if len(ours) < 10 or not dashboards:
        problems.append(f"{len(ours)} metrics and {len(dashboards)} dashboards were found: too few to believe")
    print("\n".join(problems) or f"{len(dashboards)} dashboards and {len(expressions)} rules show what exists")
    return 1 if problems else 0


sys.exit(main(*sys.argv[1:]))
