"""The banners of what a listing found and of changed keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from desktop.models import Person, Trust
from desktop.viewmodels.trust import Finding, changed_findings, findings
from desktop.widgets.banner_area import BannerArea
from desktop.widgets.notices import Notice

ICONS = {"missing": "help", "new-computer": "info", "ledger": "warning"}


class TrustNotices:
    """Shows findings in a banner area, and takes away those that are dealt with.

    Attributes:
        pictures: Of which pictures a banner speaks.
    """

    def __init__(self, on_action: Callable[[Finding], None]) -> None:
        """Make; ``on_action`` is told which banner's button was pressed."""
        self._on_action = on_action
        self._trust: tuple[Finding, ...] = ()
        self._changed: tuple[Finding, ...] = ()

    @property
    def pictures(self) -> list[str]:
        """The pictures that a banner speaks of."""
        return [picture_id for finding in self._trust for picture_id in finding.pictures]

    def show_trust(self, banners: BannerArea, trust: Trust, *, here: bool) -> None:
        """Say what a listing found."""
        self._trust = self._show(banners, self._trust, findings(trust, here=here))

    def show_changed(self, banners: BannerArea, people: Sequence[Person]) -> None:
        """Say whose keys have changed."""
        self._changed = self._show(banners, self._changed, changed_findings(people))

    def clear(self, banners: BannerArea) -> None:
        """Take all away."""
        self._trust = self._show(banners, self._trust, ())
        self._changed = self._show(banners, self._changed, ())

    def _show(self, banners: BannerArea, before: Iterable[Finding], now: Sequence[Finding]) -> tuple[Finding, ...]:
        there = {finding.key for finding in now}
        for finding in before:
            if finding.key not in there:
                banners.remove(f"trust {finding.key}")
        shown = {notice.key: notice for notice in banners.notices}
        for finding in reversed(now):  # the newest notice stands first: what weighs most is said last
            key = f"trust {finding.key}"
            if key in shown and (shown[key].title, shown[key].text) == (finding.title, finding.text):
                continue  # said already; it is not announced at each listing
            banners.show_notice(
                Notice(
                    key,
                    finding.kind,
                    finding.title,
                    finding.text,
                    icon=ICONS.get(finding.key, "shield-alert"),
                    action=finding.action,
                    on_action=partial(self._on_action, finding) if finding.action else None,
                )
            )
        return tuple(now)
