"""`python -m pipeline.permissions`: print a sentence for each thing to mend; the status is 1 when there is one."""

from __future__ import annotations

import sys

from pipeline.permissions.audit import PARAMETERS, audit
from sam_template import Template, TemplateError
from sam_template.repository import TEMPLATE


def main() -> int:
    """Audit the repository's template; return the exit status."""
    try:
        sentences = audit([Template.load(TEMPLATE, parameters) for parameters in PARAMETERS])
    except TemplateError as error:
        sentences = [str(error)]
    sys.stdout.writelines(f"{sentence}\n" for sentence in sentences)
    return 1 if sentences else 0


if __name__ == "__main__":
    raise SystemExit(main())
