"""Random machines do what a small interpreter of the language's rules says, one that shares nothing with duband but those rules.

SEED=N makes a run again. What differs is shown with the workflow and its events."""
import copy
import datetime
import fractions
import json
import os
import pathlib
import random
import secrets
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORKFLOWS = int(os.environ.get("MACHINES", "60"))
UNITS = ["u-1", "u-2", "u-3"]
START = datetime.datetime(2024, 1, 1)
FRACTION = fractions.Fraction


# ---- expressions: (operator, …) → text, and → value; None is n/a

def text_of(x):
    kind = x[0]
    if kind == "const":
        return str(x[1])
    if kind == "name":
        return x[1]
    if kind in ("not", "given"):
        return f"not ({text_of(x[1])})" if kind == "not" else f"{text_of(x[1])} is given"
    return f"({text_of(x[1])} {kind} {text_of(x[2])})"


def both(a, b, f):
    return None if a is None or b is None else f(a, b)


OPERATIONS = {
    "+": lambda a, b: both(a, b, lambda p, q: p + q),
    "-": lambda a, b: both(a, b, lambda p, q: p - q),
    "×": lambda a, b: both(a, b, lambda p, q: p * q),
    "÷": lambda a, b: None if a is None or not b else a / b,
    "=": lambda a, b: both(a, b, lambda p, q: p == q),
    "<": lambda a, b: both(a, b, lambda p, q: p < q),
    "≥": lambda a, b: both(a, b, lambda p, q: p >= q),
    "and": lambda a, b: False if a is False or b is False else None if a is None or b is None else True,
    "or": lambda a, b: True if a is True or b is True else None if a is None or b is None else False,
}


def value_of(x, names):
    kind = x[0]
    if kind == "const":
        return FRACTION(x[1])
    if kind == "name":
        return names[x[1]]
    if kind == "given":
        return value_of(x[1], names) is not None
    if kind == "not":
        inner = value_of(x[1], names)
        return None if inner is None else not inner
    return OPERATIONS[kind](value_of(x[1], names), value_of(x[2], names))


class Expressions:
    def __init__(self, rng, numbers, flags):
        self.rng, self.numbers, self.flags = rng, numbers, flags

    def number(self, depth=2):
        if depth == 0 or self.rng.random() < 0.4:
            return ("name", self.rng.choice(self.numbers)) if self.numbers and self.rng.random() < 0.7 else ("const", self.rng.randint(0, 4))
        return (self.rng.choice("+-×÷"), self.number(depth - 1), self.number(depth - 1))

    def condition(self, depth=2):
        dice = self.rng.random()
        if depth and dice < 0.35:
            return (self.rng.choice(["and", "or"]), self.condition(depth - 1), self.condition(depth - 1))
        if depth and dice < 0.45:
            return ("not", self.condition(depth - 1))
        if self.flags and dice < 0.6:
            return ("name", self.rng.choice(self.flags))
        if self.numbers and dice < 0.65:
            return ("given", ("name", self.rng.choice(self.numbers)))
        return (self.rng.choice(["=", "<", "≥"]), self.number(), self.number())


# ---- a random workflow, as data

class Machine:
    """Hears events and what earlier machines raise; each state leads on to the next without condition, so that all are reached and left."""

    def __init__(self, rng, index, events, raised):
        self.name = f"machine-{index}"
        heard = events + raised
        self.born = rng.sample(heard, rng.randint(1, len(heard)))
        self.raises = f"told-{index}"
        self.counts = [(f"count-{i}", rng.choice(heard), rng.choice([None, "month", "year"]), rng.random() < 0.3)
                       for i in range(rng.randint(0, 3))]
        self.vars = [f"var-{i}" for i in range(rng.randint(1, 2))]
        own = [c[0] for c in self.counts] + self.vars
        self.states = [State(rng, self, f"state-{i}", heard, events, own) for i in range(rng.randint(2, 4))]
        for i, state in enumerate(self.states):
            state.close(rng, self.states[(i + 1) % len(self.states)].name, heard)
        self.any_state = [Rule(rng, self, rng.choice(heard), events, own, self.states) for _ in range(rng.randint(0, 1))]


class Rule:
    def __init__(self, rng, machine, when, events, own, states, final=False):
        fields = when in events
        made = Expressions(rng, own + (["event.n", "event.m"] if fields else []), ["event.flag"] if fields else [])
        sets = Expressions(rng, [n for n in made.numbers if not n.startswith("var")], [])  # of no variable: values stay small
        self.when, self.refuse, self.go, self.do = when, None, None, []
        self.condition = None if final else made.condition()
        if not final and fields and rng.random() < 0.08:
            self.refuse = f"不予受理{rng.randint(1, 9)}"
            return
        for _ in range(rng.randint(0, 2)):
            self.do.append(rng.choice([("set", rng.choice(machine.vars), sets.number()), ("measure", f"note-{rng.randint(0, 3)}"),
                                       ("raise", machine.raises)]))
        if not final and rng.random() < 0.5 and states:
            self.go = rng.choice(states).name


