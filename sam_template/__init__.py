"""A SAM template, translated by SAM and its intrinsics resolved: what the emulator, the pipeline and the tests read."""

from sam_template.template import ACCOUNT_ID, DEFAULT_REGION, Function, Route, Template
from sam_template.translation import TemplateError

__all__ = ["ACCOUNT_ID", "DEFAULT_REGION", "Function", "Route", "Template", "TemplateError"]
