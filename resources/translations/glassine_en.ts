<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
    <context>
        <name>BannerArea</name>
        <message numerus="yes">
            <source>%n more</source>
            <translation>
                <numerusform>%n more</numerusform>
                <numerusform>%n more</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Show %n more notices</source>
            <translation>
                <numerusform>Show %n more notice</numerusform>
                <numerusform>Show %n more notices</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>Batches</name>
        <message numerus="yes">
            <source>%1 %n pictures are not done.</source>
            <translation>
                <numerusform>%1 %n picture is not done.</numerusform>
                <numerusform>%1 %n pictures are not done.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>In %1, not encrypted. %n got a new name, because theirs was taken.</source>
            <translation>
                <numerusform>In %1, not encrypted. %n got a new name, because its own was taken.</numerusform>
                <numerusform>In %1, not encrypted. %n got a new name, because theirs was taken.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Saved %n copies</source>
            <translation>
                <numerusform>Saved %n copy</numerusform>
                <numerusform>Saved %n copies</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%1 %n others are saved.</source>
            <translation>
                <numerusform>%1 %n other is saved.</numerusform>
                <numerusform>%1 %n others are saved.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%1 %n others are in the bin.</source>
            <translation>
                <numerusform>%1 The other one is in the bin.</numerusform>
                <numerusform>%1 %n others are in the bin.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%1 %n others are restored.</source>
            <translation>
                <numerusform>%1 The other one is restored.</numerusform>
                <numerusform>%1 %n others are restored.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%1 %n others are deleted.</source>
            <translation>
                <numerusform>%1 %n other is deleted.</numerusform>
                <numerusform>%1 %n others are deleted.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>and %n more</source>
            <translation>
                <numerusform>and %n more</numerusform>
                <numerusform>and %n more</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n copies could not be saved</source>
            <translation>
                <numerusform>%n copy could not be saved</numerusform>
                <numerusform>%n copies could not be saved</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n pictures could not be moved to the bin</source>
            <translation>
                <numerusform>%n picture could not be moved to the bin</numerusform>
                <numerusform>%n pictures could not be moved to the bin</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n pictures could not be restored</source>
            <translation>
                <numerusform>%n picture could not be restored</numerusform>
                <numerusform>%n pictures could not be restored</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n pictures could not be deleted</source>
            <translation>
                <numerusform>%n picture could not be deleted</numerusform>
                <numerusform>%n pictures could not be deleted</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n copies were not saved</source>
            <translation>
                <numerusform>%n copy was not saved</numerusform>
                <numerusform>%n copies were not saved</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n pictures were not moved to the bin</source>
            <translation>
                <numerusform>%n picture was not moved to the bin</numerusform>
                <numerusform>%n pictures were not moved to the bin</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n pictures were not restored</source>
            <translation>
                <numerusform>%n picture was not restored</numerusform>
                <numerusform>%n pictures were not restored</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n pictures were not deleted</source>
            <translation>
                <numerusform>%n picture was not deleted</numerusform>
                <numerusform>%n pictures were not deleted</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>BinPage</name>
        <message numerus="yes">
            <source>Pictures you move here are kept for %n days.</source>
            <translation>
                <numerusform>Pictures you move here are kept for %n day.</numerusform>
                <numerusform>Pictures you move here are kept for %n days.</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>ChangeKeyDialog</name>
        <message numerus="yes">
            <source>%n pictures are encrypted for your new key.</source>
            <translation>
                <numerusform>%n picture is encrypted for your new key.</numerusform>
                <numerusform>%n pictures are encrypted for your new key.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n could not be opened with the old key either and stay as they were.</source>
            <translation>
                <numerusform>%n could not be opened with the old key either and stays as it was.</numerusform>
                <numerusform>%n could not be opened with the old key either and stay as they were.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n people see nothing of what you shared until you have compared words with them.</source>
            <translation>
                <numerusform>%n person sees nothing of what you shared until you have compared words with them.</numerusform>
                <numerusform>%n people see nothing of what you shared until you have compared words with them.</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>ChosenBar</name>
        <message numerus="yes">
            <source>%n selected</source>
            <translation>
                <numerusform>%n selected</numerusform>
                <numerusform>%n selected</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>CirclePages</name>
        <message numerus="yes">
            <source>%n pictures are shared that had waited</source>
            <translation>
                <numerusform>%n picture is shared that had waited</numerusform>
                <numerusform>%n pictures are shared that had waited</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Save %n copies in…</source>
            <translation>
                <numerusform>Save a copy in…</numerusform>
                <numerusform>Save %n copies in…</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Moved %n pictures to the bin</source>
            <translation>
                <numerusform>Moved %n picture to the bin</numerusform>
                <numerusform>Moved %n pictures to the bin</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>Deleting</name>
        <message numerus="yes">
            <source>Delete %n pictures?</source>
            <translation>
                <numerusform>Delete %n picture?</numerusform>
                <numerusform>Delete %n pictures?</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Delete %n pictures</source>
            <translation>
                <numerusform>Delete %n picture</numerusform>
                <numerusform>Delete %n pictures</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Delete %n pictures for good?</source>
            <translation>
                <numerusform>Delete %n picture for good?</numerusform>
                <numerusform>Delete %n pictures for good?</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>DetailsPanel</name>
        <message numerus="yes">
            <source>%1 and %n others</source>
            <translation>
                <numerusform>%1 and %n other</numerusform>
                <numerusform>%1 and %n others</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%1 (%n new keys)</source>
            <translation>
                <numerusform>%1 (%n new key)</numerusform>
                <numerusform>%1 (%n new keys)</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>DropOverlay</name>
        <message numerus="yes">
            <source>%n files. You can look them over before anything is sent.</source>
            <translation>
                <numerusform>%n file. You can look it over before anything is sent.</numerusform>
                <numerusform>%n files. You can look them over before anything is sent.</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>GalleryNotices</name>
        <message numerus="yes">
            <source>%n pictures are not what you stored</source>
            <translation>
                <numerusform>%n picture is not what you stored</numerusform>
                <numerusform>%n pictures are not what you stored</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n files were not added</source>
            <translation>
                <numerusform>%n file was not added</numerusform>
                <numerusform>%n files were not added</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>GalleryPage</name>
        <message numerus="yes">
            <source>Save %n copies in…</source>
            <translation>
                <numerusform>Save %n copy in…</numerusform>
                <numerusform>Save %n copies in…</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>GalleryView</name>
        <message numerus="yes">
            <source>%n pictures</source>
            <translation>
                <numerusform>%n picture</numerusform>
                <numerusform>%n pictures</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>Leaving</name>
        <message numerus="yes">
            <source>Quit while %n pictures are waiting?</source>
            <translation>
                <numerusform>Quit while %n picture is waiting?</numerusform>
                <numerusform>Quit while %n pictures are waiting?</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Sign out while %n pictures are waiting?</source>
            <translation>
                <numerusform>Sign out while %n picture is waiting?</numerusform>
                <numerusform>Sign out while %n pictures are waiting?</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n are kept here, encrypted, and go on when Glassine is opened again.</source>
            <translation>
                <numerusform>%n is kept here, encrypted, and goes on when Glassine is opened again.</numerusform>
                <numerusform>%n are kept here, encrypted, and go on when Glassine is opened again.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n are kept here, encrypted, and go on when you sign in again.</source>
            <translation>
                <numerusform>%n is kept here, encrypted, and goes on when you sign in again.</numerusform>
                <numerusform>%n are kept here, encrypted, and go on when you sign in again.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n transfers go on while locked. They need no key.</source>
            <translation>
                <numerusform>%n transfer goes on while locked. It needs no key.</numerusform>
                <numerusform>%n transfers go on while locked. They need no key.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n pictures wait here, encrypted, and go on when you unlock.</source>
            <translation>
                <numerusform>%n picture waits here, encrypted, and goes on when you unlock.</numerusform>
                <numerusform>%n pictures wait here, encrypted, and go on when you unlock.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n are not encrypted yet and are only where they came from. Leave them there; they go on too.</source>
            <translation>
                <numerusform>%n is not encrypted yet and is only where it came from. Leave it there; it goes on too.</numerusform>
                <numerusform>%n are not encrypted yet and are only where they came from. Leave them there; they go on too.</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>MoveClassicDialog</name>
        <message numerus="yes">
            <source>%n pictures are sealed now.</source>
            <translation>
                <numerusform>%n picture is sealed now.</numerusform>
                <numerusform>%n pictures are sealed now.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n could not be decrypted and stay as they were: %1</source>
            <translation>
                <numerusform>%n could not be decrypted and stays as it was: %1</numerusform>
                <numerusform>%n could not be decrypted and stay as they were: %1</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>OpenVault</name>
        <message numerus="yes">
            <source>%n failed</source>
            <translation>
                <numerusform>%n failed</numerusform>
                <numerusform>%n failed</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>Passphrase</name>
        <message numerus="yes">
            <source>At least %n characters.</source>
            <translation>
                <numerusform>At least one character.</numerusform>
                <numerusform>At least %n characters.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Take at least %n characters.</source>
            <translation>
                <numerusform>Take at least %n character.</numerusform>
                <numerusform>Take at least %n characters.</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>PictureModel</name>
        <message numerus="yes">
            <source>shared with %n people</source>
            <translation>
                <numerusform>shared with %n person</numerusform>
                <numerusform>shared with %n people</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>PreflightDialog</name>
        <message numerus="yes">
            <source>Do not ask for fewer than %n pictures</source>
            <translation>
                <numerusform>Do not ask for fewer than %n picture</numerusform>
                <numerusform>Do not ask for fewer than %n pictures</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Add %n pictures?</source>
            <translation>
                <numerusform>Add %n picture?</numerusform>
                <numerusform>Add %n pictures?</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Restore %n pictures?</source>
            <translation>
                <numerusform>Restore %n picture?</numerusform>
                <numerusform>Restore %n pictures?</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n are already there</source>
            <translation>
                <numerusform>%n is already there</numerusform>
                <numerusform>%n are already there</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n are in the bin</source>
            <translation>
                <numerusform>%n is in the bin</numerusform>
                <numerusform>%n are in the bin</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n cannot be added</source>
            <translation>
                <numerusform>%n cannot be added</numerusform>
                <numerusform>%n cannot be added</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n are too large</source>
            <translation>
                <numerusform>%n is too large</numerusform>
                <numerusform>%n are too large</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>SelectionBar</name>
        <message numerus="yes">
            <source>%n selected</source>
            <translation>
                <numerusform>%n selected</numerusform>
                <numerusform>%n selected</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>SettingsPage</name>
        <message numerus="yes">
            <source>%n minutes</source>
            <translation>
                <numerusform>%n minute</numerusform>
                <numerusform>%n minutes</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>ShareDialog</name>
        <message numerus="yes">
            <source>Share %n pictures</source>
            <translation>
                <numerusform>Share %n picture</numerusform>
                <numerusform>Share %n pictures</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n could not be shared</source>
            <translation>
                <numerusform>%n could not be shared</numerusform>
                <numerusform>%n could not be shared</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Shared %n pictures with %1</source>
            <translation>
                <numerusform>Shared %n picture with %1</numerusform>
                <numerusform>Shared %n pictures with %1</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>SharedPage</name>
        <message numerus="yes">
            <source>Give %n pictures back?</source>
            <translation>
                <numerusform>Give %n picture back?</numerusform>
                <numerusform>Give %n pictures back?</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>StopSharing</name>
        <message numerus="yes">
            <source>Stop sharing %n pictures with %1?</source>
            <translation>
                <numerusform>Stop sharing %n picture with %1?</numerusform>
                <numerusform>Stop sharing %n pictures with %1?</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>TransfersPanel</name>
        <message numerus="yes">
            <source>Show %n more</source>
            <translation>
                <numerusform>Show %n more</numerusform>
                <numerusform>Show %n more</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>Trust</name>
        <message numerus="yes">
            <source>This vault holds an older revision of %n pictures</source>
            <translation>
                <numerusform>This vault holds an older revision of %n picture</numerusform>
                <numerusform>This vault holds an older revision of %n pictures</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>The server handed out an older revision of %n pictures</source>
            <translation>
                <numerusform>The server handed out an older revision of %n picture</numerusform>
                <numerusform>The server handed out an older revision of %n pictures</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n pictures among yours are not from you</source>
            <translation>
                <numerusform>%n picture among yours is not from you</numerusform>
                <numerusform>%n pictures among yours are not from you</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n pictures are back that you deleted for good</source>
            <translation>
                <numerusform>%n picture is back that you deleted for good</numerusform>
                <numerusform>%n pictures are back that you deleted for good</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n pictures are offered in another scheme</source>
            <translation>
                <numerusform>%n picture is offered in another scheme</numerusform>
                <numerusform>%n pictures are offered in another scheme</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n pictures are missing from this vault</source>
            <translation>
                <numerusform>%n picture is missing from this vault</numerusform>
                <numerusform>%n pictures are missing from this vault</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n pictures are missing on the server</source>
            <translation>
                <numerusform>%n picture is missing on the server</numerusform>
                <numerusform>%n pictures are missing on the server</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>ViewerHeader</name>
        <message numerus="yes">
            <source>Shared with %n, not all verified</source>
            <translation>
                <numerusform>Shared with %n, not verified</numerusform>
                <numerusform>Shared with %n, not all verified</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Shared with %n, verified</source>
            <translation>
                <numerusform>Shared with %n, verified</numerusform>
                <numerusform>Shared with %n, verified</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>WaitingBox</name>
        <message numerus="yes">
            <source>Shares %n pictures with you</source>
            <translation>
                <numerusform>Shares %n picture with you</numerusform>
                <numerusform>Shares %n pictures with you</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>wording</name>
        <message numerus="yes">
            <source>About %n minutes left</source>
            <translation>
                <numerusform>About %n minute left</numerusform>
                <numerusform>About %n minutes left</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>About %n hours left</source>
            <translation>
                <numerusform>About %n hour left</numerusform>
                <numerusform>About %n hours left</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n min left</source>
            <translation>
                <numerusform>%n min left</numerusform>
                <numerusform>%n min left</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n h left</source>
            <translation>
                <numerusform>%n h left</numerusform>
                <numerusform>%n h left</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>About %n min</source>
            <translation>
                <numerusform>About %n min</numerusform>
                <numerusform>About %n min</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>About %n h</source>
            <translation>
                <numerusform>About %n h</numerusform>
                <numerusform>About %n h</numerusform>
            </translation>
        </message>
    </context>
</TS>
