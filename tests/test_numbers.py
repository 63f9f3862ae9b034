"""Numbers agree with an exact oracle, Python's fractions: + - × ÷, rounding, min, max, sum, mean and comparisons, over rationals near and far.
What does not fit is an error, never a wrong digit; what is divided by 0 is n/a, and so is what uses it.

SEED=N makes a run again, NUMBERS=N asks so many expressions."""
import fractions
import math
import os
import pathlib
import random
import secrets
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
ASKED = int(os.environ.get("NUMBERS", "20000"))
MOST = 2**63 - 1
FRACTION = fractions.Fraction


class Overflow(Exception):
    pass


def fits(v):
    if isinstance(v, FRACTION) and (abs(v.numerator) > MOST or v.denominator > MOST):
        raise Overflow
    return v


def rounded(v, places):
    scaled = abs(v) * 10**places
    n = math.floor(scaled + FRACTION(1, 2))
    return FRACTION(n if v >= 0 else -n, 10**places)


def added(items):
    """From the left, as far as there are numbers: the first that is n/a ends it, the first that does not fit fails."""
    total = FRACTION(0)
    for v in items:
        if v is None:
            return None
        total = fits(total + v)
    return total


# ---- random expressions: text, and value; the value is evaluated in duband's order, so that the first failure decides

def constant(r):
    kind = r.randrange(12)
    if kind < 8:
        n = max(r.randint(-15, 30), 0)  # a third of them are 0
        return str(n), FRACTION(n)
    if kind == 8:
        text = f"{r.randint(0, 999)}.{r.randint(0, 9999)}"
        return text, FRACTION(text)
    if kind in (9, 10):
        n = r.randint(0, 400)
        return f"{n}%", FRACTION(n, 100)
    n = r.choice([MOST, MOST - r.randint(0, 99), r.randint(0, MOST), 2**32 + r.randint(-3, 3), 10**r.randint(6, 18)])
    return str(n), FRACTION(n)


def number(r, depth):
    """Text and a function that gives the value, None for n/a, or raises Overflow."""
    if depth == 0 or r.random() < 0.1:
        text, v = constant(r)
        return text, lambda: v
    kind = r.choice(["+", "-", "×", "÷", "+", "-", "×", "÷", "neg", "round", "round2", "ceil", "floor", "min", "max", "sum", "mean"])
    if kind in "+-×÷":
        (a, x), (b, y) = number(r, depth - 1), number(r, depth - 1)

        def operate():
            p, q = x(), y()
            if p is None or q is None or (kind == "÷" and q == 0):
                return None
            return fits({"+": lambda: p + q, "-": lambda: p - q, "×": lambda: p * q, "÷": lambda: p / q}[kind]())
        return f"({a} {kind} {b})", operate
    if kind in ("min", "max", "sum", "mean"):
        items = [number(r, depth - 1) for _ in range(r.randint(2, 4))]
        texts = ", ".join(t for t, _ in items)

        def over():
            values = [f() for _, f in items]
            if kind in ("min", "max"):
                return None if None in values else (min if kind == "min" else max)(values)
            total = added(values)
            return total if total is None or kind == "sum" else fits(total / len(values))
        return (f"{kind}([{texts}])" if kind in ("sum", "mean") or r.random() < 0.3 else f"{kind}({texts})"), over
    a, x = number(r, depth - 1)
    places = r.randint(0, 9)
    shown = {"neg": f"-({a})", "round": f"round({a})", "round2": f"round({a}, {places})"}.get(kind, f"{kind}({a})")

    def alone():
        v = x()
        if v is None:
            return None
        return fits({"neg": lambda: -v, "round": lambda: rounded(v, 0), "round2": lambda: rounded(v, places),
                     "ceil": lambda: FRACTION(math.ceil(v)), "floor": lambda: FRACTION(math.floor(v))}[kind]())
    return shown, alone


def question(r):
    text, f = number(r, r.randint(1, 5))
    if r.random() < 0.8:
        return text, f
    sign = r.choice(["=", "≠", "<", "≤", ">", "≥"])
    other, g = number(r, r.randint(0, 3))

    def compare():
        p, q = f(), g()
        if p is None or q is None:
            return None
        return {"=": p == q, "≠": p != q, "<": p < q, "≤": p <= q, ">": p > q, "≥": p >= q}[sign]
    return f"{text} {sign} {other}", compare


def shown(f):
    try:
        v = f()
    except Overflow:
        return "failed: overflow"
    return {None: "n/a", True: "yes", False: "no"}.get(v, v) if not isinstance(v, FRACTION) else v


class Numbers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        build = pathlib.Path(os.environ.get("B", "build"))
        cls.program = (build if build.is_absolute() else ROOT / build) / "numbers" / "numbers"
        made = subprocess.run(["make", "--no-print-directory", f"B={build}", f"{build}/numbers/numbers"], cwd=ROOT,
                              capture_output=True, text=True, timeout=900)
        if made.returncode:
            raise RuntimeError(made.stdout + made.stderr)

    def ask(self, texts):
        done = subprocess.run([self.program], input="\n".join(texts) + "\n", capture_output=True, text=True, timeout=600)
        self.assertEqual(done.returncode, 0, done.stderr)
        answers = done.stdout.splitlines()
        self.assertEqual(len(answers), len(texts))
        return answers

    def test_numbers_are_exact(self):
        seed = os.environ.get("SEED") or str(secrets.randbelow(2**32))
        print(f"SEED={seed}", flush=True)
        r = random.Random(seed)
        questions = [question(r) for _ in range(ASKED)]
        kinds = {"overflow": 0, "n/a": 0, "number": 0, "yes-no": 0}
        for (text, f), answer in zip(questions, self.ask([t for t, _ in questions])):
            wanted = shown(f)
            if isinstance(wanted, FRACTION) and not answer.startswith("failed") and answer not in ("yes", "no", "n/a"):
                self.assertEqual(FRACTION(answer), wanted, text)
            else:
                self.assertEqual(answer, str(wanted), text)
            kinds["number" if isinstance(wanted, FRACTION) else "overflow" if wanted.startswith("failed") else
                  "n/a" if wanted == "n/a" else "yes-no"] += 1
        print(f"{ASKED} expressions: {kinds}", flush=True)
        for kind, n in kinds.items():
            self.assertGreater(n, ASKED // 100, f"too few answers of kind {kind}: the test says little")

    def test_the_edges(self):
        edges = {
            f"{MOST} + 0": MOST, f"{MOST} + 1": None, f"-{MOST} - 1": None, f"{MOST} × {MOST} ÷ {MOST}": None,
            f"{MOST} ÷ {MOST}": 1, f"1 ÷ {MOST} ÷ 2": None, f"round({MOST} ÷ 2)": 2**62, "round(0.5)": 1, "round(-0.5)": -1,
            "round(2.675, 2)": FRACTION("2.68"), "floor(-0.1)": -1, "ceil(-0.1)": 0, "mean([1, 2])": FRACTION(3, 2),
        }
        for (text, wanted), answer in zip(edges.items(), self.ask(list(edges))):
            self.assertEqual("failed: overflow" if wanted is None else FRACTION(wanted),
                             answer if answer.startswith("failed") else FRACTION(answer), text)


if __name__ == "__main__":
    unittest.main()
