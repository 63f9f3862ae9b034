#!/usr/bin/env python3
"""Checks the include rules: who may include whom, and which module alone may use a third-party header.

usage: include_rules.py [DAEMON_FOLDER]; prints each violation as file:line and exits with 1 if there is any."""
import pathlib
import re
import sys

# The one table: a module (a folder under daemon/, "." is main) → the modules whose headers it may include.
MAY_INCLUDE = {
    "base": {"base"},
    "core": {"core", "base"},
    "lang": {"lang", "core", "base"},
    "wire": {"wire", "core", "base"},
    "store": {"store", "wire", "core", "base"},
    "bus": {"bus", "store", "wire", "core", "base"},
    "engine": {"engine", "bus", "store", "wire", "lang", "core", "base"},
    "http": {"http", "web", "engine", "bus", "store", "wire", "lang", "core", "base"},
    "web": {"web", "base"},
    "ctl": {"ctl", "engine", "bus", "store", "wire", "lang", "core", "base", "config.h"},  # a cluster's settings
    ".": {"http", "engine", "bus", "store", "wire", "lang", "core", "base", "."},
}
# Third-party header (a prefix of what stands in <> or "") → the files that may include it (patterns below daemon/).
THIRD_PARTY = {
    "lmdb.h": ["store/store_lmdb*", "store/front*", "store/blocks*", "store/val.h"],
    "lz4.h": ["store/block.c"],
    "librdkafka/": ["bus/bus_kafka*"],
    "libical/": ["core/rrule_ical.c"],
    "libfyaml.h": ["lang/yaml.c"],
    "protobuf-c/": ["wire/*"],
    "duban/v1/": ["wire/*"],
    "google/protobuf/": ["wire/*"],
    "jansson.h": ["wire/*", "http/*", "ctl/*", "engine/query*"],
    "sodium.h": ["wire/*"],
    "sanitizer/": ["base/mem.c"],
    "event2/": ["http/*", "ctl/*", "main.c"],
}
LIBC = {"assert", "ctype", "dirent", "endian", "errno", "fcntl", "fnmatch", "getopt", "glob", "inttypes", "limits", "locale", "malloc", "math", "poll", "pthread",
        "signal", "stdalign", "stdarg", "stdatomic", "stdbool", "stddef", "stdint", "stdio", "stdlib", "string", "strings", "time",
        "unistd", "wchar", "sysexits", "termios", "netdb", "arpa/inet", "netinet/in", "sys/eventfd", "sys/file", "sys/ioctl", "sys/mman",
        "sys/random", "sys/resource", "sys/socket", "sys/stat", "sys/statvfs", "sys/time", "sys/timerfd", "sys/types", "sys/uio", "sys/wait"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def third_party_rule(name):
    return next((rule for rule in THIRD_PARTY if name.startswith(rule)), None)


def check_line(path, module, name):
    """What is wrong with including `name` from `path`, or None."""
    rule = third_party_rule(name)
    if rule:
        return None if any(path.match(p) for p in THIRD_PARTY[rule]) else f"only {', '.join(THIRD_PARTY[rule])} may include {rule}"
    if name.removesuffix(".h") in LIBC:
        return None
    target = name.split("/")[0] if "/" in name else "."
    if name in MAY_INCLUDE[module]:
        return None
    if target not in MAY_INCLUDE:
        return f"{name}: no module of that name, and no rule for it"
    if target not in MAY_INCLUDE[module]:
        return f"{module} may not include {target} (only {', '.join(sorted(MAY_INCLUDE[module]))})"
    return None


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent / "daemon")
    wrong = 0
    for path in sorted(root.rglob("*.[ch]")):
        relative = path.relative_to(root)
        module = relative.parts[0] if len(relative.parts) > 1 else "."
        if module not in MAY_INCLUDE:
            print(f"{path}: folder {module} has no row in the table")
            wrong += 1
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found = INCLUDE.match(line)
            problem = found and check_line(relative, module, found[2])
            if problem:
                print(f"{path}:{number}: {problem}")
                wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
