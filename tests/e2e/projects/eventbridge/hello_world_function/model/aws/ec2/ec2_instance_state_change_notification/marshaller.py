from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StateChange:
    instance_id: str
    state: str

    @classmethod
    def unmarshall(cls, event: dict[str, Any]) -> "StateChange":
        return cls(event["detail"]["instance-id"], event["detail"]["state"])
