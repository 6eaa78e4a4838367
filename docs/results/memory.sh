#!/bin/sh
# The language model results of docs/results.md: what each row's command stands for.
#
#   CORPORA=DIR docs/results/memory.sh prepare
#   docs/results/memory.sh train trime-long       one model of the WikiText-2 experiment
#   docs/results/memory.sh recent transformer-xl  its test perplexity with what it has just read
#                                                 (SPLIT=valid: that of the validation text)
#   docs/results/memory.sh store trime-long       its datastore of the training text
#   docs/results/memory.sh external trime-long    its test perplexity with every memory
#   docs/results/memory.sh domain trime-long sotu another domain, with and without a store of it
#   docs/results/memory.sh seeds trime-long 2     the small corpus
#   docs/results/memory.sh pruned                 a model with memory at twice the speed, and both stores
#   docs/results/memory.sh pruned-alike           the same with gates that start alike, as first tried
#   docs/results/memory.sh bytes trime-long       bits per byte
#   docs/results/memory.sh speed vanilla          scoring with memory against without
#   docs/results/memory.sh scale                  steps of the paper's 38M and 247M models
#
# CORPORA holds wikitext-2/{train,valid,test}.tokens.gz and, for other domains, sotu, pydocs and
# reviews with {train,valid,test}.txt.gz.
# Everything is written below the working directory.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
lathe=$here/../../lathe
neighbors="--set evaluation.neighbors=256 --set evaluation.probes=32"

# The objective and the memory are all that differs between systems.
settings() {
  case $1 in
    vanilla) ;;
    trime-local) echo "--set memory.objective=local" ;;
    # segments that see each other, of the 16 of a step; "whole": all of them
    trime-long) echo "--set memory.objective=consecutive --set memory.segmentsPerGroup=2" ;;
    trime-long-4) echo "--set memory.objective=consecutive --set memory.segmentsPerGroup=4" ;;
    trime-long-whole) echo "--set memory.objective=consecutive" ;;
    trime-ext) echo "--set memory.objective=external --set memory.dropLocal=0.5 --set memory.segmentsPerGroup=4" ;;
    trime-ext-keys64) echo "$(settings trime-ext) --set memory.keySize=64" ;;
    trime-ext-whole) echo "--set memory.objective=external --set memory.dropLocal=0.9" ;;
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
    "$lathe" evaluate "runs/$2" --split "${SPLIT:-test}" --memory "$(recent "$2")" --tune --json
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
    "$lathe" evaluate "runs/$2" --split test --data "data/$3" --store "stores/$2-$3" \
      --memory "$(recent "$2"),knn,external" --store-fraction 0.1,0.3,1 --tune --json \
      --set evaluation.neighbors=64 --set evaluation.maxTokens=12000 --set evaluation.index=exact
    ;;
  seeds)
    # shellcheck disable=SC2046
    "$lathe" train "$here/sotu.yaml" --seed "$3" --run "runs/sotu-$2-$3" $(settings "$2")
    "$lathe" evaluate "runs/sotu-$2-$3" --split test --memory "$(recent "$2")" --tune --json
    ;;
  pruned | pruned-alike)
    case $1 in
      pruned) start=5 steps=400 finetune=800 ;;
      *) start=2 steps=300 finetune=600 ;;
    esac
    local_memory="--set memory.objective=local"
    # shellcheck disable=SC2086
    "$lathe" train "$here/sotu.yaml" --seed 1 --run runs/sotu-local $local_memory --set training.steps=1500
    # shellcheck disable=SC2086
    "$lathe" prune "$here/sotu.yaml" --seed 1 --teacher runs/sotu-local --run "runs/sotu-$1" $local_memory \
      --set pruning.target.speedup=2.2 --set "pruning.initialLayerLogAlpha=$start" \
      --set "pruning.steps=$steps" --set pruning.rampFraction=0.5 --set pruning.learningRate=0.001 \
      --set "pruning.finetuneSteps=$finetune" --set pruning.finetuneLearningRate=0.002
    for run in sotu-local "sotu-$1"; do
      "$lathe" datastore build "runs/$run" --out "stores/$run" --set evaluation.storeTokens=500000
      "$lathe" evaluate "runs/$run" --split test --store "stores/$run" \
        --memory none,local,long,knn,external --tune --json --set evaluation.neighbors=64 \
        --set evaluation.maxTokens=24000 --set evaluation.index=exact
    done
    ;;
  bytes)
    # shellcheck disable=SC2046
    "$lathe" train "$here/wikitext2-bytes.yaml" --run "runs/bytes-$2" $(settings "$2")
    "$lathe" evaluate "runs/bytes-$2" --split test --memory "$(recent "$2")" --tune --json
    ;;
  speed)
    "$lathe" benchmark memory "runs/$2" --store "stores/$2" --memory local,long,external \
      --tokens 32768 --repeats 5 --json \
      --set evaluation.neighbors=32 --set evaluation.probes=3
    ;;
  scale)
    # as many words as WikiText-103 has; what they say does not matter to a step's time and memory
    mkdir -p scale
    awk 'BEGIN {
      srand(1)
      for (i = 0; i < 267742; i++) printf "w%d%s", i, i % 20 == 19 ? "\n" : " "
      for (i = 0; i < 400000; i++)
        printf "w%d%s", int(exp(rand() * log(267742))), i % 20 == 19 ? "\n" : " "
    }' > scale/train.txt
    head -c 80000 scale/train.txt > scale/valid.txt
    "$lathe" prepare --preset trime-247m --out scale/data --set "data.sources=[scale/train.txt]" \
      --set "data.validSources=[scale/valid.txt]" --set "data.testSources=[scale/valid.txt]"
    /usr/bin/time -f "%M kB at most" \
      "$lathe" train --preset trime-38m --run scale/38m --set data.directory=data/wikitext2-bytes \
      --set training.steps=2 --set training.evaluateEvery=0
    # TensorFlow's plain allocator gives memory back; the one that comes with oneDNN keeps it
    for micro_steps in 1 2; do
      TF_ENABLE_ONEDNN_OPTS=0 /usr/bin/time -f "%M kB at most" \
        "$lathe" train --preset trime-247m --run "scale/247m-$micro_steps" \
        --set data.directory=scale/data --set training.steps=1 --set training.warmupSteps=0 \
        --set "training.accumulationSteps=$micro_steps" --set training.evaluateEvery=0
    done
    ;;
  *)
    sed -n '2,20s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