class State:
    def __init__(self, rng, machine, name, heard, events, own):
        self.name, self.rng, self.machine, self.events, self.own = name, rng, machine, events, own
        self.enter = [("measure", f"enter-{name}")] + ([("raise", machine.raises)] if name == "state-0" or rng.random() < 0.2 else [])
        self.leave = [("measure", "leave")] if rng.random() < 0.2 else []
        self.timers = [(f"timer-{i}", rng.choice([1, 2, 3, 7]), rng.choice("dh"), rng.random() < 0.15) for i in range(rng.randint(0, 2))]
        self.rules = [Rule(rng, machine, rng.choice(heard), events, own, None) for _ in range(rng.randint(0, 3))]

    def close(self, rng, following, heard):
        """Rules that need to know all states: of timers, one of `any` that ends itself, and the way on."""
        states = self.machine.states
        for rule in self.rules:
            if not rule.refuse and rng.random() < 0.5:
                rule.go = rng.choice(states).name
        for name, *_ in self.timers:
            rule = Rule(rng, self.machine, "timer " + name, self.events, self.own, states, final=True)
            rule.go = rng.choice(states).name if rng.random() < 0.5 else None
            self.rules.append(rule)
        if rng.random() < 0.3:
            var = rng.choice(self.machine.vars)
            rule = Rule(rng, self.machine, "any", self.events, self.own, states, final=True)
            rule.condition = ("≥", ("name", var), ("const", 3))
            rule.do = [("measure", "note-0"), ("set", var, ("const", 0))]
            self.rules.append(rule)
        on = Rule(rng, self.machine, rng.choice(heard), self.events, self.own, states, final=True)
        on.go = following
        self.rules.append(on)


class Workflow:
    def __init__(self, rng):
        self.events = [f"event-{i}" for i in range(rng.randint(1, 3))]
        self.machines, raised = [], []
        for i in range(rng.randint(1, 3)):
            self.machines.append(Machine(rng, i, self.events, raised))
            raised = raised + [self.machines[-1].raises]


# ---- as YAML

def action_text(action):
    if action[0] == "set":
        return f'{{set: {action[1]}, to: "{text_of(action[2])}"}}'
    return f"{action[0]}: {action[1]}"


def rules_text(rules, indent):
    out = []
    for rule in rules:
        out.append(f"{indent}- when: {rule.when}")
        if rule.condition is not None:
            out.append(f'{indent}  if: "{text_of(rule.condition)}"')
        if rule.refuse:
            out.append(f"{indent}  refuse: {rule.refuse}")
            continue
        out.append(f"{indent}  do:" if rule.do else f"{indent}  do: []")
        out += [f"{indent}    - {action_text(a)}" for a in rule.do]
        if rule.go:
            out.append(f"{indent}  go: {rule.go}")
    return out


def machine_text(m):
    out = [f"  {m.name}:", "    title: 试", "    per: [unit]", f"    born-by: [{', '.join(m.born)}]"]
    if m.counts:
        out.append("    counts:")
        for name, each, within, consecutive in m.counts:
            out.append(f"      {name}: {{each: {each}" + (f", within: {within}" if within else "")
                       + (", if: yes, mode: consecutive" if consecutive else "") + "}")
    out.append("    vars:")
    out += [f"      {v}: {{type: number, start: 0}}" for v in m.vars]
    out += [f"    initial: {m.states[0].name}", "    states:"]
    for s in m.states:
        out += [f"      {s.name}:", "        title: 试", "        enter:"] + [f"          - {action_text(a)}" for a in s.enter]
        if s.leave:
            out += ["        leave:"] + [f"          - {action_text(a)}" for a in s.leave]
        if s.timers:
            out.append("        timers:")
            out += [f"          {n}: {{at: {k}{u} after entry" + (", keep: yes" if keep else "") + "}" for n, k, u, keep in s.timers]
        out += ["        rules:"] + rules_text(s.rules, "          ")
    if m.any_state:
        out += ["    any-state:"] + rules_text(m.any_state, "      ")
    return out


