# Read by the recipes beside it: what every root file system of tslab's has.

# skeleton DIR NAME: the empty tree. One bin, three more names for it, so that every usual PATH works.
skeleton() {
  chmod 755 "$1"
  mkdir -p "$1/bin" "$1/dev" "$1/etc" "$1/home" "$1/lib" "$1/mnt" "$1/proc" "$1/root" "$1/run" "$1/sys" "$1/tmp" \
    "$1/usr/share" "$1/var/log" "$1/var/tmp" "$1/var/www"
  chmod 1777 "$1/tmp" "$1/var/tmp"
  ln -s bin "$1/sbin"
  ln -s lib "$1/lib64"
  ln -s ../bin "$1/usr/bin"
  ln -s ../bin "$1/usr/sbin"
  ln -s ../lib "$1/usr/lib"
  ln -s ../lib "$1/usr/lib64"
  ln -s ../run "$1/var/run"

  cat >"$1/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
tslab:x:1000:1000:an ordinary user:/home/tslab:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
END
  cat >"$1/etc/group" <<'END'
root:x:0:
daemon:x:1:
tty:x:5:
disk:x:6:
www-data:x:33:
tslab:x:1000:
nogroup:x:65534:
END
  cat >"$1/etc/os-release" <<END
ID=tslab-$2
NAME="tslab"
PRETTY_NAME="tslab's $2 root file system"
END
  echo "$2" >"$1/etc/hostname"
  echo '127.0.0.1 localhost' >"$1/etc/hosts"
  : >"$1/etc/resolv.conf"
  echo 'hosts: files dns' >"$1/etc/nsswitch.conf"
  mkdir "$1/home/tslab"
}

# copy_with_libraries DIR FILE NAME: FILE as DIR/NAME, and what the loader would look for at the paths where it would look.
copy_with_libraries() {
  cp -L "$2" "$1$3"
  chmod 755 "$1$3"
  # Lines are "name => /path (0x…)" or "/path (0x…)"; nothing for a static program.
  for library in $(ldd "$2" 2>/dev/null | sed -n 's|^[^/]*\(/[^ ]*\) (0x.*|\1|p'); do
    [ -e "$1$library" ] && continue
    mkdir -p "$1$(dirname "$library")"
    cp -L "$library" "$1$library"
    chmod 755 "$1$library"
  done
}

# replace TMP DEST: put the finished tree in place. A directory can't be renamed over a full one: the old one steps aside.
replace() {
  # One time for everything: two builds differ in nothing, and a layer made of the tree has one digest.
  find "$1" -exec touch -h -d @0 {} +
  [ ! -e "$2" ] || mv "$2" "$1.old"
  mv "$1" "$2"
  rm -rf "$1.old"
}
