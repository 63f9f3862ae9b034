"""Small workflows, each about one construct of the language: they check without a word, and their scenarios pass.

Run alone for some of them: python3 tests/test_language.py NAME…"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = sorted(p.parent.name for p in (ROOT / "tests" / "language").glob("*/workflow.yaml"))


def dubanctl(where, *arguments):
    build = pathlib.Path(os.environ.get("B", "build"))
    program = (build if build.is_absolute() else ROOT / build) / "dubanctl"
    done = subprocess.run([program, *arguments], cwd=where, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


class Language(unittest.TestCase):
    """One test for each folder of tests/language, beside the fragments and calendars that workflows share."""

    def workflow(self, name):
        with tempfile.TemporaryDirectory() as where:
            for shared in ("common", "calendar"):
                shutil.copytree(ROOT / "workflows" / shared, pathlib.Path(where) / shared)
            shutil.copytree(ROOT / "tests" / "language" / name, pathlib.Path(where) / name)
            for command in ("check", "test"):
                status, said = dubanctl(where, command, name)
                self.assertEqual(status, 0, said)
                self.assertNotIn("warning", said, said)


for folder in FOLDERS:
    setattr(Language, "test_" + folder.replace("-", "_"), lambda self, name=folder: self.workflow(name))

if __name__ == "__main__":
    wanted = sys.argv[1:] or FOLDERS
    unittest.main(argv=[sys.argv[0], *("Language.test_" + n.replace("-", "_") for n in wanted)])
