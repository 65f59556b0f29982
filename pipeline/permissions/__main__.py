"""`python -m pipeline.permissions`: print a sentence for each thing to mend; the status is 1 when there is one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from pipeline.permissions.audit import PARAMETERS, audit
from pipeline.permissions.stack_roles import audit_execution_role
from pipeline.resolved_template import resolve
from sam_template import Template, TemplateError
from sam_template.repository import TEMPLATE
from sam_template.translation import parse

BOOTSTRAP: Final = Path(__file__).parents[1] / "bootstrap.yaml"


def main() -> int:
    """Audit the repository's template and the role that deploys it; return the exit status."""
    try:
        sentences = audit([Template.load(TEMPLATE, parameters) for parameters in PARAMETERS])
        bootstrap = parse(BOOTSTRAP, BOOTSTRAP.read_text(encoding="utf-8"))
        sentences += audit_execution_role(resolve(TEMPLATE)["Resources"], bootstrap)
    except TemplateError as error:
        sentences = [str(error)]
    sys.stdout.writelines(f"{sentence}\n" for sentence in sentences)
    return 1 if sentences else 0


if __name__ == "__main__":
    raise SystemExit(main())
