"""Whose a storage folder is: what root makes in it is to be the server's, who is another user."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path


def hand_over(folder: Path) -> None:
    """Give what root made in somebody else's folder to whom the folder belongs; does nothing for anybody but root.

    Links are neither followed nor given away: the folder's owner could have put them there.
    """
    if sys.platform == "win32" or os.geteuid() != 0:
        return
    owner = folder.stat()
    if owner.st_uid == 0:
        return
    for _, folders, files, descriptor in os.fwalk(folder):
        for name in (*folders, *files):
            found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            is_plain = stat.S_ISDIR(found.st_mode) or (stat.S_ISREG(found.st_mode) and found.st_nlink == 1)
            if found.st_uid == 0 and is_plain:
                os.chown(name, owner.st_uid, owner.st_gid, dir_fd=descriptor, follow_symlinks=False)
