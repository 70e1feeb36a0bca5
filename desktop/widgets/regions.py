"""Going from one part of the window to the next with F6."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget


def step_region(regions: Sequence[QWidget], *, backwards: bool = False) -> None:
    """Give the keyboard to the first control of the region after the one that has it.

    A region may lie inside a later one (the header inside its page): the innermost counts.
    """
    ordered = list(reversed(regions)) if backwards else list(regions)
    if not ordered:
        return
    focused = QApplication.focusWidget()
    current = _region_of(focused, ordered)
    start = ordered.index(current) + 1 if current is not None else 0
    for offset in range(len(ordered)):
        region = ordered[(start + offset) % len(ordered)]
        target = first_control(
            region, [other for other in ordered if other is not region and region.isAncestorOf(other)]
        )
        if target is not None and region is not current:
            target.setFocus(Qt.FocusReason.ShortcutFocusReason)
            return


def first_control(region: QWidget, leave_out: Sequence[QWidget] = ()) -> QWidget | None:
    """The first control in the region that Tab stops at, not counting those inside ``leave_out``."""
    if _stops(region):
        return region
    candidates = [
        child
        for child in region.findChildren(QWidget)
        if _stops(child) and not any(part is child or part.isAncestorOf(child) for part in leave_out)
    ]
    if not candidates:
        return None
    wanted = set(candidates)
    widget: QWidget | None = region
    for _ in range(10_000):
        widget = widget.nextInFocusChain() if widget is not None else None
        if widget in wanted:
            return widget
        if widget is region:
            break
    return candidates[0]


def _region_of(widget: QWidget | None, regions: Sequence[QWidget]) -> QWidget | None:
    holding = [region for region in regions if widget is not None and (region is widget or region.isAncestorOf(widget))]
    for region in holding:
        if not any(other is not region and region.isAncestorOf(other) for other in holding):
            return region
    return None


def _stops(widget: QWidget) -> bool:
    return (
        widget.isVisible()
        and widget.isEnabled()
        and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        and widget.focusProxy() is None
    )
