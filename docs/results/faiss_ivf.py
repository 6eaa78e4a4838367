"""FAISS beside `lathe benchmark search`, on the same keys. Nothing in the build needs this file.

    pip install faiss-cpu numpy     # or Debian's python3-faiss, whose build has no AVX2
    lathe benchmark search --keys 1000000 --lists 1024 --threads 2 --write DIR
    python3 docs/results/faiss_ivf.py DIR 128 --lists 1024

Prints the fewest probes that reach the recall and the median of five passes over all queries.
"""
import argparse
import os
import time

import faiss
import numpy

parser = argparse.ArgumentParser()
parser.add_argument("directory")
parser.add_argument("width", type=int)
parser.add_argument("--lists", type=int, default=1024)
parser.add_argument("--neighbors", type=int, default=10)
parser.add_argument("--recall", type=float, default=0.95)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()


def rows(name):
    path = os.path.join(options.directory, name)
    return numpy.fromfile(path, "<f4").reshape(-1, options.width)


faiss.omp_set_num_threads(options.threads)
keys, queries = rows("keys.bin"), rows("queries.bin")
exact = faiss.IndexFlatL2(options.width)
exact.add(keys)
expected = exact.search(queries[:1024], options.neighbors)[1]

begin = time.time()
index = faiss.IndexIVFFlat(faiss.IndexFlatL2(options.width), options.width, options.lists)
index.cp.niter, index.cp.max_points_per_centroid = 10, 64
index.train(keys)
index.add(keys)
build = time.time() - begin

for probes in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256):
    index.nprobe = probes
    found = index.search(queries[:1024], options.neighbors)[1]
    hits = sum(len(numpy.intersect1d(a, b)) for a, b in zip(found, expected))
    recall = hits / expected.size
    if recall >= options.recall:
        break
seconds, cpu = [], []
for _ in range(5):
    begin, used = time.time(), time.process_time()
    index.search(queries, options.neighbors)
    seconds.append(time.time() - begin)
    cpu.append(time.process_time() - used)
print("FAISS", faiss.__version__, faiss.get_compile_options().strip())
print(f"probes {probes} recall {recall:.4f} build {build:.1f} s")
print(f"queries a second {len(queries) / numpy.median(seconds):.0f}")
print(f"core seconds for {len(queries)} queries {numpy.median(cpu):.2f}")
