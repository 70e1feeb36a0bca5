"""The whole program killed while it stores: a few rounds of ``python -m benchmarks.kill_program``, which does more."""

from __future__ import annotations

from benchmarks import kill_program


def test_nothing_acknowledged_is_lost() -> None:
    ledger = kill_program.run(3)
    assert ledger.kept, ledger
    assert ledger.rounds == 3
    assert ledger.opened >= len(ledger.acknowledged)


def test_broken_promises_are_noticed() -> None:
    """The examination itself can fail: each kind of harm is found."""
    from desktop import embedded
    from desktop.client.session import Sessions
    from desktop.config import Config

    with kill_program.prepared() as folder:
        vault_folder = folder / "data" / "vault"
        session = Sessions(Config(folder / "data"), embedded.start).open_vault(vault_folder, kill_program.PASSPHRASE)
        vault, source = session.vault(), folder / "sources" / "a.bmp"
        source.write_bytes(kill_program.content("a.bmp"))
        first = vault.upload(vault.seal(source)).id
        source.write_bytes(kill_program.content("b.bmp"))  # other bytes than belong to the name, and the name twice
        second = vault.upload(vault.seal(source)).id
        session.close()

        ledger = kill_program.Ledger(acknowledged={first, second, "0" * 32})
        (vault_folder / "staging" / ("0" * 32)).mkdir(parents=True)
        ledger.check(folder, open_all=True)
        assert ledger.lost == {"0" * 32}
        assert ledger.damaged == {second}
        assert ledger.duplicates == {"a.bmp"}
        assert not ledger.troubles  # what is incomplete is cleared away when the vault is opened

        ledger = kill_program.Ledger(acknowledged={first})
        ledger.read(folder, [f"listed {second}\n", f"listed {second}\n", "open\n"])
        assert (ledger.lost, ledger.duplicates) == ({first}, {second})
