"""What must hold between people at the same time, once more over MongoDB."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backend.storage.mongo import open_mongo
from tests.backend.conftest import FAST, Running, serving_storage
from tests.backend.test_bin import (
    test_a_name_that_is_taken_meanwhile,
    test_a_picture_comes_back_with_everything,
    test_a_sealed_picture_that_is_sent_again_comes_back,
    test_for_good,
    test_taking_back_and_deleting_for_good_at_once,
)
from tests.backend.test_revisions import (
    first,
    test_a_new_epoch_gives_everybody_new_grants_or_none,
    test_a_revision_takes_the_place_of_the_one_before,
    test_a_writer_revises_and_a_reader_looks,
    test_deleting_and_revising_at_once,
    test_of_two_that_replace_the_same_one_wins,
    test_the_same_once_more_is_harmless,
    test_who_reads_meanwhile_gets_one_revision_whole,
)
from tests.backend.test_sharing import (
    reader,
    test_deleting_and_sharing_at_once,
    test_sharing_and_a_new_epoch_at_once_leave_no_stale_grant,
    test_what_others_shared,
)
from tests.backend.test_stored_documents import (
    test_a_document_is_replaced_only_by_who_knows_it,
    test_a_picture_that_is_gone_does_not_come_back,
    test_of_many_that_replace_the_same_one_wins,
    test_storing_and_recording_at_once,
)
from tests.mongodb import MongoDatabases

__all__ = [
    "first",
    "reader",
    "test_a_document_is_replaced_only_by_who_knows_it",
    "test_a_name_that_is_taken_meanwhile",
    "test_a_new_epoch_gives_everybody_new_grants_or_none",
    "test_a_picture_comes_back_with_everything",
    "test_a_picture_that_is_gone_does_not_come_back",
    "test_a_revision_takes_the_place_of_the_one_before",
    "test_a_sealed_picture_that_is_sent_again_comes_back",
    "test_a_writer_revises_and_a_reader_looks",
    "test_deleting_and_revising_at_once",
    "test_deleting_and_sharing_at_once",
    "test_for_good",
    "test_of_many_that_replace_the_same_one_wins",
    "test_of_two_that_replace_the_same_one_wins",
    "test_sharing_and_a_new_epoch_at_once_leave_no_stale_grant",
    "test_storing_and_recording_at_once",
    "test_taking_back_and_deleting_for_good_at_once",
    "test_the_same_once_more_is_harmless",
    "test_what_others_shared",
    "test_who_reads_meanwhile_gets_one_revision_whole",
]


@pytest.fixture(scope="module")
def server(mongo_databases: MongoDatabases) -> Iterator[Running]:
    """A server over MongoDB instead of a folder."""
    with serving_storage(open_mongo(mongo_databases.make()), FAST) as running:
        yield running