def workflow_text(w):
    out = ["workflow: random", "title: 试", "timezone: UTC", "effective: 2024-01-01/", "units: units.csv", "events:"]
    out += [f"  {e}: {{fields: {{unit: unit, n: number, m: optional number, flag: yes-no}}}}" for e in w.events]
    names = [f"note-{i}" for i in range(4)] + ["leave"] + [f"enter-state-{i}" for i in range(4)]
    out += ["measures:"] + [f"  {n}: {{title: 试, level: warning, topic: warnings, basis: 一, to: [unit]}}" for n in names]
    return "\n".join(out + ["machines:"] + [line for m in w.machines for line in machine_text(m)]) + "\n"


# ---- the interpreter

class Refused(Exception):
    pass


class Interpreter:
    """Language.md, "A turn" and "Timers", for machines kept per unit."""

    def __init__(self, workflow):
        self.w, self.instances, self.said = workflow, {}, []

    def until(self, now):
        """Timers due by now, in order of (due, machine, unit, timer)."""
        while True:
            due = sorted((due, m, u, t) for (m, u), i in self.instances.items() for t, due in i["timers"].items() if due <= now)
            if not due:
                return
            at, name, unit, timer = due[0]
            del self.instances[name, unit]["timers"][timer]
            machine = next(m for m in self.w.machines if m.name == name)
            self.turn(at, lambda: self.handle(machine, unit, f"timer {timer}", {}))

    def event(self, now, kind, unit, fields):
        self.until(now)
        self.turn(now, lambda: self.queue.append((kind, unit, fields)))

    def turn(self, now, begin):
        before, said = copy.deepcopy(self.instances), len(self.said)
        self.now, self.queue = now, []
        self.issued = set()
        try:
            begin()
            while self.queue:
                kind, unit, fields = self.queue.pop(0)
                for machine in self.w.machines:
                    self.reach(machine, kind, unit, fields)
        except Refused:
            self.instances, self.said = before, self.said[:said] + [(now, "rejected", None)]

    def reach(self, machine, kind, unit, fields):
        key = (machine.name, unit)
        if not self.hears(machine, kind):
            return
        if key not in self.instances:
            if kind not in machine.born:
                return
            self.instances[key] = {"state": None, "vars": {v: FRACTION(0) for v in machine.vars}, "counts": {}, "timers": {}}
            self.enter(machine, unit, machine.states[0].name)
        self.count(machine, self.instances[key], kind)
        self.handle(machine, unit, kind, fields)

    @staticmethod
    def hears(machine, kind):
        rules = [r for s in machine.states for r in s.rules] + machine.any_state
        return kind in machine.born or any(r.when == kind for r in rules) or any(c[1] == kind for c in machine.counts)

    def count(self, machine, instance, kind):
        for name, each, within, _ in machine.counts:
            if each != kind:
                continue
            window = {"month": (self.now.year, self.now.month), "year": (self.now.year,), None: ()}[within]
            old, n = instance["counts"].get(name, (window, 0))
            instance["counts"][name] = (window, n + 1 if old == window else 1)

    def names(self, machine, instance, fields):
        names = {f"event.{k}": v for k, v in fields.items()} | instance["vars"]
        for name, _, within, _ in machine.counts:
            names[name] = FRACTION(instance["counts"].get(name, ((), 0))[1])
        return names

    def find(self, machine, unit, when, fields):
        instance = self.instances[machine.name, unit]
        state = next(s for s in machine.states if s.name == instance["state"])
        for rule in state.rules + machine.any_state:
            heard = rule.when
            if heard.startswith("timer "):
                heard = "timer " + self.timer(machine, state, heard[6:])
            if heard == when and (rule.condition is None or value_of(rule.condition, self.names(machine, instance, fields)) is True):
                return rule
        return None

    def handle(self, machine, unit, when, fields):
        rule = self.find(machine, unit, when, fields)
        if rule:
            self.take(machine, unit, rule, fields)
        while rule := self.find(machine, unit, "any", fields):
            self.take(machine, unit, rule, fields)

    def take(self, machine, unit, rule, fields):
        if rule.refuse:
            raise Refused
        self.act(machine, unit, rule.do, fields)
        if rule.go:
            state = next(s for s in machine.states if s.name == self.instances[machine.name, unit]["state"])
            self.act(machine, unit, state.leave, {})
            for name, _, _, keep in state.timers:
                if not keep:
                    self.instances[machine.name, unit]["timers"].pop(self.timer(machine, state, name), None)
            self.enter(machine, unit, rule.go)

    @staticmethod
    def timer(machine, state, name):
        """Timers of one name set alike are one; the first set otherwise is another, known by its state."""
        shapes = {}
        for s in machine.states:
            for n, *shape in s.timers:
                if n == name:
                    shapes.setdefault(tuple(shape), name if not shapes else f"{s.name}.{name}")
        return shapes[next(tuple(shape) for n, *shape in state.timers if n == name)]

    def enter(self, machine, unit, name):
        instance = self.instances[machine.name, unit]
        instance["state"] = name
        state = next(s for s in machine.states if s.name == name)
        self.act(machine, unit, state.enter, {})
        for timer, k, u, _ in state.timers:
            instance["timers"][self.timer(machine, state, timer)] = self.now + datetime.timedelta(**{"days" if u == "d" else "hours": k})

    def act(self, machine, unit, actions, fields):
        instance = self.instances[machine.name, unit]
        for action in actions:
            if action[0] == "set":
                instance["vars"][action[1]] = value_of(action[2], self.names(machine, instance, fields))
            elif action[0] == "raise":
                self.queue.append((action[1], unit, {}))
            elif (machine.name, unit, action[1]) not in self.issued:  # once in a turn of one instance
                self.issued.add((machine.name, unit, action[1]))
                self.said.append((self.now, action[1], unit))


