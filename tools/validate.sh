#!/bin/sh
# Run the static gates side by side, and print what a gate said only when it objects. docs/decisions/gates.md says what
# each is for.
set -u
cd "$(dirname "$0")/.."

gates=$PWD/.local/gates
PATH=$gates/bin:$PWD/.venv/bin:$PATH # actionlint looks for shellcheck there
AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-us-east-1}
export PATH AWS_DEFAULT_REGION

template_as_deployed() { # what checkov reads: production's roles and settings, not the source's conditions
  .venv/bin/python -m pipeline.resolved_template template.yaml "$gates/template.json"
}
sam_validate() { .venv/bin/sam validate --lint; }
permissions() { .venv/bin/python -m pipeline.permissions; }
cfn_lint() { .venv/bin/cfn-lint template.yaml pipeline/bootstrap.yaml; }
checkov() { template_as_deployed && "$gates/bin/checkov" --file "$gates/template.json" pipeline/bootstrap.yaml; }
actionlint() { "$gates/bin/actionlint" .github/workflows/*.yml; }
zizmor() { "$gates/bin/zizmor" --offline --quiet --no-progress --persona pedantic .github; }

names="sam_validate cfn_lint permissions checkov actionlint zizmor"
for name in $names; do
  {
    $name >"$gates/$name.log" 2>&1
    echo $? >"$gates/$name.status"
  } &
done
wait

failed=
for name in $names; do
  if [ "$(cat "$gates/$name.status")" != 0 ]; then
    printf '%s objects:\n' "$name" >&2
    cat "$gates/$name.log" >&2
    failed="$failed $name"
  fi
done
[ -z "$failed" ] || { printf 'validate:%s object; correct the lines above.\n' "$failed" >&2; exit 1; }
echo "validate: $names find nothing."
