"""Going from one part of the window to the next with F6, and through them all with Tab."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget


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
            _bring_into_sight(target)
            return


def first_control(region: QWidget, leave_out: Sequence[QWidget] = ()) -> QWidget | None:
    """The first control in the region that Tab stops at, not counting those inside ``leave_out``."""
    if _stops(region):
        return region
    return next(iter(_controls(region, leave_out)), None)


def step_control(regions: Sequence[QWidget], *, backwards: bool = False, by_place: Collection[QWidget] = ()) -> bool:
    """Give the keyboard to the next control, region by region.

    Args:
        regions: The parts, in order; one may lie inside a later one.
        backwards: Go to the one before.
        by_place: Parts whose controls come and go, so that the order of making says nothing: they go from the top down.

    Returns:
        Whether there was one to go to.
    """
    stops: list[QWidget] = []
    for region in regions:
        found = _controls(region, [other for other in regions if other is not region and region.isAncestorOf(other)])
        stops += _from_the_top(region, found) if region in by_place else found
    focused = QApplication.focusWidget()
    if not stops or focused not in stops:
        return False
    target = stops[(stops.index(focused) + (-1 if backwards else 1)) % len(stops)]
    target.setFocus(Qt.FocusReason.BacktabFocusReason if backwards else Qt.FocusReason.TabFocusReason)
    _bring_into_sight(target)
    return True


def _controls(region: QWidget, leave_out: Sequence[QWidget]) -> list[QWidget]:
    """Controls as the parts are stacked: in the order of making, and what is made anew inside a part stays there.

    Not by Qt's focus chain: PySide takes whoever is asked for the next widget for its owner, and when the one goes
    away, it forgets what C++ has made for the other, such as the entries of its menu.
    """
    return [
        child
        for child in region.findChildren(QWidget)
        if _stops(child) and not any(part is child or part.isAncestorOf(child) for part in leave_out)
    ]


def _from_the_top(region: QWidget, controls: Sequence[QWidget]) -> list[QWidget]:
    """Controls by lines, and along the line in the reading direction."""
    boxes = {control: QRect(control.mapTo(region, QPoint(0, 0)), control.size()) for control in controls}
    lines: list[list[QWidget]] = []
    for control in sorted(controls, key=lambda control: boxes[control].top()):
        if lines and boxes[control].center().y() <= boxes[lines[-1][0]].bottom():
            lines[-1].append(control)
        else:
            lines.append([control])
    sign = -1 if region.isRightToLeft() else 1
    return [control for line in lines for control in sorted(line, key=lambda one: sign * boxes[one].center().x())]


def _bring_into_sight(control: QWidget) -> None:
    parent = control.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea):
            parent.ensureWidgetVisible(control)
            return
        parent = parent.parentWidget()


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