# ---- the comparison

def random_events(rng, workflow):
    now, out = START + datetime.timedelta(days=1), []
    for _ in range(rng.randint(10, 40)):
        now += datetime.timedelta(minutes=rng.choice([0, 1, 30, 60, 60 * 24, 60 * 24 * 5]))
        fields = {"n": FRACTION(rng.randint(-2, 5)), "m": rng.choice([None, FRACTION(rng.randint(0, 3))]), "flag": rng.random() < 0.5}
        out.append((now, rng.choice(workflow.events), rng.choice(UNITS), fields))
    return out


def event_line(i, event):
    now, kind, unit, fields = event
    sent = {"unit": unit, "flag": fields["flag"], **{k: str(fields[k]) for k in "nm" if fields[k] is not None}}
    return json.dumps({"specversion": "1.0", "id": str(i), "source": "random", "type": "duban.v1.Fact", "time": now.isoformat() + "Z",
                       "datacontenttype": "application/json",
                       "data": {"workflow": "random", "fact": {"kind": kind, "reporter": unit, "fields": sent}}})


def simulate(text, events):
    build = pathlib.Path(os.environ.get("B", "build"))
    program = (build if build.is_absolute() else ROOT / build) / "dubanctl"
    with tempfile.TemporaryDirectory() as where:
        folder = pathlib.Path(where) / "random"
        folder.mkdir()
        (folder / "workflow.yaml").write_text(text, encoding="utf-8")
        (folder / "units.csv").write_text("id,name,roles\n" + "".join(f"{u},单位,w\n" for u in UNITS), encoding="utf-8")
        (folder / "events").write_text("\n".join(event_line(i, e) for i, e in enumerate(events)) + "\n", encoding="utf-8")
        done = subprocess.run([program, "simulate", folder, "--events", folder / "events", "--until", "2024-05-01T00:00:00Z", "--json"],
                              capture_output=True, text=True, timeout=60)
    return done


def outputs_of(done):
    said = []
    for line in done.stdout.splitlines():
        r = json.loads(line)
        if r.get("topic") == "duban.warnings":
            said.append((datetime.datetime.fromisoformat(r["time"].rstrip("Z")), r["measure"], r["unit"]))
    return said


class Machines(unittest.TestCase):
    def test_random_machines_do_what_the_interpreter_says(self):
        seed = int(os.environ.get("SEED", "0")) or secrets.randbelow(2**31)
        issued = tried = 0
        for k in range(WORKFLOWS):
            rng = random.Random(f"{seed}/{k}")
            workflow = Workflow(rng)
            text, events = workflow_text(workflow), random_events(rng, workflow)
            done = simulate(text, events)
            errors = {d["code"] for d in map(json.loads, done.stdout.splitlines()) if d.get("severity") == "error"}
            if errors:
                self.assertLessEqual(errors, {"W0173"}, f"seed {seed}/{k}\n{text}\n{done.stdout}")
                continue  # refused, rightly: a rule that an earlier one always forestalls
            tried += 1
            expected = Interpreter(workflow)
            for event in events:
                expected.event(*event)
            expected.until(datetime.datetime(2024, 5, 1))
            want = [s for s in expected.said if s[1] != "rejected"]
            issued += len(want)
            self.assertEqual(outputs_of(done), want, f"seed {seed}/{k}\n{text}\n{done.stderr[-2000:]}")
        print(f"        {tried} random workflows, {issued} measures alike, seed {seed}")
        self.assertGreater(tried, WORKFLOWS // 4)


if __name__ == "__main__":
    unittest.main()
