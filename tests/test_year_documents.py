"""What the documents of an example year say: of each kind the fullest page stands beside the year, in example/documents/, to be read.

`make years` writes them anew. The page around the text is test_documents.py's."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from daemon import program

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = sorted((ROOT / "workflows").glob("*/example/documents"))
TITLE = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
MAIN = re.compile(r'<div class="main">(.*?)</div>', re.DOTALL)
BLOCK = re.compile(r"(?=<(?:p|table|tr|ol|ul|li)>)|(?<=</table>)|(?<=</ol>)|(?<=</ul>)")
TABLE = re.compile(r"<table>(.*?)</table>", re.DOTALL)


def fullest(folder):
    """Title → main text, a block a line, of the longest document of each kind in the regime's year."""
    events, = folder.parent.glob("[0-9]*.jsonl")
    with tempfile.TemporaryDirectory(prefix="duband-papers-") as out:
        done = subprocess.run([program("dubanctl"), "simulate", folder.parent.parent, "--events", events, "--until",
                               f"{int(events.stem) + 1}-03-01", "--documents", out], capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise RuntimeError(done.stderr)
        found = {}
        for page in sorted(pathlib.Path(out).iterdir()):
            text = page.read_text(encoding="utf-8")
            title, main = TITLE.search(text)[1], MAIN.search(text)[1]
            found[title] = max(found.get(title, ""), "\n".join(filter(None, BLOCK.split(main))) + "\n", key=len)
    return found


class YearDocuments(unittest.TestCase):
    def test_they_say_what_stands_beside_the_year(self):
        for folder in FOLDERS:
            with self.subTest(folder.parent.parent.name):
                made = fullest(folder)
                self.assertEqual(sorted(made), sorted(p.stem for p in folder.iterdir()), "make years")
                for title, main in made.items():
                    self.assertEqual(main, (folder / f"{title}.html").read_text(encoding="utf-8"), f"{title} (make years)")

    def test_every_template_is_used_and_every_table_has_rows(self):
        for folder in FOLDERS:
            with self.subTest(folder.parent.parent.name):
                self.assertEqual(len(list(folder.iterdir())), len(list((folder.parent.parent / "templates").iterdir())))
                for page in folder.iterdir():
                    for table in TABLE.findall(page.read_text(encoding="utf-8")):
                        self.assertIn("<td>", table, page.stem)


def update():
    for folder in FOLDERS:
        made = fullest(folder)
        shutil.rmtree(folder)
        folder.mkdir()
        for title, main in made.items():
            (folder / f"{title}.html").write_text(main, encoding="utf-8")


if __name__ == "__main__":
    update() if sys.argv[1:] == ["update"] else unittest.main()
