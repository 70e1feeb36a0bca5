"""mongita on the SQLite engine: what is put right, and what must stay as it was."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from bson import ObjectId
from mongita.collection import Collection
from mongita.errors import DuplicateKeyError, InvalidName, MongitaError, MongitaNotImplementedError

from backend.storage import sqlite_schema
from backend.storage.mongita_collection import SqliteClient, SqliteCollection

ROOT = Path(__file__).resolve().parents[2]


def open_client(folder: Path) -> SqliteClient:
    sqlite_schema.prepare(folder / "records.sqlite3", may_create=True)
    return SqliteClient(folder / "records.sqlite3")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[SqliteClient]:
    client = open_client(tmp_path)
    yield client
    client.close()


@pytest.fixture
def things(client: SqliteClient) -> SqliteCollection:
    return client["db"]["things"]


def test_the_private_methods_that_are_replaced_are_mongitas():
    replaced = [name for name in vars(SqliteCollection) if name.startswith("_Collection__")]
    assert len(replaced) == 8
    assert [name for name in replaced if not hasattr(Collection, name)] == []


def test_an_id_in_a_filter_does_not_hide_the_other_fields(things):
    things.insert_one({"_id": "a", "n": 1})
    wrong = {"_id": "a", "n": 2}
    assert things.find_one(wrong) is None
    assert things.replace_one(wrong, {"n": 5}).matched_count == 0
    assert things.update_one(wrong, {"$set": {"n": 5}}).matched_count == 0
    assert things.delete_one(wrong).deleted_count == 0
    assert things.count_documents(wrong) == 0
    assert things.find_one({"_id": "a", "n": 1}) == {"_id": "a", "n": 1}


def test_a_text_and_an_object_id_are_different_ids(things):
    text = "0123456789abcdef01234567"
    things.insert_one({"_id": text, "kind": "text"})
    things.insert_one({"_id": ObjectId(text), "kind": "id"})
    assert things.find_one({"_id": text})["kind"] == "text"
    assert things.find_one({"_id": ObjectId(text)})["kind"] == "id"


def test_a_document_handed_out_is_a_copy(things):
    given = {"_id": "a", "list": [1]}
    things.insert_one(given)
    given["list"].append(2)
    found = things.find_one({"_id": "a"})
    found["list"].append(3)
    next(iter(things.find({})))["list"].append(4)
    assert things.find_one({"_id": "a"})["list"] == [1]


def test_an_update_that_fails_changes_nothing(things):
    things.insert_one({"_id": "a", "n": 1, "text": "x"})
    with pytest.raises(MongitaError):
        things.update_one({"_id": "a"}, {"$set": {"n": 2}, "$inc": {"text": 1}})
    assert things.find_one({"_id": "a"}) == {"_id": "a", "n": 1, "text": "x"}
    with pytest.raises(MongitaError):
        things.update_one({"_id": "a"}, {"$set": {"_id": "b"}})
    assert things.count_documents({}) == 1


def test_a_duplicate_id_is_refused_and_the_first_stays(things):
    things.insert_one({"_id": "a", "n": 1})
    with pytest.raises(DuplicateKeyError):
        things.insert_one({"_id": "a", "n": 2})
    assert list(things.find({})) == [{"_id": "a", "n": 1}]


def test_a_unique_index_refuses_insert_update_and_replace(things):
    things.create_index("name", unique=True)
    things.insert_one({"_id": "1", "name": "a"})
    things.insert_one({"_id": "2", "name": "b"})
    for change in (
        lambda: things.insert_one({"_id": "3", "name": "a"}),
        lambda: things.update_one({"_id": "2"}, {"$set": {"name": "a"}}),
        lambda: things.replace_one({"_id": "2"}, {"name": "a"}),
    ):
        with pytest.raises(DuplicateKeyError):
            change()
    assert list(things.find({})) == [{"_id": "1", "name": "a"}, {"_id": "2", "name": "b"}]
    assert things.update_one({"_id": "1"}, {"$set": {"name": "a"}}).matched_count == 1
    things.delete_one({"_id": "1"})
    things.insert_one({"_id": "3", "name": "a"})


def test_a_unique_index_is_refused_where_values_are_there_twice(things):
    things.insert_many([{"_id": "1", "name": "a"}, {"_id": "2", "name": "a"}])
    with pytest.raises(DuplicateKeyError):
        things.create_index("name", unique=True)
    assert things.index_information() == [{"_id_": {"key": [("_id", 1)]}}]
    things.insert_one({"_id": "3", "name": "a"})


def test_an_index_follows_every_change_and_survives_reopening(tmp_path):
    client = open_client(tmp_path)
    things = client["db"]["things"]
    things.insert_many([{"_id": f"{n:03}", "n": n % 5, "tags": ["t", f"t{n % 3}", "t"]} for n in range(700)])
    assert things.create_index("n") == "n_1"
    assert things.create_index([("tags", -1)]) == "tags_-1"
    assert things.create_index("n") == "n_1"
    things.update_many({"n": 4}, {"$set": {"n": 9}})
    things.delete_many({"n": 0})
    things.replace_one({"_id": "001"}, {"n": 7})
    for _ in range(2):
        assert things.count_documents({"n": 4}) == 0
        assert things.count_documents({"n": 0}) == 0
        assert [d["_id"] for d in things.find({"n": 7})] == ["001"]
        assert things.count_documents({"n": 9}) == 140
        assert things.count_documents({"n": {"$gte": 3, "$lt": 9}}) == 141
        assert things.count_documents({"n": {"$in": [9, 7, 9]}}) == 141
        assert things.count_documents({"tags": "t"}) == 559
        assert things.count_documents({"tags": "t1"}) == len([n for n in range(700) if n % 3 == 1 and n % 5 and n != 1])
        assert things.count_documents({"tags": None}) == 1
        for wanted in ({"$gte": "100", "$lt": "2"}, {"$gt": "100", "$lte": "2000"}, {"$gt": "3"}, {"$lt": 5}, {}):
            assert things.count_documents({"_id": wanted}) == len(list(things.find({"_id": wanted})))
        client.close()
        client = open_client(tmp_path)
        things = client["db"]["things"]
    things.drop_index("n_1")
    assert things.count_documents({"n": 9}) == 140
    rows = client.engine.connections.rows("SELECT count(*) FROM entries WHERE name='n_1'")
    assert rows == [(0,)]
    client.close()


def test_a_filter_on_an_index_does_not_read_the_rest(client, things, monkeypatch):
    things.create_index("owner")
    things.insert_many([{"_id": f"{n:04}", "owner": f"o{n % 10}", "n": n} for n in range(1000)])
    read = []
    rows = client.engine.connections.rows
    monkeypatch.setattr(client.engine.connections, "rows", lambda *args: read.extend(got := rows(*args)) or got)
    page = list(things.find({"owner": "o3", "_id": {"$gt": "0500"}}, sort=[("_id", 1)], limit=20))
    assert [d["n"] for d in page] == list(range(503, 703, 10))
    assert len(read) <= 21
    read.clear()
    assert things.find_one(sort=[("_id", -1)])["n"] == 999
    assert things.find_one({"_id": "0042"})["n"] == 42
    assert things.count_documents({"owner": "o3"}) == 100
    assert len(read) <= 4


def test_a_transaction_holds_several_changes_or_none(client, things):
    other = client["db"]["other"]
    things.insert_one({"_id": "a"})
    with pytest.raises(ZeroDivisionError), client.engine.lock:
        things.delete_one({"_id": "a"})
        other.insert_one({"_id": "b"})
        assert things.find_one({"_id": "a"}) is None
        assert other.find_one({"_id": "b"}) is not None
        _ = 1 / 0
    assert things.find_one({"_id": "a"}) is not None
    assert other.find_one({"_id": "b"}) is None
    assert client["db"].list_collection_names() == ["things"]
    other.insert_one({"_id": "b"})
    assert client["db"].list_collection_names() == ["things", "other"]


def test_a_caught_error_inside_a_transaction_undoes_only_its_own_block(client, things):
    things.create_index("name", unique=True)
    with client.engine.lock:
        things.insert_one({"_id": "1", "name": "a"})
        with pytest.raises(MongitaError):
            things.insert_many([{"_id": "2", "name": "b"}, {"_id": "3", "name": "a"}])
        things.insert_one({"_id": "4", "name": "c"})
    assert [d["_id"] for d in things.find({})] == ["1", "4"]


def test_other_threads_see_a_change_only_when_it_is_committed(client, things):
    things.insert_one({"_id": "a", "n": 1})
    seen = []
    with client.engine.lock:
        things.update_one({"_id": "a"}, {"$set": {"n": 2}})
        reader = threading.Thread(target=lambda: seen.append(things.find_one({"_id": "a"})["n"]))
        reader.start()
        reader.join(timeout=20)  # a reader that waited for the writer would never come back
    assert seen == [1]
    assert things.find_one({"_id": "a"})["n"] == 2


def test_a_commit_is_synced_before_it_returns(client):
    connections = client.engine.connections
    with connections.writing() as writer:
        assert writer.execute("PRAGMA synchronous").fetchone() == (2,)
        assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_replacing_or_inserting_in_one(things):
    assert things.replace_one({"_id": "a"}, {"n": 1}, upsert=True).upserted_id == "a"
    assert things.replace_one({"_id": "a"}, {"n": 2}, upsert=True).matched_count == 1
    made = things.replace_one({"n": 3}, {"n": 3}, upsert=True).upserted_id
    assert list(things.find({})) == [{"_id": "a", "n": 2}, {"_id": made, "n": 3}]


def test_dates_come_back_naive_and_in_milliseconds(things):
    things.create_index("when")
    things.insert_one({"_id": "a", "when": datetime(2024, 1, 2, 3, 4, 5, 678999)})
    stored = datetime(2024, 1, 2, 3, 4, 5, 678000)
    assert things.find_one({"when": stored})["when"] == stored
    things.update_one({"_id": "a"}, {"$set": {"when": datetime(2025, 1, 1)}})
    assert things.find_one({"when": stored}) is None


def test_collections_and_databases_are_listed_and_dropped(client):
    client["one"]["a"].insert_one({"_id": "1"})
    client["one"].b.c.insert_one({"_id": "1"})
    client["two"].a.create_index("x")
    assert client.list_database_names() == ["one", "two"]
    assert client["one"].list_collection_names() == ["a", "b.c"]
    assert [c.full_name for c in client["one"].list_collections()] == ["one.a", "one.b.c"]
    client["one"].drop_collection("a")
    assert client["one"].list_collection_names() == ["b.c"]
    assert client["one"]["a"].count_documents({}) == 0
    client.drop_database("one")
    assert client.list_database_names() == ["two"]
    assert client["one"].b.c.find_one({}) is None


def test_what_is_not_supported_says_so(client, things):
    for refused in (
        lambda: things.create_index([("a", 1), ("b", 1)]),
        lambda: things.create_index("a", background=True),
        lambda: things.aggregate([]),
        lambda: things.insert({}),
        lambda: things.with_options(codec=1),
    ):
        with pytest.raises(MongitaNotImplementedError):
            refused()
    for refused in (
        lambda: things.create_index([]),
        lambda: things.create_index([("", 1)]),
        lambda: things.create_index([("a", 2)]),
        lambda: things.insert_one({"_id": 5}),
    ):
        with pytest.raises(MongitaError):
            refused()
    with pytest.raises(InvalidName):
        client["a/b"]
    with pytest.raises(InvalidName):
        client["db"]["$x"]


def test_it_works_with_assertions_switched_off(tmp_path):
    script = """
