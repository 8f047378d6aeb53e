"""Values with some fields changed: of `msgspec.Struct`s, which those are that are made by the ten thousand (frozen and
slotted as a dataclass, at a tenth of its cost), and of dataclasses, which are the others.
"""

import dataclasses
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

if TYPE_CHECKING:  # checks the names and types of the fields, of both
    from dataclasses import replace
else:

    def replace(value: Any, /, **changes: Any) -> Any:
        """The value with other fields as named. Raises TypeError for a field that it has not."""
        of_its_kind = structs.replace if isinstance(value, Struct) else dataclasses.replace
        return of_its_kind(value, **changes)


__all__ = ["replace"]
