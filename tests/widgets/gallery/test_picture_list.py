"""The order of the gallery, its sections, and the item model on top."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QAbstractListModel, QItemSelectionModel, Qt
from PySide6.QtTest import QAbstractItemModelTester

from desktop.models import Picture, PictureState, Scheme
from desktop.viewmodels.picture_list import DAYS_BY_DAY, PictureList, sort_key
from desktop.viewmodels.picture_model import WAITING, PictureModel, Role

Make = Callable[..., Picture]
TODAY = date(2026, 3, 14)

moments = st.datetimes(datetime(2024, 1, 1), datetime(2026, 3, 14, 23, 59))


@given(st.lists(st.tuples(st.integers(0, 400), moments), max_size=60))
def test_any_batches_end_in_one_order(pictures: Make, found: list[tuple[int, datetime]]) -> None:
    batch = [pictures(number, taken=taken) for number, taken in found]
    grown = PictureList()
    for start in range(0, len(batch), 7):
        grown.add(batch[start : start + 7])
    first_of_each = {picture.id: picture for picture in reversed(batch)}
    assert list(grown) == sorted(first_of_each.values(), key=sort_key)
    assert all(grown[grown.row_of(picture.id)] is not None for picture in grown)


@given(st.lists(moments, max_size=80), st.integers(0, 1000))
def test_sections_cover_all_rows_in_order(pictures: Make, taken: list[datetime], later_days: int) -> None:
    listed = PictureList(pictures(number, taken=moment) for number, moment in enumerate(taken))
    today = TODAY + timedelta(days=later_days)
    sections = listed.sections(today)
    assert [section.start for section in sections] == [
        sum(earlier.count for earlier in sections[:place]) for place in range(len(sections))
    ]
    assert sum(section.count for section in sections) == len(listed)
    for section in sections:
        days = {listed[row].when.date() for row in range(section.start, section.start + section.count)}
        if section.whole_month:
            assert {day.replace(day=1) for day in days} == {section.first_day}
            assert all((today - day).days >= DAYS_BY_DAY for day in days)
        else:
            assert days == {section.first_day}
            assert (today - section.first_day).days < DAYS_BY_DAY
    starts = [(section.first_day, section.whole_month) for section in sections]
    assert len(set(starts)) == len(starts)


def test_the_model_keeps_the_rules_of_item_models(qapp: object, pictures: Make) -> None:
    model = PictureModel(today=lambda: TODAY)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.reset(PictureList(pictures(number) for number in range(0, 100, 2)))
    model.insert([pictures(5), pictures(7), pictures(400)])
    model.insert([pictures(number) for number in range(1, 300, 2)])
    model.replace(pictures(10, hours_ago=1000))
    model.remove([pictures(5).id, pictures(6).id, "nothing"])
    model.clear()
    assert model.rowCount() == 0
    assert isinstance(tester.model(), QAbstractListModel)


def test_a_small_insert_keeps_the_selection(qapp: object, pictures: Make) -> None:
    model = PictureModel(today=lambda: TODAY)
    model.reset(PictureList(pictures(number) for number in range(10, 40)))
    selection = QItemSelectionModel(model)
    selection.select(model.index(4), QItemSelectionModel.SelectionFlag.Select)
    chosen = model.picture(4)
    model.insert([pictures(0), pictures(1)])
    assert [model.picture(index.row()).id for index in selection.selectedIndexes()] == [chosen.id]


def test_a_moved_picture_keeps_its_sending_state(qapp: object, pictures: Make) -> None:
    model = PictureModel(today=lambda: TODAY)
    model.reset(PictureList(pictures(number) for number in range(5)))
    model.set_sending(pictures(0).id, WAITING)
    model.replace(dataclasses.replace(pictures(0), taken=datetime(2020, 1, 1)))
    assert model.row_of(pictures(0).id) == 4
    assert model.data(model.index(4), Role.SENDING) == WAITING


def test_what_screen_readers_say(qapp: object, pictures: Make) -> None:
    model = PictureModel(today=lambda: TODAY)
    model.reset(
        PictureList(
            [
                pictures(1, name="Ladybird", hours_ago=1),
                pictures(2, name="Old", scheme=Scheme.CLASSIC, hours_ago=2),
                pictures(3, name="Broken", state=PictureState.UNREADABLE, hours_ago=3),
                pictures(4, name="Swapped", state=PictureState.REFUSED, problem="Not yours", hours_ago=4),
            ]
        )
    )
    model.set_sending(pictures(1).id, WAITING)
    role = Qt.ItemDataRole.AccessibleTextRole
    spoken = [model.data(model.index(row), role) for row in range(4)]
    assert spoken == [
        "Ladybird, 14 March 2026, waiting to be sent",
        "Old, 14 March 2026, unprotected",
        "Broken, 14 March 2026, cannot be opened",
        "Swapped, 14 March 2026, not what you stored",
    ]
    model.set_sending(pictures(1).id, 0.62)
    assert model.data(model.index(0), role) == "Ladybird, 14 March 2026, being sent, 62 percent"
    assert model.data(model.index(3), Qt.ItemDataRole.ToolTipRole) == "Not yours"
