"""The rules: what may be done, by whom, and what happens then. Services know no Flask and no engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.services.accounts import Accounts
    from backend.services.documents import Documents
    from backend.services.files import Files
    from backend.services.housekeeping import Housekeeping
    from backend.services.permissions import Permissions
    from backend.services.pictures import Pictures
    from backend.services.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Services:
    """All services over one storage."""

    accounts: Accounts
    pictures: Pictures
    permissions: Permissions
    sessions: Sessions
    files: Files
    documents: Documents
    housekeeping: Housekeeping
