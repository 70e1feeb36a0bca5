"""The components of the visual design under one name, for pages and dialogs."""

from __future__ import annotations

from desktop.widgets.banner_area import BannerArea
from desktop.widgets.buttons import (
    Button,
    GhostButton,
    danger_button,
    danger_quiet_button,
    default_button,
    ghost_button,
    link_button,
    primary_button,
)
from desktop.widgets.dialogs import ConfirmDialog, Dialog
from desktop.widgets.fields import Field
from desktop.widgets.focus_ring import FocusRing
from desktop.widgets.labels import ElidedLabel, Hairline, IconLabel, Label, StyledWidget
from desktop.widgets.marks import Avatar, Chip, ProgressBar4, avatar_colour, initials, paint_avatar, paint_bar
from desktop.widgets.notices import Banner, ErrorBox, Notice, copy_details_button
from desktop.widgets.page_parts import HEADER_HEIGHT, EmptyState, PageHeader, SidePanel
from desktop.widgets.scroll_page import ScrollPage
from desktop.widgets.search_field import SearchField
from desktop.widgets.theme import Radius, Space
from desktop.widgets.toast import Toast

__all__ = [
    "HEADER_HEIGHT",
    "Avatar",
    "Banner",
    "BannerArea",
    "Button",
    "Chip",
    "ConfirmDialog",
    "Dialog",
    "ElidedLabel",
    "EmptyState",
    "ErrorBox",
    "Field",
    "FocusRing",
    "GhostButton",
    "Hairline",
    "IconLabel",
    "Label",
    "Notice",
    "PageHeader",
    "ProgressBar4",
    "Radius",
    "ScrollPage",
    "SearchField",
    "SidePanel",
    "Space",
    "StyledWidget",
    "Toast",
    "avatar_colour",
    "copy_details_button",
    "danger_button",
    "danger_quiet_button",
    "default_button",
    "ghost_button",
    "initials",
    "link_button",
    "paint_avatar",
    "paint_bar",
    "primary_button",
]
