"""The rules: what may be done, by whom, and what happens then. Services know no Flask and no engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.services.accounts import Accounts
    from backend.services.permissions import Permissions
    from backend.services.pictures import Pictures


@dataclass(frozen=True, slots=True)
class Services:
    """All services over one storage."""

    accounts: Accounts
    pictures: Pictures
    permissions: Permissions
