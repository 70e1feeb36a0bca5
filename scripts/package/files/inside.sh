#!/bin/bash
# Runs in the bare root, as root: inside.sh OLDER-VERSION VERSION. See bare_root.py. Exit code: how many checks failed.
set -u
older=$1 version=$2
export DEBIAN_FRONTEND=noninteractive
failed=0
home=/home/person
log=/tmp/check.log

check() { # check WORDS COMMAND...: one line; what the command said only if it failed
  local words=$1
  shift
  if "$@" >"$log" 2>&1; then
    echo "ok     $words"
  else
    echo "FAILED $words (exit code $?)"
    tail -25 "$log" | sed 's/^/       | /'
    failed=$((failed + 1))
  fi
}
show() { sed 's/^/       | /' "$log"; }
person() { su person -s /bin/bash -c "cd $home && $1"; }
absent() { ! command -v "$1"; }
install() { apt-get install -y -q --no-install-recommends "$@"; }
version_is() { [ "$(dpkg-query -W -f '${Version}' glassine)" = "$1" ]; }
nothing_left() {
  local left
  left=$(find / -xdev \( -path /packages -o -path "$home" -o -path /tmp \) -prune -o -iname '*glassine*' -print)
  [ -z "$left" ] || { echo "$left"; return 1; }
}
libraries_found() {
  find "$1" -type f -name '*.so*' -exec env LD_LIBRARY_PATH="$1/_internal" ldd {} + >/tmp/libraries
  grep -q 'libxcb.so.1 => /' /tmp/libraries || { echo "ldd has not looked at it"; return 1; }
  ! grep 'not found' /tmp/libraries | sort -u | grep .
}
kept_unchanged() { [ -s /tmp/before ] && (cd "$home/.local/share/glassine" && find . -type f -exec sha256sum {} + | sort) | cmp - /tmp/before; }
serves() {
  person "rm -rf served; glassine serve --port 5999 --data served >served.log 2>&1 & echo \$! >served.pid"
  local answer='' try
  for try in $(seq 100); do
    if exec 3<>/dev/tcp/127.0.0.1/5999; then
      printf 'GET /api/v1/server HTTP/1.0\r\n\r\n' >&3
      answer=$(cat <&3)
      exec 3>&-
      break
    fi 2>/dev/null
    sleep 0.1
  done
  kill -TERM "$(cat "$home/served.pid")"
  echo "$answer"
  [[ $answer == *'"glassine"'* && $answer == *"$version"* ]]
}
commands_work() {
  person 'set -e; rm -rf work; mkdir work; cd work; echo "a long walk by the river" >pass
    glassine keys new k --passphrase-file pass
    glassine seal ~/.local/share/glassine/originals/photo.jpg --key k --passphrase-file pass
    glassine open p-*.png --key k --passphrase-file pass
    cmp photo.jpg ~/.local/share/glassine/originals/photo.jpg
    glassine classic keys .
    glassine classic encrypt photo.jpg --key rsa_pub.txt
    glassine classic decrypt photo-encrypted.png --key rsa.txt
    test -s photo-decrypted.png'
}

echo "== a bare Debian $(cat /etc/debian_version), $(dpkg-query -W | wc -l) packages"
check "no Python here" absent python3
check "no font here" test ! -e /usr/share/fonts
useradd --create-home --shell /bin/bash person
check "the package lists are fetched" apt-get update -q

echo "== the .deb"
check "version $older is installed with what it depends on" install "/packages/glassine_${older}_amd64.deb"
echo "       $(dpkg-query -W | wc -l) packages now"
check "still no Python here" absent python3
check "every library of the bundle is found" libraries_found /usr/lib/glassine
check "the self-test passes without a display" person "glassine --self-test .local/share/glassine"
show
check "xvfb is installed, for a display" install xvfb xauth
check "version $version is installed over it" install "/packages/glassine_${version}_amd64.deb"
check "it is version $version now" version_is "$version"
check "the vault from before is opened on a real display" person "xvfb-run -a glassine --self-test .local/share/glassine"
show
check "a new vault on a real display" person "xvfb-run -a glassine --self-test"
show
check "glassine --version" person "glassine --version"
show
check "glassine doctor on a display" person "xvfb-run -a glassine doctor"
show
check "keys, seal, open and the classic commands" commands_work
check "glassine serve answers" serves
check "the manual page is a page" bash -c 'zcat /usr/share/man/man1/glassine.1.gz | grep "^.TH GLASSINE 1"'
check "tools of the desktop are installed" install desktop-file-utils
check "the desktop entry is valid" desktop-file-validate /usr/share/applications/glassine.desktop
check "PNG files can be opened with it" grep -q '^image/png=.*glassine.desktop' /usr/share/applications/mimeinfo.cache
(cd "$home/.local/share/glassine" && find . -type f -exec sha256sum {} + | sort) >/tmp/before
check "it is removed" apt-get remove -y -q glassine
check "nothing of it can be run" absent glassine
check "it is purged" apt-get purge -y -q glassine
grep '^Glassine:' -A1 "$log" | sed 's/^/       | /'
check "nothing of it is left outside the home" nothing_left
check "the person's vault is unchanged" kept_unchanged

echo "== the tarball"
check "tar can read it" install xz-utils
tar -C /tmp -xf "/packages/glassine-$version-linux-x86_64.tar.xz"
chmod -R a+rX /tmp/glassine-"$version"
(cd "$home" && find . | sort) >/tmp/home-before
check "it is installed for a person" person "/tmp/glassine-$version/install.sh"
show
check "the vault from before is opened" person "xvfb-run -a .local/bin/glassine --self-test .local/share/glassine"
check "the desktop entry is valid" desktop-file-validate "$home/.local/share/applications/glassine.desktop"
check "it is installed over itself" person "/tmp/glassine-$version/install.sh"
check "it runs after that" person "xvfb-run -a .local/bin/glassine --self-test"
check "it is removed" person ".local/lib/glassine/uninstall.sh"
show
(cd "$home" && find . | sort) >/tmp/home-after
check "nothing of it is left in the home" diff /tmp/home-before /tmp/home-after
check "the person's vault is there" test -s "$home/.local/share/glassine/originals/photo.jpg"
check "it is installed for everybody" "/tmp/glassine-$version/install.sh" --prefix /usr/local
check "a person runs it" person "xvfb-run -a /usr/local/bin/glassine --self-test"
check "it is removed" /usr/local/lib/glassine/uninstall.sh
check "nothing of it is left" nothing_left

[ $failed -eq 0 ] && echo "all checks passed" || echo "$failed checks FAILED"
exit $failed
