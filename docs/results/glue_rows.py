#!/usr/bin/env python3
"""Rows of results.jsonl from what a command of glue.sh printed.

COMMAND is the whole line that ran, its environment included, such as
"THREADS=1 docs/results/glue.sh prune mr cofi-5x 3"; OUT and ERR are its output and its progress.
--place says on what it ran, and beside what. --system OLD=NEW gives a system another name in the
table than in the command. --commit is that of this checkout, unless given. Rows go behind those of
the same system with smaller seeds; what is there already is an error, and nothing is written.
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
EXPERIMENT = "glue-small"
NOT_SCORES = ("split", "examples", "standardError", "predictions", "selection")
BATCH = re.compile(r"speedupBatch(\d+)$")


def objects(text):
    """The JSON objects among other lines."""
    decoder, found, at = json.JSONDecoder(), [], text.find("{")
    while at >= 0:
        try:
            value, at = decoder.raw_decode(text, at)
            found.append(value)
        except json.JSONDecodeError:
            at += 1
        at = text.find("{", at)
    return found


def minutes(progress):
    """What the finished progress lines took in all."""
    seconds = 0
    for time in re.findall(r"100%.*?([\d:]+) in all", progress):
        part = 0
        for digits in time.split(":"):
            part = part * 60 + int(digits)
        seconds += part
    return round(seconds / 60, 6)


def scores(split, found, note):
    for metric, value in found.items():
        if metric not in NOT_SCORES and isinstance(value, (int, float)):
            yield split, metric, round(value, 6), note


def pruned(facts):
    """(split, metric, value, note) of prune's own object."""
    if "zeroWeights" in facts:
        yield "test", "encoder-parameters", facts["prunableParameters"], "as stored, zeros included"
        yield (
            "test",
            "zero-weights",
            round(facts["zeroWeights"], 6),
            "zeros among the kernels of attention and feed-forward layers",
        )
    else:
        yield (
            "test",
            "encoder-parameters",
            facts["prunableParameters"],
            "kernels and biases of attention and feed-forward layers, by the plan",
        )
        yield "test", "sparsity", round(facts["sparsity"], 6), "removed / prunable parameters"
    yield from scores("dev", facts["valid"], "best checkpoint, by which it was chosen")
    if "asked" in facts:
        note = "pruning.target.speedup"
        note += ", by a table that was given" if facts.get("latencyTables") else ""
        yield "test", "speedup-asked", facts["asked"], note


def trained(found, progress, place):
    """Of dense and prune: the object of the test file is the last one."""
    test = found[-1]
    note = f"{test['examples']} examples"
    if "standardError" in test:
        note += f", standard error {test['standardError']:.4f}"
    yield from scores("test", test, note)
    if len(found) > 1:
        yield from pruned(found[0])
    yield "test", "training-minutes", minutes(progress), place


def timed(model, place):
    """Of one model of a latency command."""
    for key, value in model.items():
        match = BATCH.match(key)
        if match:
            times = f"{model['fullMsBatch' + match[1]]:.1f} against "
            times += f"{model['slimMsBatch' + match[1]]:.1f} ms"
            interval = f"{model[key + 'Low']:.2f} to {model[key + 'High']:.2f}"
            yield (
                "test",
                "speedup-batch" + match[1],
                round(value, 6),
                f"SavedModel, length 128, {times}, 95 % interval {interval}; {place}",
            )


def findings(given):
    """(system, dataset, seed, findings) of each system that the command speaks of."""
    words = shlex.split(given.command)
    words = words[next(i for i, part in enumerate(words) if part.endswith("glue.sh")) + 1 :]
    with open(given.out, encoding="utf-8") as file:
        found = objects(file.read())
    if not found:
        sys.exit(f"{given.out}: no JSON object; the command failed, or ran without --json")
    if words[0] == "latency":
        task, seed = words[1], words[2]
        for model, system in zip(found[-1]["models"], words[3:], strict=True):
            name = f"{task}-{system}-{seed}"
            if name not in model["path"]:
                sys.exit(f"{given.out}: {model['path']} stands where {name} was expected")
            yield system, task, int(seed), timed(model, given.place)
        return
    if words[0] == "structure":
        # before its fine-tuning a model has no accuracy that is worth a row
        shape = (finding for finding in pruned(found[-1]) if finding[0] == "test")
        yield words[2], words[1], int(words[-1]), shape
        return
    if given.err is None:
        sys.exit("ERR is missing: training-minutes come from the progress lines")
    with open(given.err, encoding="utf-8") as file:
        progress = file.read()
    system = words[0] if words[0] == "dense" else words[2]
    yield system, words[1], int(words[-1]), trained(found, progress, given.place)


def insert(lines, rows):
    """Behind the rows of the same system with smaller or equal seeds, else behind its dataset's."""
    there = [json.loads(line) for line in lines]

    def same(one, other, *keys):
        return all(one[key] == other[key] for key in keys)

    system = ("experiment", "system", "dataset")
    for row in rows:
        if any(same(row, old, *system, "seed", "metric", "split") for old in there):
            sys.exit("already there: " + json.dumps(row))
    of_system = [i for i, old in enumerate(there) if same(old, rows[0], *system)]
    older = [i for i in of_system if there[i]["seed"] <= rows[0]["seed"]]
    of_dataset = [i for i, old in enumerate(there) if same(old, rows[0], "experiment", "dataset")]
    if older:
        at = older[-1] + 1
    elif of_system:
        at = of_system[0]
    else:
        at = of_dataset[-1] + 1 if of_dataset else len(lines)
    lines[at:at] = [json.dumps(row) for row in rows]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--system", action="append", default=[], metavar="OLD=NEW")
    parser.add_argument("--commit")
    parser.add_argument("--rows", default=os.path.join(HERE, "results.jsonl"))
    parser.add_argument("--place", required=True)
    parser.add_argument("command")
    parser.add_argument("out")
    parser.add_argument("err", nargs="?")
    given = parser.parse_args()
    commit = given.commit or subprocess.check_output(
        ["git", "-C", HERE, "rev-parse", "--short", "HEAD"], text=True
    ).strip()
    names = dict(name.split("=") for name in given.system)
    with open(given.rows, encoding="utf-8") as file:
        lines = file.read().splitlines()
    for system, dataset, seed, found in findings(given):
        rows = [
            {
                "experiment": EXPERIMENT,
                "system": names.get(system, system),
                "dataset": dataset,
                "split": split,
                "memory": "none",
                "metric": metric,
                "value": value,
                "seed": seed,
                "command": given.command,
                "commit": commit,
                "seconds": None,
                "note": note,
            }
            for split, metric, value, note in found
        ]
        insert(lines, rows)
        for row in rows:
            print(f"{row['system']} {dataset} {seed} {row['split']} {row['metric']} {row['value']}")
    staged = given.rows + ".new"
    with open(staged, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    os.replace(staged, given.rows)


if __name__ == "__main__":
    main()
