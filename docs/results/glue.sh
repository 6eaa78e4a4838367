#!/bin/sh
# The encoder results of docs/results.md: what each row's command stands for.
#
#   TASKS=DIR docs/results/glue.sh prepare           links the tasks, fetches the encoders (490 MB)
#   docs/results/glue.sh dense sst2-sent 1           the teacher: MiniLM fine-tuned, seed 1
#   docs/results/glue.sh tables sst2-sent 1          what its sublayers take, below tables/sst2-sent
#   docs/results/glue.sh prune sst2-sent cofi-95 1   a system of the table beside its teacher
#   docs/results/glue.sh structure mr cofi-60 1      the same before its fine-tuning: as large and
#                                                    as fast, so enough for latency
#   docs/results/glue.sh latency mr 1 cofi-5x block  exported, and timed against the teacher, at
#                                                    batch 1, 32 and 128 (BATCH=1,32 for fewer)
#   docs/results/glue.sh packed mr 1                 exported as float32, float16 and int8
#   docs/results/glue.sh upstream 1                  MiniLM pruned on plain text, with no task yet
#   docs/results/glue.sh fine-tune mr 1              the slim encoder of that, fine-tuned for a task
#   docs/results/glue.sh general 1                   TinyBERT's general distillation, beside upstream's
#                                                    teacher; prune mr tinybert-general 1 goes on
#
# TASKS holds sst2, sst2-sent, mr and rte with train.tsv.gz, dev.tsv and test.tsv, and xquad with
# xquad.en.json.gz; upstream reads corpora/wikitext-2. Everything is written below the working
# directory. In the environment, THREADS=1 trains on one core, and LATENCY_TABLE=FILE prunes by
# times that were measured before (latency-batch-32.json here is the table of the newest rows).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
lathe=$here/../../lathe
threads="--set threads=${THREADS:-2}"
table=${LATENCY_TABLE:+--set pruning.latencyTables=[$LATENCY_TABLE]}

