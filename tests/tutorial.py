"""The tutorial of workflows/README.md, done as it is written: files made and changed, commands run, and what they print."""
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile

WORKFLOWS = pathlib.Path(__file__).resolve().parent.parent / "workflows"
SECTION = re.compile(r"^## A regime of one's own.*?(?=^## )", re.DOTALL | re.MULTILINE)
# A path in a line of its own says which file the next blocks are about.
STEP = re.compile(r"^`(?P<path>[\w./-]+)`(?P<changed>, changed:)?$|^```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
TOOK = re.compile(r"\b[\d.]+ ms\b")


def change(path, body):
    """A block of -, + and unchanged lines: what it takes away must stand in the file, once."""
    lines = body.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] != "+")
    new = "".join(line[1:] for line in lines if line[0] != "-")
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise AssertionError(f"{path.name} has {text.count(old)} times:\n{old}")
    path.write_text(text.replace(old, new), encoding="utf-8")


def run(body, where, dubanctl):
    """The block with what each `$ dubanctl …` prints now."""
    out = ""
    for line in body.splitlines():
        if line.startswith("$ "):
            program, *arguments = shlex.split(line[2:])
            assert program == "dubanctl", line
            out += line + "\n" + TOOK.sub("1 ms", dubanctl(*arguments, cwd=where, stderr=subprocess.STDOUT).stdout)
    return out


def done(page, dubanctl):
    """The page with the tutorial's outputs as they are now."""
    section = SECTION.search(page).group()
    with tempfile.TemporaryDirectory(prefix="duband-tutorial-") as folder:
        where = pathlib.Path(folder)
        for shared in ("common", "calendar"):
            shutil.copytree(WORKFLOWS / shared, where / shared)
        path = changed = None

        def step(m):
            nonlocal path, changed
            if m["path"]:
                path, changed = where / m["path"], m["changed"]
            elif m["kind"] == "diff":
                change(path, m["body"])
            elif m["kind"] == "console":
                return "```console\n" + run(m["body"], where, dubanctl) + "```"
            elif path and not changed:
                path.write_text(m["body"], encoding="utf-8")
            return m.group()

        return page.replace(section, STEP.sub(step, section))
