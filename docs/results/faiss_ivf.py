"""FAISS beside `lathe benchmark search`, on the same keys. Nothing in the build needs this file.

    pip install faiss-cpu numpy     # or Debian's python3-faiss, whose build has no AVX2
    lathe benchmark search --keys 1000000 --threads 2 --write DIR
    python3 docs/results/faiss_ivf.py DIR 128 --threads 2

Both cluster alike (10 rounds of k-means on at most 64 keys a list, squared distances), take the
fewest probes of one row that reach the recall on the first 1,024 queries, answer all queries once
without timing, and then time passes over all of them at once; the median counts. They cannot share
a process, so run them one after the other, more than once, on an idle machine.
"""
import argparse
import json
import os
import statistics
import time

PROBES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
RECALL_QUERIES = 1024

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("directory", help="with keys.bin and queries.bin")
parser.add_argument("width", type=int, help="numbers of a key")
parser.add_argument("--lists", type=int, default=0, help="0 = the square root of the keys")
parser.add_argument("--neighbors", type=int, default=10)
parser.add_argument("--recall", type=float, default=0.95)
parser.add_argument("--threads", type=int, default=0, help="0 = all cores")
parser.add_argument("--repeats", type=int, default=5, help="timed passes")
parser.add_argument("--json", action="store_true", help="print one object")
options = parser.parse_args()
threads = options.threads or os.cpu_count()
# FAISS's own loops and the library of its matrix products; the second reads this when it is loaded
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(threads)

import faiss  # noqa: E402
import numpy  # noqa: E402

faiss.omp_set_num_threads(threads)


def rows(name):
    path = os.path.join(options.directory, name)
    return numpy.fromfile(path, "<f4").reshape(-1, options.width)


def seconds(index, queries):
    """Of the clock and of all cores together."""
    begin, used = time.perf_counter(), time.process_time()
    index.search(queries, options.neighbors)
    return time.perf_counter() - begin, time.process_time() - used


keys, queries = rows("keys.bin"), rows("queries.bin")
some = queries[:RECALL_QUERIES]
exact = faiss.IndexFlatL2(options.width)
exact.add(keys)
expected = exact.search(some, options.neighbors)[1]

lists = options.lists or max(1, round(len(keys) ** 0.5))
begin = time.perf_counter()
index = faiss.IndexIVFFlat(faiss.IndexFlatL2(options.width), options.width, lists)
index.cp.niter, index.cp.max_points_per_centroid = 10, 64
index.train(keys)
index.add(keys)
build = time.perf_counter() - begin

for probes in PROBES:
    index.nprobe = probes
    found = index.search(some, options.neighbors)[1]
    hits = sum(len(numpy.intersect1d(a, b)) for a, b in zip(found, expected))
    recall = hits / expected.size
    if recall >= options.recall:
        break
else:
    raise SystemExit(f"no number of probes up to {PROBES[-1]} reaches a recall of {options.recall}")

index.search(queries, options.neighbors)
passes = []
exact_passes = []
for _ in range(options.repeats):
    exact_passes.append(seconds(exact, some)[0])
    passes.append(seconds(index, queries))
rate = len(queries) / statistics.median(wall for wall, _ in passes)
exact_rate = len(some) / statistics.median(exact_passes)
core_seconds = statistics.median(core for _, core in passes)
if options.json:
    facts = {
        "numKeys": len(keys),
        "width": options.width,
        "neighbors": options.neighbors,
        "numLists": lists,
        "numProbes": probes,
        "recall": recall,
        "queriesPerSecond": rate,
        "exactQueriesPerSecond": exact_rate,
        "ratio": rate / exact_rate,
        "coreSeconds": core_seconds,
        "passSeconds": [wall for wall, _ in passes],
        "buildMs": build * 1e3,
        # keys, their item numbers of 8 bytes, centroids
        "indexBytes": keys.nbytes + 8 * len(keys) + 4 * lists * options.width,
        "threads": threads,
        "faiss": faiss.__version__,
        "compileOptions": faiss.get_compile_options().strip(),
    }
    print(json.dumps(facts))
else:
    print("FAISS", faiss.__version__, faiss.get_compile_options().strip(), threads, "threads")
    print(f"{len(keys)} keys, {probes} of {lists} lists, recall {recall:.4f}, build {build:.1f} s")
    print(f"queries a second {rate:.0f}, exact {exact_rate:.0f}, ratio {rate / exact_rate:.1f}")
    print(f"core seconds for {len(queries)} queries {core_seconds:.2f}")
