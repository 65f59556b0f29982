#!/bin/sh
# Run the static checks side by side, and print what a check said only when it objects. docs/decisions/checks.md says what
# each is for.
set -u
cd "$(dirname "$0")/.."

checks=$PWD/.local/checks
PATH=$checks/bin:$PWD/.venv/bin:$PATH # actionlint looks for shellcheck there
AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-us-east-1}
export PATH AWS_DEFAULT_REGION

template_as_deployed() { # what checkov reads: production's roles and settings, not the source's conditions
  .venv/bin/python -m pipeline.resolved_template template.yaml "$checks/template.json"
}
# `exec`, so that the process that is stopped below is the check and not a shell around it.
sam_validate() { exec .venv/bin/sam validate --lint; } # --lint is cfn-lint, on template.yaml
permissions() { exec .venv/bin/python -m pipeline.permissions; }
cfn_lint() { exec .venv/bin/cfn-lint pipeline/bootstrap.yaml; }
checkov() { template_as_deployed && exec "$checks/bin/checkov" --file "$checks/template.json" pipeline/bootstrap.yaml; }
# The inventory has grown nothing that docs/openapi/inventory.json does not say, and lost nothing that it says.
openapi() { exec .venv/bin/python -m pipeline.released_openapi; }
actionlint() { exec "$checks/bin/actionlint" .github/workflows/*.yml; }
zizmor() { exec "$checks/bin/zizmor" --offline --quiet --no-progress --persona pedantic .github; }

running=
# A shell lets its background commands ignore Ctrl-C.
trap 'kill $running 2>/dev/null; exit 130' INT TERM HUP

names="sam_validate cfn_lint permissions checkov openapi actionlint zizmor"
for name in $names; do
  $name >"$checks/$name.log" 2>&1 &
  running="$running $!"
done

failed=
# shellcheck disable=SC2086 # process ids, in the order of the names
set -- $running
for name in $names; do
  if ! wait "$1"; then
    printf '%s objects:\n' "$name" >&2
    cat "$checks/$name.log" >&2
    failed="$failed $name"
  fi
  shift
done
[ -z "$failed" ] || { printf 'validate:%s object; correct the lines above.\n' "$failed" >&2; exit 1; }
echo "validate: $names find nothing."
