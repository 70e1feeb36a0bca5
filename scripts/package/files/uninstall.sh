#!/bin/sh
# Removes what install.sh put there. Vaults, keys and settings stay.
set -eu
lib=$(cd "$(dirname "$0")" && pwd)
die() { printf 'glassine: %s\n' "$*" >&2; exit 1; }

[ -f "$lib/prefix" ] || die "run the uninstall.sh that is in the folder lib/glassine of the installation"
prefix=$(cat "$lib/prefix")
[ "$lib" = "$(cd "$prefix/lib/glassine" 2>/dev/null && pwd)" ] ||
  die "the installation was moved from $prefix; remove its folder by hand"

while read -r file; do
  rm -f "$prefix/share/$file"
done < "$lib/files"
rm -f "$prefix/bin/glassine"
applications=$prefix/share/applications
if [ "$(ls -A "$applications" 2>/dev/null)" = mimeinfo.cache ] && grep -qxF "$applications" "$lib/folders"; then
  rm -f "$applications/mimeinfo.cache"
elif command -v update-desktop-database >/dev/null 2>&1; then
  update-desktop-database -q "$applications" || true
fi
folders=$(sort -r "$lib/folders")
rm -rf "$lib"
printf '%s\n' "$folders" | while read -r folder; do
  rmdir "$folder" 2>/dev/null || true # what others use by now stays
done
echo "Glassine was removed. Vaults, keys and settings were left alone: they are in ~/.local/share/glassine,"
echo "and wherever else vaults were made."
