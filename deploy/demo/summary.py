"""summary.py: what the demo came to, in words and a small picture.

In: what watch.py saw, the load generator's report, the price of an hour, what the daemon learned of phases, and its own needs.
Out: text on stdout; 0 when the demo showed what it promises, 1 when not.
Never: asks anybody anything.
"""

import math
from datetime import datetime, timezone

HOUR = 3600
WIDTH = 72  # columns of the picture


def moment(text):
    """Seconds since 1970 of an RFC 3339 time in UTC, whatever the number of its decimals."""
    whole, _, decimals = text.removesuffix("Z").partition(".")
    seconds = datetime.fromisoformat(whole).replace(tzinfo=timezone.utc).timestamp()
    return seconds + float(f"0.{decimals or 0}")


def show(demo, load, hourly, learned, daemon):
    print("\n" + "=" * 100)
    requests(load)
    picture(demo)
    money(demo, hourly)
    print("\nThe decisions that changed the count, and why")
    for record in sorted(demo.decisions.values(), key=lambda record: record["at"]):
        decision = record["decision"]
        at = demo.clock(moment(record["at"]))
        print(f"  {at:>5}  {decision['from']} -> {decision['to']}  {record['sentences'][0]}")
        for sentence in record["sentences"][1:]:
            print(f"                 {sentence}")
    phases(demo, learned, load)
    resident, look = daemon
    print(f"\nWindlass itself (debug build): {resident:.0f} MB resident, {look * 1000:.0f} ms for a look at everything")
    return verdict(demo, load)


def requests(load):
    print(f"Requests: {load['sent']} sent, {load['ok']} answered, {load['failed']} failed")
    for failure in load["failures"][:10]:
        print(f"  failed at {failure['balancer']}: {failure['what']}")
    for balancer, tally in load["balancers"].items():
        print(f"  through {balancer}: {tally['ok']} answered, {tally['failed']} failed")
    print(f"  half within {load['p50_seconds']:.2f} s, 95 % within {load['p95_seconds']:.2f} s, "
          f"99 % within {load['p99_seconds']:.2f} s, all within {load['longest_seconds']:.2f} s")


def picture(demo):
    """Nodes over time: '#' serving, '+' on their way, and the load below."""
    samples = demo.samples
    begin, end = samples[0]["at"], samples[-1]["at"]
    width = (end - begin) / WIDTH or 1
    columns = [[] for _ in range(WIDTH)]
    for sample in samples:
        columns[min(WIDTH - 1, int((sample["at"] - begin) / width))].append(sample)
    for index, column in enumerate(columns):
        if not column:
            columns[index] = columns[index - 1]
    serving = [max(sample["serving"] for sample in column) for column in columns]
    coming = [max(sample["serving"] + sample["on_the_way"] for sample in column) for column in columns]
    rates = [max(sample["load"].get("rate") or 0 for sample in column) for column in columns]
    print("\nNodes over time (# serving, + on their way) and requests per second")
    for level in range(max(coming), 0, -1):
        row = "".join("#" if level <= s else "+" if level <= c else " " for s, c in zip(serving, coming))
        print(f"  {level:3} |{row}")
    bars = " ▁▂▃▄▅▆▇█"
    top = max(rates) or 1
    print(f"{top:5.0f} |{''.join(bars[math.ceil(rate / top * 8)] for rate in rates)}")
    print(f"  /s  +{'-' * WIDTH}\n      {demo.clock(begin):<{WIDTH - 4}}{demo.clock(end)}")


def money(demo, hourly):
    lives = [node["last"] - moment(node["created"]) for node in demo.nodes.values() if node.get("created")]
    hours = sum(lives) / HOUR
    billed = sum(max(1, math.ceil(life / HOUR)) for life in lives)
    most = max(sample["serving"] + sample["on_the_way"] for sample in demo.samples)
    print(f"\nCost: {len(lives)} instances, {hours:.2f} node-hours used; Linode bills every started hour: "
          f"{billed} hours at ${hourly}, ${billed * hourly:.4f}")
    print(f"  (a real policy lets a surplus node serve on until its paid hour ends; {most} nodes all the time would be "
          f"${most * hourly * 24:.2f} a day)")


def phases(demo, learned, load):
    """From the surge to the first request that a new node served, by phase."""
    print("\nThe phases of a node's life (median of all nodes)")
    for phase in learned:
        print(f"  {phase['phase']:<10} {phase['median_seconds']:5.1f} s")
    rates = [(sample["at"], sample["load"]["rate"]) for sample in demo.samples if "rate" in sample["load"]]
    surge = next((at for at, rate in rates if rates[0][1] * 1.5 < rate), None)
    if surge is None:
        return
    decided = [moment(record["at"]) for record in demo.decisions.values()
               if surge < moment(record["at"]) and record["decision"]["from"] < record["decision"]["to"]]
    answers = [node["first_answer_at"] for node in load["nodes"].values() if surge < node["first_answer_at"]]
    if decided and answers:
        print(f"  surge to decision {min(decided) - surge:.1f} s, surge to a new node's first answer "
              f"{min(answers) - surge:.1f} s")


def verdict(demo, load):
    counts = [sample["serving"] for sample in demo.samples]
    peak = counts.index(max(counts))
    grew = counts[peak] > min(counts[:peak], default=counts[peak])
    shrank = counts[-1] < counts[peak]
    both = all(tally["ok"] for tally in load["balancers"].values()) and len(load["balancers"]) == 2
    if grew and shrank and both and load["failed"] == 0:
        print("\nIt scaled out and in on both balancers, and no request failed.")
        return 0
    print(f"\nNot as promised: grew {grew}, shrank {shrank}, both balancers served {both}, failed {load['failed']}")
    return 1
