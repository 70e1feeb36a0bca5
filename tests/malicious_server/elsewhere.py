"""What else must hold against a server, readers, writers, thieves and one's own bad luck, and the tests that show it.

Each row is one thing that somebody does. Its proofs are attacks of this folder, by name, or tests of other folders, by
file and function; ``tests/malicious_server/test_document.py`` checks that every one of them exists, and ``make
attack-list`` runs them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Row:
    """One line of the list.

    Attributes:
        name: What is done.
        ends: How it ends.
        proofs: Attacks by name, and tests as ``file::function`` below ``tests``.
    """

    name: str
    ends: str
    proofs: tuple[str, ...]


_CANONICAL = "crypto/test_canonical.py::"
_ENVELOPE = "crypto/test_envelope.py::"
_CARRIER = "crypto/test_carrier.py::"
_KEYS = "crypto/test_keys.py::"
_KEY_FILE = "crypto/test_key_file.py::"
_SINGLE = "crypto/test_single_checks.py::"
_ORDER = "crypto/test_order.py::"
_JUDGING = "client/test_judging.py::"
_TRUST = "client/test_vault_trust.py::"
_BIN = "client/test_vault_bin.py::"
_KIT = "client/test_kit_restore.py::"
_TROUBLE = "client/sharing/test_trouble.py::"
_REVISING = "client/sharing/test_revising.py::"

ROWS: Final[tuple[Row, ...]] = (
    # -- what is parsed
    Row(
        "a header spelt otherwise: order, blanks, doubled and further members, fractions, NaN, booleans, null, long "
        "integers, half characters, depth, 33 KiB",
        "Damaged",
        (_CANONICAL + "test_other_texts_are_damaged", _ENVELOPE + "test_reserialise", "reserialised_header"),
    ),
    Row("another encoding of text", "Damaged", (_CANONICAL + "test_other_encodings_are_damaged",)),
    Row("base64 that has an alias", "Damaged", (_CANONICAL + "test_b64_alias",)),
    Row("hexadecimal with blanks or capitals", "Damaged", (_CANONICAL + "test_hex_space",)),
    Row("booleans and texts for integers", "Damaged", (_CANONICAL + "test_integers_are_no_booleans_and_in_range",)),
    # -- what is flipped
    Row(
        "each byte of the header flipped",
        "Damaged or NotAuthentic",
        (_ENVELOPE + "test_flip_each_byte_of_the_header", "flip_header"),
    ),
    Row(
        "each byte of the deed flipped, the header signed anew by a writer",
        "NotAuthentic",
        (_ENVELOPE + "test_flip_each_byte_of_the_deed_in_a_header_that_a_writer_signs",),
    ),
    Row(
        "each byte of the grant flipped",
        "NoGrant or Damaged",
        (_ENVELOPE + "test_flip_each_byte_of_the_grant", _ENVELOPE + "test_flip_bytes_of_the_grant_in_a_header"),
    ),
    Row("each byte of the thumbnail flipped", "Damaged", (_ENVELOPE + "test_flip_each_byte_of_the_thumbnail",)),
    Row(
        "each byte of the file flipped",
        "Damaged",
        (
            _CARRIER + "test_flip_every_byte_of_a_carrier_but_nothing_opens",
            _CARRIER + "test_flip_sampled_bytes_of_a_large_payload",
            "flip_payload",
            "flip_prefix",
        ),
    ),
    Row(
        "each byte of a record flipped",
        "Damaged or NotAuthentic",
        ("crypto/test_records.py::test_flip_each_byte_of_the_records",),
    ),
    # -- what is exchanged
    Row(
        "one picture's header under another's id",
        "WrongPicture",
        (_ENVELOPE + "test_swap_rows", _JUDGING + "test_swap_rows_of_known_pictures", "swap_rows", "swap_names"),
    ),
    Row(
        "the same id, another owner",
        "WrongPicture",
        (
            _JUDGING + "test_a_verified_envelope_of_another_picture",
            "client/sharing/test_shared.py::test_two_owners_with_one_id",
            "other_owner_same_id",
        ),
    ),
    Row(
        "thumbnails exchanged, or of an earlier revision",
        "Damaged; none is shown",
        (_ENVELOPE + "test_swap_thumbs", "swap_thumbnails", "stale_thumbnail"),
    ),
    Row(
        "the file of an earlier revision",
        "Damaged",
        (_CARRIER + "test_stale_png_and_carriers_of_other_pictures", "stale_png"),
    ),
    # -- chunks
    Row(
        "chunks truncated, reordered, repeated, dropped, added",
        "Damaged",
        (
            "crypto/test_chunks.py::test_other_sequences_are_damaged_even_with_their_own_hash",
            _CARRIER + "test_chunks_of_a_carrier",
            "truncate_chunks",
            "reorder_chunks",
            "repeat_chunk",
            "extra_chunk",
            "break_off",
        ),
    ),
    Row("a chunk of another revision", "Damaged", ("chunk_from_other_revision",)),
    Row(
        "a reader encrypts a chunk with the real key, and the server helps",
        "Damaged; no file",
        (_CARRIER + "test_reader_forges_chunk", "reader_forges_chunk"),
    ),
    Row(
        "a key that opens everything and is not the one the owner has committed to",
        "Damaged",
        (_SINGLE + "test_a_key_that_opens_everything_and_is_not_the_one_committed_to",),
    ),
    # -- readers and writers
    Row(
        "a reader signs a header",
        "NoGrant",
        (_ENVELOPE + "test_reader_signs_header", "reader_signs_header", "reader_without_grant"),
    ),
    Row(
        "a writer makes new wraps, a new epoch, a lower suite, a deed of their own",
        "NotAuthentic",
        (
            _ENVELOPE + "test_writer_new_wraps",
            _ENVELOPE + "test_writer_new_epoch",
            _ENVELOPE + "test_writer_lower_suite",
            _ENVELOPE + "test_writer_own_deed",
            "writer_new_epoch",
            "writer_own_deed",
            "lower_suite",
        ),
    ),
    Row(
        "a writer goes on after the picture was taken back",
        "NoGrant, or RolledBack where the new epoch was seen",
        (
            _ENVELOPE + "test_grant_of_old_deed_and_writer_after_revoke",
            "writer_after_revoke",
            "writer_old_grant_new_deed",
        ),
    ),
    Row(
        "a grant for reading is used to write", "NoGrant", (_ENVELOPE + "test_read_grant_used_to_write", "role_claimed")
    ),
    Row("a grant of another picture", "NoGrant", (_ENVELOPE + "test_grant_of_other_picture", "grant_of_other_picture")),
    Row(
        "a grant that names another picture or owner beside the right deed, or that another key signed",
        "NoGrant",
        (
            _SINGLE + "test_a_grant_that_names_something_else_beside_the_deed",
            _SINGLE + "test_a_grant_is_looked_at_for_its_owner_alone",
        ),
    ),
    Row("a grant of an old deed", "NoGrant", ("grant_of_old_deed", "revoked_reader_with_old_key")),
    Row("a grant for somebody else", "NoGrant", (_ENVELOPE + "test_regrant_to_other_fp", "regrant_to_other_fp")),
    Row("a role edited in a grant", "NoGrant", (_ENVELOPE + "test_role_edited", "role_edited")),
    Row(
        "a grant left out, or made by the server", "NoGrant", ("stripped_grant", "forged_grant", "writer_unknown_here")
    ),
    Row(
        "the key that somebody kept, and a picture encrypted anew",
        "does not open",
        (
            "crypto/test_sharing.py::test_a_saved_picture_key_opens_no_later_epoch",
            "client/sharing/test_sharing.py::test_what_somebody_gets_and_loses",
        ),
    ),
    Row(
        "somebody put back into the list of readers",
        "gets no key",
        (
            _TROUBLE + "test_a_permission_that_the_server_puts_back_is_not_renewed",
            _TROUBLE + "test_a_stranger_in_the_list_gets_nothing",
            "put_back_at_reseal",
            "permission_invented",
        ),
    ),
    # -- order
    Row(
        "an older revision",
        "RolledBack",
        (
            _ORDER + "test_rollback",
            _TRUST + "test_an_older_revision_is_named_over_a_restart",
            "rollback",
            "rollback_after_restart",
            "shared_rollback",
        ),
    ),
    Row("another header of the same revision", "Forked", (_ORDER + "test_same_rev_other_hash", "same_rev_other_hash")),
    Row(
        "a later revision without the steps between, and the greatest there is",
        "HistoryMissing; the owner's next epoch is still accepted",
        (
            _ORDER + "test_rev_jump_without_history",
            _ORDER + "test_the_greatest_revision_does_not_lock_the_owner_out",
            "rev_jump_without_history",
            "history_of_another",
        ),
    ),
    Row(
        "the owner encrypts anew while a writer writes",
        "refused once, kept as a conflict",
        (
            _TROUBLE + "test_an_owner_who_seals_anew_while_a_writer_writes",
            _REVISING + "test_a_conflict_keeps_both",
            "backend/test_revisions.py::test_of_two_that_replace_the_same_one_wins",
        ),
    ),
    Row(
        "two devices make the same revision",
        "a conflict, neither lost; Forked when the server showed each its own",
        (
            _ORDER + "test_two_devices_rev5",
            _JUDGING + "test_two_devices_rev5",
            _REVISING + "test_two_devices",
            "computers_kept_apart",
        ),
    ),
    # -- what is left out and put in
    Row(
        "a picture left out",
        "Missing",
        (_JUDGING + "test_drop_picture", "drop_picture", "drop_everything", "drop_with_forged_gone"),
    ),
    Row(
        "a picture left out that its owner deleted",
        "silent",
        (_JUDGING + "test_drop_after_gone_is_silent", "drop_after_gone"),
    ),
    Row(
        "a picture brought back that its owner deleted",
        "Resurrected",
        (_JUDGING + "test_header_after_gone", _BIN + "test_a_purged_picture_does_not_come_back", "header_after_gone"),
    ),
    Row(
        "a picture put among one's own",
        "Injected",
        (_JUDGING + "test_inject_own_named", "inject_own_named", "inject_others_picture", "inject_with_my_name"),
    ),
    Row(
        "pictures hidden in the bin",
        "shown there, and missed when they are lost from it",
        (_BIN + "test_a_server_that_hides_pictures_in_the_bin_loses_them_visibly", "moved_to_bin"),
    ),
    # -- people
    Row(
        "a key exchanged at first contact",
        "asks; Unverified",
        ("client/test_people.py::test_first_contact_is_not_verified", "key_swap_first_contact"),
    ),
    Row(
        "a key exchanged later",
        "KeyChanged; nothing is wrapped for it",
        (
            "client/test_people.py::test_key_change",
            _TROUBLE + "test_a_changed_key_gets_nothing",
            "key_change",
            "old_key_again",
        ),
    ),
    Row(
        "a key exchanged between dialog and wrap",
        "the key that was shown is used",
        ("client/test_people.py::test_key_swap_between_dialog_and_wrap", "key_swap_between_dialog_and_wrap"),
    ),
    Row(
        "one key for two people, names exchanged",
        "KeyRefused",
        (
            "client/test_people.py::test_same_fp_two_people",
            "client/test_people.py::test_names_exchanged",
            "same_fp_two_people",
            "names_exchanged",
            "accounts_exchanged",
        ),
    ),
    Row(
        "weak keys: e = 1 and 3, even n, a square, close primes, 2047 and 8193 bits, small factors, other kinds, two "
        "in one",
        "KeyRefused",
        (
            _KEYS + "test_weak_numbers_are_refused",
            _KEYS + "test_primes_within_fermats_reach_are_refused_and_farther_ones_not",
            _KEYS + "test_other_kinds_of_key_are_refused",
            _KEYS + "test_only_one_block_in_its_usual_form",
            "weak_keys",
        ),
    ),
    Row(
        "one's own public key altered",
        "KeyChanged",
        (
            _TROUBLE + "test_ones_own_key_altered_by_the_server",
            "own_key_at_sign_in",
            "own_old_key_again",
            "own_key_for_others",
            "own_key_as_another",
        ),
    ),
    Row("a grant that holds another key", "Damaged", (_ENVELOPE + "test_wrong_key_in_grant",)),
    Row(
        "wraps that disagree, and a wrap of 31 bytes",
        "Damaged",
        (
            _CARRIER + "test_vault_and_rsa_wrap_disagree",
            _ENVELOPE + "test_a_grant_that_does_not_open_and_one_of_31_bytes",
            _ENVELOPE + "test_vault_wrap_with_another_key",
        ),
    ),
    # -- schemes
    Row(
        "a sealed picture, account or person called classic",
        "SchemeChanged; nothing is sent",
        (
            _JUDGING + "test_server_says_classic",
            "client/test_people.py::test_peer_key_becomes_classic",
            "server_says_classic",
            "account_becomes_classic",
            "peer_key_becomes_classic",
            "classic_in_place_of_sealed",
        ),
    ),
    Row(
        "a suite that is not known",
        "Unsupported when its owner signed it, else NotAuthentic",
        (_ENVELOPE + "test_an_unknown_suite_is_unsupported_only_when_the_owner_signed_it", "lower_suite"),
    ),
    # -- key files
    Row(
        "a key file exchanged, an old one, a slot removed",
        "WrongKey or KeyFileDamaged",
        (
            _KEY_FILE + "test_keyfile_swap",
            _KEY_FILE + "test_old_keyfile",
            _KEY_FILE + "test_slot_removed",
            _KIT + "test_a_key_file_swapped_by_the_server_is_refused",
            "keyfile_swap",
            "keyfile_and_account_swap",
            "keyfile_of_same_kit",
            "printed_digits",
            "old_keyfile",
            "slot_removed",
        ),
    ),
    Row(
        "costs lowered, 4 TiB of memory asked for, two passphrase slots, the check altered",
        "WrongKey, KeyFileDamaged or TooLarge",
        (
            _KEY_FILE + "test_params_lowered_and_other_edits",
            _KEY_FILE + "test_refused_parameters_never_reach_the_derivation",
            _KEY_FILE + "test_two_pass_slots",
            _KEY_FILE + "test_check_altered",
            "params_lowered",
            "keyfile_flipped",
        ),
    ),
    Row(
        "the passphrase slot on the server",
        "never there",
        (_KEY_FILE + "test_server_copy_has_no_pass_slot", _KIT + "test_the_copy_on_the_server_opens_with_the_kit_only"),
    ),
    Row(
        "a passphrase that is the password",
        "refused before anything is sent",
        (
            "client/test_sessions.py::test_a_passphrase_equal_to_the_password_is_refused_before_anything_is_sent",
            _KIT + "test_a_passphrase_that_is_the_password_is_refused",
        ),
    ),
    Row("a passphrase typed on another keyboard", "the same key", (_KEY_FILE + "test_nfc_nfd_same_key",)),
    Row(
        "a kit without a second copy of the key file",
        "does not count",
        (
            _KIT + "test_a_kit_counts_when_it_was_typed_back_and_a_second_copy_exists",
            _KIT + "test_a_server_that_gives_back_another_copy_does_not_make_the_kit_count",
        ),
    ),
    Row(
        "the key through other programs' formats",
        "the same vault key",
        (
            "crypto/test_key_formats.py::test_vault_key_same_whatever_the_format",
            "crypto/test_key_formats.py::test_vault_key_same_with_swapped_primes",
        ),
    ),
    # -- the ledger
    Row(
        "an older ledger, or none any more",
        "RolledBack",
        (
            "crypto/test_records.py::test_ledger_rollback",
            _TRUST + "test_an_older_ledger_is_named_and_replaced",
            "ledger_rollback",
            "ledger_lost",
        ),
    ),
    Row(
        "another ledger", "LedgerDamaged", (_TRUST + "test_a_ledger_that_is_none_is_named_and_left", "ledger_exchanged")
    ),
    Row(
        "a new computer, with a ledger or without",
        "says so",
        (_TRUST + "test_without_a_ledger_a_new_computer_says_so", "new_device", "new_device_without_ledger"),
    ),
    # -- decoders and names
    Row(
        "bombs: pixels, sizes, palettes, interlacing, floods of data, false lengths",
        "TooLarge or Damaged, in bounded memory",
        (
            "crypto/test_recompressed.py::test_hostile_files_in_bounded_memory",
            "crypto/test_recompressed.py::test_compressed_data_far_beyond_the_picture",
            _CARRIER + "test_content_length_lie",
            _CARRIER + "test_a_server_may_not_use_another_shape",
            "attacks/test_payloads.py::test_pictures_of_too_many_pixels",
            "json_bombs",
            "content_length_lies",
            "endless_list",
            "endless_picture",
            "endless_refusal",
        ),
    ),
    Row(
        "hostile names: parents, zero bytes, text that turns around, devices, 5 KB",
        "made safe",
        (
            "crypto/test_metadata.py::test_hostile_name",
            "attacks/test_payloads.py::test_sealed_names_lead_nowhere",
            "attacks/test_lying_server.py::test_names_of_a_server_are_data",
            "hostile_stored_names",
            "hostile_file_name",
        ),
    ),
    Row(
        "a drawing as a picture, a huge thumbnail",
        "Unsupported; not shown",
        (
            "attacks/test_payloads.py::test_no_decoder_but_those_of_the_list",
            "attacks/test_payloads.py::test_thumbnails_are_small_jpegs",
        ),
    ),
    Row(
        "a share that nobody asked for",
        "waits; no decoder is called",
        (
            "client/sharing/test_shared.py::test_an_unasked_share_is_not_decoded",
            "unsolicited_share",
            "share_from_invented_person",
            "inject_among_accepted",
        ),
    ),
    # -- a change of one's own key
    Row(
        "older, damaged and invented things handed out while one's own key is changed",
        "left as they are; nobody is given the new key who was not given the old one",
        (
            "client/test_key_change.py::test_an_older_revision_is_not_carried_over",
            "client/test_key_change.py::test_a_permission_that_the_server_made_up_gets_no_grant",
            "client/test_key_change.py::test_a_damaged_picture_does_not_stop_the_others",
            "key_change_dropped",
        ),
    ),
    Row(
        "another picture handed out while classic pictures are sealed anew",
        "nothing is lost",
        ("client/test_moving_classic.py::test_a_server_that_gives_back_another_picture_loses_nothing",),
    ),
    # -- bad luck
    Row(
        "killed while pictures are sealed, sent, sealed anew, deleted, while a key is changed, while something is "
        "remembered",
        "a retry succeeds; no duplicate, no false alarm",
        (
            "crypto/test_sealed.py::test_kill_at_any_moment_leaves_all_or_nothing",
            "client/test_killed.py::test_nothing_acknowledged_is_lost",
            "client/test_killed.py::test_a_change_of_the_key_survives_being_killed",
            _TROUBLE + "test_killed_while_sealing_anew",
            _BIN + "test_an_interrupted_purge_is_finished",
            "client/test_memory.py::test_killed_while_writing",
            "end_to_end/test_killed_program.py::test_nothing_acknowledged_is_lost",
        ),
    ),
    Row(
        "salts over renames, retries and restarts",
        "never the same",
        (
            "crypto/test_sealed.py::test_a_salt_never_repeats",
            "crypto/test_sharing.py::test_each_attempt_has_its_own_salt",
            "crypto/test_sharing.py::test_renaming_seals_everything_anew",
        ),
    ),
    Row(
        "filler of the file",
        "random, never from a buffer",
        (_CARRIER + "test_filler_is_random_and_never_from_a_buffer",),
    ),
    Row(
        "arguments, logs, temporary files, settings",
        "hold no secret",
        (
            "cli/test_cli.py::test_no_passphrase_can_be_an_argument",
            "end_to_end/test_outcome.py::test_nothing_secret_is_written_to_settings_or_log",
            "client/test_local_files.py::test_preferences_hold_no_secrets",
            "client/test_no_plaintext.py::test_a_whole_session_leaves_no_plaintext",
            "client/test_vault.py::test_no_plaintext_is_left_on_the_disk",
            "client/sharing/test_copies.py::test_no_plaintext_is_left_on_the_disk",
        ),
    ),
    Row(
        "a clock fifty years wrong",
        "changes no decision",
        ("client/test_people.py::test_clocks_decide_nothing", "clock", "times_of_a_server"),
    ),
    Row(
        "signatures without salt, and those of another kind of object",
        "NotAuthentic",
        (
            _KEYS + "test_pss_salt0_and_other_parameters_are_not_authentic",
            _ENVELOPE + "test_pss_salt0_in_a_header_and_a_deed",
            _ENVELOPE + "test_a_signature_of_another_type",
            "foreign_signature",
        ),
    ),
)
"""Everything that must hold, line by line."""


def named_tests() -> list[str]:
    """Return the tests of other folders that are named, each once."""
    return sorted({proof for row in ROWS for proof in row.proofs if "::" in proof})


def named_attacks() -> set[str]:
    """Return the attacks that are named."""
    return {proof for row in ROWS for proof in row.proofs if "::" not in proof}
