#!/bin/sh
# Runs both commands of the README inside a minimal Debian root that has nothing but what debootstrap puts there, so that a missing install
# step shows. Needs root. The root is build/fresh/root; it carries over this machine's package sources, its own CA certificates and, when they are set, the
# settings of package clients (Maven, npm), as a company's machine needs.
#
#   FRESH="demo demo-kafka check"   which commands to run (default: these)
set -eu
cd "$(dirname "$0")/.."
repository=$PWD
base=$repository/build/fresh
root=$base/root
[ "$(id -u)" -eq 0 ] || { echo "make fresh needs root: debootstrap and chroot do" >&2; exit 3; }

leave() {
    for mount in /dev/shm /dev/pts /dev /proc /sys ""; do
        if mountpoint -q "$root$mount"; then umount "$root$mount" || umount -l "$root$mount"; fi
    done
}
trap leave EXIT INT TERM
leave
# --one-file-system: whatever is still mounted in there is not ours to remove.
rm -rf --one-file-system "$root"
mkdir -p "$root"

suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
sources=$(sed -n 's/^URIs: *//p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1)
echo "Making a minimal $suite root …"
debootstrap --variant=minbase "$suite" "$root" "$sources" >"$base/debootstrap.log" 2>&1 || { tail "$base/debootstrap.log" >&2; exit 3; }

# What the host's administrator configured: package sources, certificates, package clients' settings.
rm -f "$root/etc/apt/sources.list"
cp -r /etc/apt/sources.list* /etc/apt/apt.conf.d /etc/apt/keyrings "$root/etc/apt/" 2>/dev/null || true
rm -f "$root"/etc/apt/apt.conf.d/*packagekit* "$root"/etc/apt/apt.conf.d/*appstream*
cp /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
mkdir -p "$root/usr/local/share/ca-certificates"
cp -r /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/" 2>/dev/null || true
for settings in .m2/settings.xml .npmrc; do
    [ ! -f "$HOME/$settings" ] || install -D -m 600 "$HOME/$settings" "$root/root/$settings"
done
mount --bind "$root" "$root" # so that "/" in there is a mount point, as on a machine
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs dev "$root/dev"
mkdir -p "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs shm "$root/dev/shm"
mount -t devpts devpts "$root/dev/pts" 2>/dev/null || true
for node in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
    set -- $node
    mknod -m 666 "$root/dev/$1" c "$2" "$3"
done
ln -s /proc/self/fd "$root/dev/fd"
inside() {
    env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM=dumb \
        chroot "$root" /bin/sh -c "cd /duband && $1"
}
mkdir "$root/duband"
if ls "$root"/usr/local/share/ca-certificates/*.crt >/dev/null 2>&1; then
    inside "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends ca-certificates && update-ca-certificates" \
        >"$base/certificates.log" 2>&1 || { tail "$base/certificates.log" >&2; exit 3; }
fi
git clone -q "$repository" "$root/duband"
for command in ${FRESH:-demo demo-kafka check}; do
    echo "== $command"
    case $command in
    demo) inside "sh deploy/make.sh demo && sh deploy/make.sh demo-stop" ;;
    demo-kafka) inside "sh deploy/make.sh demo BUS=kafka && sh deploy/make.sh demo-stop" ;;
    *) inside "sh deploy/make.sh $command" ;;
    esac
done
