from typing import Any

import a_module_that_is_not_there  # type: ignore[import-not-found]  # noqa: F401


def handler(event: Any, context: Any) -> Any:
    return {}
