#!/bin/sh
# Installs Glassine for the person who runs this, or for everybody with --prefix /usr/local (as root).
# usage: ./install.sh [--prefix DIR]        (default: ~/.local)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
prefix=${HOME:?}/.local

die() { printf 'glassine: %s\n' "$*" >&2; exit 1; }

while [ $# -gt 0 ]; do
  case $1 in
    --prefix) [ $# -ge 2 ] || die "--prefix needs a folder"; prefix=$2; shift 2 ;;
    --prefix=*) prefix=${1#--prefix=}; shift ;;
    *) die "usage: ./install.sh [--prefix DIR]" ;;
  esac
done
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
# the path goes into the desktop entry, where these would need quoting that not every desktop undoes
case $prefix in
  *[!A-Za-z0-9/._+@~-]*) die "choose a folder whose name has only letters, digits and / . _ + @ ~ -, not $prefix" ;;
esac

[ "$(uname -s) $(uname -m)" = "Linux x86_64" ] || die "this is for Linux on x86_64, not for $(uname -s) on $(uname -m)"
if ! version=$("$here/lib/glassine" --version 2>&1); then
  die "the program does not run here: $version"
fi

new=$prefix/lib/.glassine-new-$$
old=$prefix/lib/.glassine-old-$$
trap 'rm -rf "$new"' EXIT
made=
make_folder() { # remembers what it makes: uninstall.sh removes those, and no others
  [ -d "$1" ] || { make_folder "$(dirname "$1")"; mkdir "$1"; made="$made$1
"; }
}

make_folder "$prefix/lib"
cp -R "$here/lib" "$new"
cp "$here/uninstall.sh" "$new/uninstall.sh"
printf '%s\n' "$prefix" > "$new/prefix"
[ ! -f "$prefix/lib/glassine/folders" ] || cp "$prefix/lib/glassine/folders" "$new/folders"
# the old version goes only when the new one is complete
[ ! -e "$prefix/lib/glassine" ] || mv "$prefix/lib/glassine" "$old"
mv "$new" "$prefix/lib/glassine"
rm -rf "$old"

make_folder "$prefix/bin"
ln -sfn ../lib/glassine/glassine "$prefix/bin/glassine"
(cd "$here/share" && find . -type f) | sed 's|^\./||' > "$prefix/lib/glassine/files"
while read -r file; do
  make_folder "$(dirname "$prefix/share/$file")"
  cp "$here/share/$file" "$prefix/share/$file"
done < "$prefix/lib/glassine/files"
sed -e "s|^Exec=glassine|Exec=$prefix/bin/glassine|" -e "s|^TryExec=glassine|TryExec=$prefix/bin/glassine|" \
  "$here/share/applications/glassine.desktop" > "$prefix/share/applications/glassine.desktop"
printf '%s' "$made" >> "$prefix/lib/glassine/folders"
if command -v update-desktop-database >/dev/null 2>&1; then
  update-desktop-database -q "$prefix/share/applications" || true
fi

echo "Installed $version in $prefix/lib/glassine."
case ":$PATH:" in
  *":$prefix/bin:"*) ;;
  *) echo "Run it as $prefix/bin/glassine, or add $prefix/bin to PATH." ;;
esac
echo "To remove it: $prefix/lib/glassine/uninstall.sh"
