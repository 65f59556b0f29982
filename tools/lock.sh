#!/bin/sh
# Resolve everything anew: the tools' lock first, then the functions' requirements at the versions that the tools share.
set -eu
cd "$(dirname "$0")/.."
uv=.venv/bin/uv
mkdir -p .local

"$uv" lock --upgrade
"$uv" export --quiet --frozen --no-hashes --no-emit-workspace --no-annotate --output-file .local/constraints.txt >/dev/null

compile() { # FOLDER [CONSTRAINTS]
  "$uv" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
    "$1/requirements.in" ${2:+-c "$2"} --output-file "$1/requirements.txt"
}
compile inventory_function .local/constraints.txt
compile shopbot_function .local/constraints.txt
compile pre_traffic_check .local/constraints.txt
compile synthetic_check .local/constraints.txt
# These share no environment with the tools: SAM CLI holds boto3 back there, and botocore not.
compile emulator/engine
compile emulator/aws
for baseline in benchmarks/baselines/*/requirements.in; do
  compile "$(dirname "$baseline")" .local/constraints.txt
done
"$uv" export --quiet --frozen --no-emit-workspace --no-annotate --no-header --only-group bootstrap --output-file tools/uv.txt >/dev/null
