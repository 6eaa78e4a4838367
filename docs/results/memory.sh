#!/bin/sh
# The language model results of docs/results.md: what each row's command stands for.
#
#   CORPORA=DIR docs/results/memory.sh prepare
#   docs/results/memory.sh train trime-long       one model of the WikiText-2 experiment
#   docs/results/memory.sh recent transformer-xl  its test perplexity with what it has just read
#   docs/results/memory.sh store trime-long       its datastore of the training text
#   docs/results/memory.sh external trime-long    its test perplexity with every memory
#   docs/results/memory.sh domain trime-long sotu another domain, with and without a store of it
#   docs/results/memory.sh seeds trime-long 2     the small corpus
#   docs/results/memory.sh bytes trime-long       bits per byte
#
# CORPORA holds wikitext-2/{train,valid,test}.tokens.gz and, for other domains, sotu, pydocs and
# reviews with {train,valid,test}.txt.gz. No row comes from `domain` and `bytes` yet. Everything is written below the working directory.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
lathe=$here/../../lathe
neighbors="--set evaluation.neighbors=256 --set evaluation.probes=32"

# The objective and the memory are all that differs between systems.
settings() {
  case $1 in
    vanilla) ;;
    trime-local) echo "--set memory.objective=local" ;;
    trime-long) echo "--set memory.objective=consecutive" ;;
    trime-long-4) echo "--set memory.objective=consecutive --set memory.segmentsPerGroup=4" ;;
    trime-ext) echo "--set memory.objective=external --set memory.dropLocal=0.9" ;;
    transformer-xl) echo "--set recurrence.memoryLength=128 --set recurrence.clampLength=255 --set recurrence.testMemoryLength=384" ;;
    compressive) echo "--set recurrence.memoryLength=128 --set recurrence.compression=convolution --set recurrence.rate=4 --set recurrence.compressedLength=64" ;;
    *) echo "memory.sh: unknown system '$1'" >&2; exit 2 ;;
  esac
}

recent() {
  case $1 in vanilla) echo none,cache,long ;; *) echo none,local,long ;; esac
}

case ${1:-} in
  prepare)
    ln -sfn "$CORPORA" corpora
    "$lathe" prepare "$here/wikitext2.yaml" --out data/wikitext2
    "$lathe" prepare "$here/wikitext2-bytes.yaml" --out data/wikitext2-bytes
    "$lathe" prepare "$here/sotu.yaml" --out data/sotu-8k
    for domain in pydocs sotu reviews; do
      "$lathe" prepare "$here/domain.yaml" --out "data/$domain" \
        --set "data.sources=[corpora/$domain/train.txt.gz]" \
        --set "data.validSources=[corpora/$domain/valid.txt.gz]" \
        --set "data.testSources=[corpora/$domain/test.txt.gz]"
    done
    ;;
  train)
    # shellcheck disable=SC2046 # settings are words
    "$lathe" train "$here/wikitext2.yaml" --run "runs/$2" $(settings "$2")
    ;;
  recent)
    "$lathe" evaluate "runs/$2" --split test --memory "$(recent "$2")" --tune --json
    ;;
  store)
    "$lathe" datastore build "runs/$2" --out "stores/$2"
    ;;
  external)
    # shellcheck disable=SC2086
    "$lathe" evaluate "runs/$2" --split test --store "stores/$2" \
      --memory "$(recent "$2"),knn,external" --tune --json $neighbors
    ;;
  domain)
    "$lathe" datastore build "runs/$2" --out "stores/$2-$3" --data "data/$3" \
      --set evaluation.storeTokens=500000
    # shellcheck disable=SC2086
    "$lathe" evaluate "runs/$2" --split test --data "data/$3" --store "stores/$2-$3" \
      --memory "$(recent "$2"),knn,external" --store-fraction 0.1,0.5,1 --tune --json $neighbors \
      --set evaluation.maxTokens=30000 --set evaluation.index=exact
    ;;
  seeds)
    # shellcheck disable=SC2046
    "$lathe" train "$here/sotu.yaml" --seed "$3" --run "runs/sotu-$2-$3" $(settings "$2")
    "$lathe" evaluate "runs/sotu-$2-$3" --split test --memory "$(recent "$2")" --tune --json
    ;;
  bytes)
    # shellcheck disable=SC2046
    "$lathe" train "$here/wikitext2-bytes.yaml" --run "runs/bytes-$2" $(settings "$2")
    "$lathe" evaluate "runs/bytes-$2" --split test --memory "$(recent "$2")" --tune --json
    ;;
  *)
    sed -n '2,15s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
