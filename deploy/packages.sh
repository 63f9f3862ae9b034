#!/bin/sh
# Installs what is missing, and only that: packages.sh GROUP…
#   build   what compiles and runs duband
#   kafka   what a real broker needs (a Java runtime and Maven, which fetches it)
#   test    what `make check` needs besides
#   bench   what `make bench` needs besides
#   fresh   what `make fresh` needs besides
# Debian and Ubuntu. As root, or through sudo where it is not. Says what it installs; quick when nothing is missing.
set -eu

build='gcc:gcc make:make libc6-dev:/usr/include/stdio.h pkg-config:pkg-config libevent-dev:/usr/include/event2/event.h
  librdkafka-dev:/usr/include/librdkafka/rdkafka.h liblmdb-dev:/usr/include/lmdb.h liblz4-dev:/usr/include/lz4.h
  libprotobuf-c-dev:/usr/include/protobuf-c/protobuf-c.h protobuf-c-compiler:protoc-c
  libprotobuf-dev:/usr/include/google/protobuf/struct.proto libfyaml-dev:/usr/include/libfyaml.h
  libjemalloc-dev:/usr/include/jemalloc/jemalloc.h
  libjansson-dev:/usr/include/jansson.h libsodium-dev:/usr/include/sodium.h libical-dev:/usr/include/libical/ical.h
  tzdata:/usr/share/zoneinfo/Asia/Shanghai binutils:ar findutils:find'
kafka='openjdk-17-jre-headless:java maven:mvn python3:python3 ca-certificates-java:/etc/ssl/certs/java/cacerts'
test='libcmocka-dev:/usr/include/cmocka.h python3:python3 kcat:kcat lmdb-utils:mdb_dump chromium:chromium nodejs:node npm:npm procps:pkill openssl:openssl
  python3-dateutil:/usr/lib/python3/dist-packages/dateutil/rrule.py
  python3-jsonschema:/usr/lib/python3/dist-packages/jsonschema/__init__.py
  python3-yaml:/usr/lib/python3/dist-packages/yaml/__init__.py
  fonts-noto-cjk:/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc git:git graphviz:dot
  poppler-utils:pdftotext clang:clang @fuzzer-runtime:fuzzer-runtime'
bench="openjdk-17-jdk-headless:javac libjemalloc2:/usr/lib/$(uname -m)-linux-gnu/libjemalloc.so.2"
fresh='debootstrap:debootstrap'

# libFuzzer's library is a package of clang's version: in Debian and Ubuntu's newer releases of its own, else part of clang.
has_fuzzer_runtime() {
    command -v clang >/dev/null 2>&1 && [ -n "$(find "$(clang -print-resource-dir)" -name 'libclang_rt.fuzzer-*.a' 2>/dev/null)" ]
}
fuzzer_runtime_package() {
    version=$(apt-cache policy clang | sed -n 's/^ *Candidate: [0-9]*:\([0-9]*\).*/\1/p')
    apt-cache show "libclang-rt-$version-dev" >/dev/null 2>&1 && echo "libclang-rt-$version-dev"
}

missing=
for group in "$@"; do
    case $group in
    build) list=$build ;;
    kafka) list=$kafka ;;
    test) list=$test ;;
    bench) list=$bench ;;
    fresh) list=$fresh ;;
    *) echo "packages.sh: no group '$group' (build, kafka, test, bench, fresh)" >&2; exit 2 ;;
    esac
    for entry in $list; do
        what=${entry#*:}
        case $what in
        fuzzer-runtime) has_fuzzer_runtime || missing="$missing ${entry%%:*}" ;;
        /*) [ -e "$what" ] || missing="$missing ${entry%%:*}" ;;
        *) command -v "$what" >/dev/null 2>&1 || missing="$missing ${entry%%:*}" ;;
        esac
    done
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "packages.sh: missing:$missing; there is no apt-get here to install them with" >&2
    exit 3
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1; then
    as_root=sudo
else
    echo "packages.sh: missing:$missing; installing them needs root or sudo" >&2
    exit 3
fi
echo "Installing:$(echo "$missing" | sed 's/@fuzzer-runtime/libFuzzer/')"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install_missing() {
    $as_root apt-get update -q || return 1
    case $missing in
    *@fuzzer-runtime*) missing=$(echo "$missing" | sed "s/@fuzzer-runtime/$(fuzzer_runtime_package)/") ;;
    esac
    $as_root apt-get install -q -y --no-install-recommends $missing
}
if ! install_missing >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "packages.sh: apt-get could not install:$missing" >&2
    exit 3
fi
