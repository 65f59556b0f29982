"""A SAM template as the emulator reads it: translated by SAM, its intrinsics resolved."""

from emulator.template.sam_template import ACCOUNT_ID, Function, Route, Template
from emulator.template.translation import TemplateError

__all__ = ["ACCOUNT_ID", "Function", "Route", "Template", "TemplateError"]