# The method and how much goes are all that differs between systems of a task.
settings() {
  case $1 in
    # a measured speed-up, at batch 32 and length 128
    cofi-5x-uniform)
      echo "--set pruning.target.speedup=5 --set pruning.initialLayerLogAlpha=2" ;;
    # at the structure that one-shot pruning would choose, before its rearrangement; multipliers
    # that move faster swing about the target
    cofi-5x)
      echo "--set pruning.target.speedup=5 --set pruning.initialization=importance \
        --set pruning.multiplierLearningRate=0.05" ;;
    # from gates at half of that reduction, the rest over seven tenths of the steps
    cofi-5x-gradual)
      echo "$(settings cofi-5x) --set pruning.importanceStart=0.5 --set pruning.rampFraction=0.7" ;;
    # as all rows named cofi-5x were measured up to commit 580ba8f
    cofi-5x-fast-multipliers)
      echo "$(settings cofi-5x) --set pruning.multiplierLearningRate=0.3" ;;
    # the ablations of the paper
    cofi-5x-no-hidden)
      echo "$(settings cofi-5x) --set pruning.gates=[head,intermediate,attention-layer,feed-forward-layer]" ;;
    cofi-5x-no-layers)
      echo "$(settings cofi-5x) --set pruning.gates=[head,intermediate,hidden]" ;;
    cofi-5x-no-layer-distillation)
      echo "$(settings cofi-5x) --set pruning.distillation.layerWeight=0 --set pruning.distillation.predictionWeight=1" ;;
    cofi-5x-fixed-matching)
      echo "$(settings cofi-5x) --set pruning.distillation.matching=fixed" ;;
    cofi-5x-one-stage) echo "$(settings cofi-5x) --set pruning.finetuneSteps=0" ;;
    # fine-tuned for as many updates as the others learn and fine-tune in all
    *-long)
      settings "${1%-long}" "${2:-}" "${3:-}"
      case $2 in
        mr) echo "--set pruning.finetuneSteps=700" ;;
        sst2-sent) echo "--set pruning.finetuneSteps=1100" ;;
        rte) echo "--set pruning.finetuneSteps=450" ;;
        xquad) echo "--set pruning.finetuneSteps=320" ;;
      esac ;;
    # the same at twice that speed
    *-10x)
      echo "$(settings "${1%-10x}$([ "$1" = cofi-10x ] && echo -5x)" "" "") \
        --set pruning.target.speedup=10" ;;
    # all of SST-2 gives gates that start open the steps to close
    cofi-*)
      echo "--set pruning.target.sparsity=0.${1#cofi-}"
      if [ "${2:-}" = sst2 ]; then
        echo "--set pruning.initialLayerLogAlpha=2"
      else
        echo "--set pruning.initialization=importance --set pruning.multiplierLearningRate=0.05"
      fi ;;
    # layers are large steps
    layer-drop)
      echo "--set pruning.method=$1 --set pruning.target.speedup=5 --set pruning.speedupTolerance=1" ;;
    # without any head this is 1.7 times as fast, and no token sees another
    heads)
      echo "--set pruning.method=$1 --set pruning.target.speedup=1.4" ;;
    one-shot) echo "--set pruning.method=$1 --set pruning.target.speedup=5" ;;
    # with the temperature of its paper
    tinybert)
      echo "--set pruning.method=$1 --set pruning.target.speedup=5 \
        --set pruning.distillation.temperature=1" ;;
    # from the student of general distillation
    tinybert-general)
      echo "--set pruning.method=tinybert --set pruning.distillation.temperature=1 \
        --set pruning.studentFrom=runs/upstream-tinybert-$3" ;;
    # nothing masked for a tenth of the steps, all that goes after eight tenths, as published
    block)
      echo "--set pruning.method=$1 --set pruning.target.speedup=5 --set pruning.rampFraction=0.7" ;;
    # scores that travel as far in fewer steps as those of MR in 300
    block-scaled)
      settings block
      case $2 in
        rte) echo "--set pruning.gateLearningRate=0.15" ;;
        xquad) echo "--set pruning.gateLearningRate=0.25" ;;
      esac ;;
    # the same as they were published: from the pretrained encoder, on labels beside the teacher's
    # predictions, for as many updates as the teacher and the pruning of a teacher take
    block-pretrained | movement-pretrained)
      echo "$(settings "${1%-pretrained}") --set pruning.studentFrom=pretrained/all-minilm-l6-v2 \
        --set pruning.distillation.taskWeight=0.1 \
        --set pruning.distillation.layerWeight=0 --set pruning.distillation.predictionWeight=0.9"
      case $2 in
        mr) echo "--set pruning.steps=700" ;;
        sst2-sent) echo "--set pruning.steps=1100" ;;
        rte) echo "--set pruning.steps=800" ;;
        xquad) echo "--set pruning.steps=320" ;;
      esac ;;
    # in the shape that CoFi found
    random | scratch) echo "--set pruning.method=$1 --set pruning.planFrom=runs/$2-cofi-5x-$3" ;;
    # in the shape that one-shot found
    random-one-shot) echo "--set pruning.method=random --set pruning.planFrom=runs/$2-one-shot-$3" ;;
    # zeros in dense matrices: as many as CoFi removes parameters, and no faster
    magnitude | movement)
      echo "--set pruning.method=$1 --set pruning.target.sparsity=0.8 --set pruning.rampFraction=0.7" ;;
    *) echo "glue.sh: unknown system '$1'" >&2; exit 2 ;;
  esac
  case ${2:-}/$1 in
    sst2/cofi-60) echo "--set pruning.steps=1200 --set pruning.learningRate=0.00005 \
      --set pruning.finetuneSteps=1500 --set pruning.finetuneLearningRate=0.0001" ;;
    sst2/*) echo "--set pruning.steps=2000 --set pruning.learningRate=0.0001 \
      --set pruning.finetuneSteps=2500 --set pruning.finetuneLearningRate=0.0002" ;;
  esac
}

# TASK SYSTEM SEED, and settings that win over the system's.
prune() {
  task=$1 system=$2 seed=$3
  shift 3
  # shellcheck disable=SC2046,SC2086 # settings are words
  "$lathe" prune "$here/glue-$task.yaml" --seed "$seed" --teacher "runs/$task-dense-$seed" \
    --run "runs/$task-$system-$seed" $threads $table $(settings "$system" "$task" "$seed") \
    "$@" --json
}

case ${1:-} in
  prepare)
    ln -sfn "$TASKS" tasks
    [ -d pretrained/all-minilm-l6-v2 ] ||
      "$lathe" fetch minilm-l6 --out pretrained/all-minilm-l6-v2
    [ -d pretrained/bert-base ] || "$lathe" fetch bert-base
    python3 "$here/split_xquad.py" tasks/xquad/xquad.en.json.gz tasks-made/xquad
    ;;
  dense)
    # shellcheck disable=SC2086 # words
    "$lathe" train "$here/glue-$2.yaml" --seed "$3" --run "runs/$2-dense-$3" $threads
    "$lathe" evaluate "runs/$2-dense-$3" --split test --json
    ;;
  tables) "$lathe" benchmark sublayers "runs/$2-dense-$3" --out "tables/$2" --json ;;
  prune)
    prune "$2" "$3" "$4"
    "$lathe" evaluate "runs/$2-$3-$4" --split test --json
    ;;
  structure) prune "$2" "$3" "$4" --set pruning.finetuneSteps=0 ;;
  upstream)
    # shellcheck disable=SC2086 # words
    "$lathe" train "$here/upstream.yaml" --seed "$2" --run "runs/upstream-dense-$2" $threads
    # shellcheck disable=SC2086 # words
    "$lathe" prune "$here/upstream.yaml" --seed "$2" --teacher "runs/upstream-dense-$2" \
      --run "runs/upstream-cofi-60-$2" $threads --json
    "$lathe" evaluate "runs/upstream-dense-$2" --split test --json
    "$lathe" evaluate "runs/upstream-cofi-60-$2" --split test --json
    ;;
  general)
    # a student of the shape that tinybert has at five times the speed
    # shellcheck disable=SC2086 # words
    "$lathe" prune "$here/upstream.yaml" --seed "$2" --teacher "runs/upstream-dense-$2" \
      --run "runs/upstream-tinybert-$2" $threads --set pruning.method=tinybert \
      --set pruning.target.parameters=1811376 --set pruning.steps=900 \
      --set pruning.finetuneSteps=0 --json
    ;;
  fine-tune)
    # shellcheck disable=SC2086 # words
    "$lathe" train "$here/glue-$2.yaml" --seed "$3" --run "runs/$2-upstream-60-$3" $threads \
      --set "task.pretrained=runs/upstream-cofi-60-$3"
    "$lathe" evaluate "runs/$2-upstream-60-$3" --split test --json
    ;;
  latency)
    task=$2 seed=$3
    shift 3
    versions=
    for system in dense "$@"; do
      name=models/$task-$system-$seed
      [ -d "$name/1" ] || "$lathe" export "runs/$task-$system-$seed" --out "$name"
      versions="$versions $name/1"
    done
    # shellcheck disable=SC2086 # paths are words
    "$lathe" benchmark latency $versions --batch "${BATCH:-1,32,128}" --length 128 --json
    ;;
  packed)
    versions=
    for system in dense cofi-5x; do
      for type in float32 float16 int8; do
        run=runs/$2-$system-$3
        name=models/$2-$system-$3-$type
        [ -d "$name/1" ] || "$lathe" export "$run" --out "$name" --weights "$type" --json
        "$lathe" evaluate "$run" --split test --served "$name/1" --json
        versions="$versions $name/1"
      done
    done
    # shellcheck disable=SC2086 # paths are words
    "$lathe" benchmark latency $versions --batch 1,32 --length 128 --json
    ;;
  *)
    sed -n '2,22s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
