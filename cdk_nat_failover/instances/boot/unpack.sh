#!/bin/bash
# The user data itself: writes the settings and the files that make this instance a NAT, each whole or
# not at all, and runs the first of them. The app fills in both. The files are in base85, of bz2, with
# a zero between them. An instance that cannot have them is switched off: its group replaces it.

home=/etc/nat-failover

write_settings() {
    mkdir --parents "$home"
    cat >"$home/settings.new" <<'EOF' && mv "$home/settings.new" "$home/settings"
@SETTINGS@
EOF
}

unpack() {
    timeout 10 /usr/bin/python3 -c '
import base64, bz2, os, sys
for file in bz2.decompress(base64.b85decode(sys.stdin.read().strip())).split(b"\0"):
    path, mode, text = file.split(b"\n", 2)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + b".new", "wb") as new:
        new.write(text)
    os.chmod(path + b".new", int(mode, 8))
    os.replace(path + b".new", path)
' <<'EOF'
@FILES@
EOF
}

if ! { write_settings && unpack; }; then
    echo 'nat-boot: FAILED to unpack the files; shutting down' >/dev/console
    shutdown --poweroff now
    exit 1
fi
exec "$home/boot"
