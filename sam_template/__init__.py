"""A SAM template as the emulator reads it: translated by SAM, its intrinsics resolved."""

from sam_template.template import ACCOUNT_ID, Function, Route, Template
from sam_template.translation import TemplateError

__all__ = ["ACCOUNT_ID", "Function", "Route", "Template", "TemplateError"]
