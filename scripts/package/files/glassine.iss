; The Windows installer, for Inno Setup 6:  ISCC /DVersion=0.1.0 scripts\package\files\glassine.iss
; Written from Inno Setup's documentation; it has never run.

[Setup]
AppId={{3C0F64C5-5B4B-4E0B-9A1B-6B8C1B0C8D52}
AppName=Glassine
AppVersion={#Version}
DefaultDirName={autopf}\Glassine
DefaultGroupName=Glassine
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
ChangesAssociations=yes
LicenseFile=..\..\..\LICENSE
OutputDir=..\..\..\dist
OutputBaseFilename=glassine-{#Version}-setup
UninstallDisplayIcon={app}\glassine-desktop.exe
Compression=lzma2
SolidCompression=yes

[Files]
Source: "..\..\..\dist\glassine\*"; DestDir: "{app}"; Flags: recursesubdirs ignoreversion

[InstallDelete]
; modules that a newer version no longer has
Type: filesandordirs; Name: "{app}\_internal"

[Icons]
Name: "{group}\Glassine"; Filename: "{app}\glassine-desktop.exe"

[Registry]
; offered under "Open with" for pictures; what opens them by default stays as it is
Root: HKA; Subkey: "Software\Classes\Glassine.Picture\shell\open\command"; ValueType: string; ValueData: """{app}\glassine-desktop.exe"" ""%1"""; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\.png\OpenWithProgids"; ValueType: none; ValueName: "Glassine.Picture"; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\.jpg\OpenWithProgids"; ValueType: none; ValueName: "Glassine.Picture"; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\.jpeg\OpenWithProgids"; ValueType: none; ValueName: "Glassine.Picture"; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\.webp\OpenWithProgids"; ValueType: none; ValueName: "Glassine.Picture"; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\.gif\OpenWithProgids"; ValueType: none; ValueName: "Glassine.Picture"; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\.tif\OpenWithProgids"; ValueType: none; ValueName: "Glassine.Picture"; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\.tiff\OpenWithProgids"; ValueType: none; ValueName: "Glassine.Picture"; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\.bmp\OpenWithProgids"; ValueType: none; ValueName: "Glassine.Picture"; Flags: uninsdeletevalue
