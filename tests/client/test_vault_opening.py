"""Opening a picture of one's own that is not any more what was listed."""

from __future__ import annotations

import pytest

from desktop import errors
from desktop.client.revising import Revising
from tests import sample_pictures
from tests.client.conftest import Somewhere


def test_a_picture_that_another_computer_replaced_opens_as_it_is_now(place: Somewhere) -> None:
    picture_id = place.add(sample_pictures.png(seed=1), "old.png")
    context = place.vault.context()
    listed = context.catalog.get(picture_id)
    new = sample_pictures.png(seed=2)
    Revising(context).replace(picture_id, place.source(new, "new.png"))
    context.catalog.add(listed)  # as it was listed here before

    found = place.vault.open(picture_id)
    assert (bytes(found.data), found.picture.name) == (new, "new.png")
    assert context.catalog.get(picture_id).header_hash == found.picture.revision != listed.header_hash
    context.catalog.add(listed)
    assert place.vault.export(picture_id, place.outside).read_bytes() == new


def test_a_picture_that_another_computer_deleted_is_not_called_damaged(place: Somewhere) -> None:
    picture_id = place.add(sample_pictures.png(seed=1), "old.png")
    place.session.api.delete(place.session.user_id, f"p-{picture_id}")
    with pytest.raises(errors.NotFound):
        place.vault.open(picture_id)