import sys
from pathlib import Path
from backend.storage import sqlite_schema
from backend.storage.mongita_collection import SqliteClient
path = Path(sys.argv[1]) / "records.sqlite3"
sqlite_schema.prepare(path, may_create=True)
client = SqliteClient(path)
things = client["db"]["things"]
things.create_index("n")
things.insert_one({"_id": "a", "n": 1})
things.update_one({"_id": "a"}, {"$set": {"n": 2}})
things.insert_one({"_id": "b", "n": 1})
things.replace_one({"_id": "b"}, {"n": 3})
client.close()
client = SqliteClient(path)
found = list(client["db"]["things"].find({"n": {"$gt": 1}}))
print(found, client.list_database_names(), client["db"].list_collection_names())
client.close()
"""
    ran = subprocess.run(
        [sys.executable, "-O", "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[{'_id': 'a', 'n': 2}, {'_id': 'b', 'n': 3}] ['db'] ['things']"


def test_no_question_makes_sqlite_read_or_sort_everything(client, things, monkeypatch):
    things.create_index("owner")
    things.create_index("n")
    things.insert_many([{"_id": f"{n:03}", "owner": "o", "n": n} for n in range(300)])
    connections = client.engine.connections
    rows = connections.rows
    plans = {}

    def explained(query, *parameters):
        plans[query] = [detail for *_, detail in rows(f"EXPLAIN QUERY PLAN {query}", *parameters)]
        return rows(query, *parameters)

    monkeypatch.setattr(connections, "rows", explained)
    list(things.find({"owner": "o", "_id": {"$gt": "100"}}, sort=[("_id", -1)], limit=5))
    list(things.find({"_id": {"$gte": "100"}}))
    list(things.find({"n": {"$gt": 5, "$lt": 290}}))
    list(things.find({"n": {"$in": [5, 6]}}))
    assert len(list(things.find({"other": None}))) == 300
    things.count_documents({"owner": "o"})
    things.find_one({"_id": "007"})
    assert len(plans) >= 7
    for query, plan in plans.items():
        assert all(detail.startswith("SEARCH") or query.startswith("SELECT id ") for detail in plan), (query, plan)


@pytest.mark.parametrize(
    "filter", [{}, {"owner": "o"}, {"n": {"$gte": 0}}, {"_id": {"$gt": ""}}, {"_id": {"$in": list("abc")}}]
)
@pytest.mark.parametrize(
    "sort", [[("n", 1)], [("n", -1)], [("_id", -1)], [("_id", 1), ("n", 1)], [("owner", 1), ("n", -1)]]
)
def test_results_are_sorted_whichever_way_they_are_found(things, filter, sort):
    things.create_index("owner")
    things.create_index("n")
    documents = [{"_id": i, "owner": "o", "n": n} for i, n in (("b", 1), ("a", 2), ("c", 0))]
    things.insert_many(documents)
    key, direction = ("n", sort[-1][1]) if sort[0][0] != "_id" else sort[0]
    expected = sorted(documents, key=lambda d: d[key], reverse=direction < 0)
    assert list(things.find(filter, sort=sort)) == expected
    assert things.find_one(filter, sort=sort) == expected[0]
    assert list(things.find(filter, sort=sort, skip=1, limit=1)) == expected[1:2]
