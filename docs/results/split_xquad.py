#!/usr/bin/env python3
"""Splits a SQuAD 1.1 file by article: split_xquad.py FILE.json.gz DIRECTORY

The first two thirds of the articles become train.json, the rest dev.json and test.json by halves.
"""

import gzip
import json
import os
import sys


def main(source, directory):
    with gzip.open(source, "rt", encoding="utf-8") as file:
        squad = json.load(file)
    articles = squad["data"]
    first, second = len(articles) * 2 // 3, len(articles) * 5 // 6
    os.makedirs(directory, exist_ok=True)
    for name, part in (
        ("train", articles[:first]),
        ("dev", articles[first:second]),
        ("test", articles[second:]),
    ):
        path = os.path.join(directory, name + ".json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"version": squad.get("version", "1.1"), "data": part}, file)
        questions = sum(len(p["qas"]) for article in part for p in article["paragraphs"])
        print(f"{path}: {len(part)} articles, {questions} questions")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
