/* Every diagnostic explained, once: EXPLAIN(NAME, why, mistake, repair), in the order of diag_codes.h. `dubanctl check --explain`
 * prints it, and workflows/DIAGNOSTICS.md lists it. Mistake and repair are as short as they can be: a line or two of the definition. */
EXPLAIN(FILE, "What a definition names must lie beside it: paths are relative to the folder of workflow.yaml.",
        "units: unit.csv", "units: units.csv")
EXPLAIN(PATH, "A definition is published as a whole; it may reach into the folder above its own (../common, ../calendar), no further.",
        "use: [../../etc/report.yaml]", "use: [../common/report.yaml]")
EXPLAIN(TOO_LARGE, "A file has at most 16 MB, a definition 4 MB together, a section or map 1,000 names: beyond that something is not what it seems.",
        "units: export-of-everything.csv", "units: units.csv")
EXPLAIN(BYTES, "All files are UTF-8. A spreadsheet that saves CSV in GBK or GB18030 must be told to save as “CSV UTF-8”.",
        "(units.csv saved as GBK)", "(units.csv saved as UTF-8)")
EXPLAIN(YAML_SYNTAX, "A colon with a blank begins a value, a brace a map, a bracket a list: such text stands in quotes.",
        "title: 逾期: 通报", "title: \"逾期: 通报\"")
EXPLAIN(YAML_TAB, "YAML counts blanks; how far a tab reaches is anybody's guess.", "\ttitle: 通报", "  title: 通报")
EXPLAIN(YAML_REFUSED, "Anchors, aliases, tags and second documents let a page say what is not on it.", "copy: *office", "copy: [office]")
EXPLAIN(YAML_DUPLICATE, "Most readers of YAML silently keep the last of two equal keys.", "due: day 24\ndue: day 25", "due: day 25")
EXPLAIN(YAML_DEPTH, "No regime nests 64 levels deep; a missing bracket does.", "fields: [[[[…", "fields: {cases: number}")
EXPLAIN(YAML_KEY, "A key is a plain word; a list or a map as key is a slip of brackets.", "{[unit, subject]: text}", "{unit: text, subject: text}")
EXPLAIN(YAML_COMMA, "Inside {…} and […] a comma ends the value, so the rest of the expression becomes a key of its own.",
        "- {when: slow, if: max(a, b) > 1}", "- when: slow\n  if:   max(a, b) > 1")
EXPLAIN(YAML_LOOKALIKE, "YAML knows the ASCII colon with a blank after it and, in braces and brackets, the ASCII comma; ：and ，are letters to it.",
        "title：通报", "title: 通报")
EXPLAIN(YAML_BLANK, "An ideographic or no-break space looks like a space and is none: an indented line is not indented, a key has no value.",
        "title:　通报", "title: 通报")
EXPLAIN(YAML_SIGN, "What begins with > | % @ ` { [ or a quote means something to YAML before the text is read.", "target: >= 25%", "target: ≥ 25%")
EXPLAIN(CSV_SYNTAX, "A cell with a comma or a quote stands in quotes, quotes inside doubled; a quote that is opened is closed.",
        "w-01,\"公安窗口,window", "w-01,\"公安窗口\",window")
EXPLAIN(CSV_ROW, "Each row has a cell for each column, empty ones included.", "id,name,roles\nw-01,公安窗口", "id,name,roles\nw-01,公安窗口,window")
EXPLAIN(CSV_HEADER, "The first line names the columns, each once.", "id,name,name", "id,name,kind")
EXPLAIN(ENCODING, "All files are UTF-8 with line feeds; this one is GBK, UTF-16, or has the line ends of old machines. In words: 这是 GBK 编码.",
        "(units.csv in GBK)", "iconv -f GBK -t UTF-8 units.csv > new.csv")
EXPLAIN(CSV_SEPARATOR, "Cells are parted by commas, not by what a spreadsheet's locale puts there.", "id;name;roles", "id,name,roles")
EXPLAIN(CSV_EMPTY, "Without units nobody owes anything.", "id,name,roles", "id,name,roles\nw-01,公安窗口,window")
EXPLAIN(KEY_UNKNOWN, "A key that nothing reads would be a rule that never acts.", "intial: plain", "initial: plain")
EXPLAIN(KEY_MISSING, "What has no sensible default must be said.", "monthly: {title: 月报}", "monthly: {title: 月报, basis: 第二条, owed-by: window, …}")
EXPLAIN(SHAPE, "A list where a map belongs, or a text where a list does.", "rules: {when: late}", "rules:\n  - {when: late, go: warned}")
EXPLAIN(TYPE_UNKNOWN, "Types are words of the language (text, number, date, unit …), a table's row, or words with | between.",
        "fields: {held: datetime}", "fields: {held: date}")
EXPLAIN(VALUE, "A value must read as what its place wants.", "due: {obligation: monthly, year: 24}", "due: {obligation: monthly, year: 2024}")
EXPLAIN(PARAM_WORD, "A parameter's type is told by how it is written; this would be a word, and equal to no date, number or yes. Quotes say that a word is meant.",
        "within: {value: 30天}", "within: {value: 30d}")
EXPLAIN(PARAM_ZEROS, "A number has no zeros to spare: 1.10 is shown as 1.1, 0452 as 452. Quotes keep a text as it is.", "edition: {value: 1.10}",
        "edition: {value: \"1.10\"}")
EXPLAIN(EXPR_TOKEN, "Expressions are written with ASCII signs or ≥ ≤ ≠ × ÷; full-width punctuation and == mean nothing in them.",
        "if: low ＞ 2", "if: low > 2")
EXPLAIN(EXPR_SYNTAX, "Something is missing or too much: a bracket, an operand, a second comparison.", "if: 1 < low < 3", "if: 1 < low and low < 3")
EXPLAIN(EXPR_DEPTH, "An expression that nobody can read is split into conditions with names.", "if: ((((((…", "let: {risen: …}\nif:  risen and …")
EXPLAIN(EXPR_NAME, "A name must be declared, or be what the place knows: key parts, variables, counts, roles. Minus is a letter of names.",
        "if: low-1 > 2", "if: low - 1 > 2")
EXPLAIN(EXPR_TYPE, "The place wants another type than the expression has.", "if: low", "if: low > 0")
EXPLAIN(EXPR_OPERAND, "The two sides of an operator do not go together.", "if: event.held > 3", "if: event.held > 2024-03-01")
EXPLAIN(EXPR_CONTEXT, "After a timer, under `when: any` and in `let` there is no single event; a task's due only exists in tasks.",
        "- when: timer limit\n  if:   event.pass", "- when: timer limit\n  if:   latest(accepted).pass")
EXPLAIN(EXPR_CALL, "Each function says what it takes.", "round(x, y, 2)", "round(x, 2)")
EXPLAIN(EXPR_CYCLE, "A condition cannot be made of itself.", "let: {a: b, b: a}", "let: {a: low > 1, b: a and passed}")
EXPLAIN(EXPR_AMBIGUOUS, "A word that stands for two things must say which it means.", "if: state = open", "if: this.state = open")
EXPLAIN(INSTANCES, "A load check and `owed-by` are settled by the roster and the tables alone; tasks and cases come and go.",
        "that: count(card) = 0", "that: count(window) = 2")
EXPLAIN(INSTANCE_KEY, "Brackets hold the whole key, in the order of `per`; of a task: obligation, period, unit and, where there is one, about.",
        "card[unit].low", "card[unit, subject].low")
EXPLAIN(COLUMN_CLASH, "`tasks` are the instances of several machines; what these call by one name must be of one type.",
        "any(tasks where filed)  # a number in one, yes-no in the other", "any(report where filed)")
EXPLAIN(ISSUED, "issued(M) is about the instance at hand; where there is none, say to whom.", "{if: not issued(circular), say: 未经通报}",
        "{if: not issued(circular to event.unit), say: 未经通报}")
EXPLAIN(PARAM_VERSION, "Versions stand in the order of their days, each of the parameter's own type.",
        "versions: [{from: 2024-07-01, value: 30d}]  # value: 2", "versions: [{from: 2024-07-01, value: 1}]")
EXPLAIN(PARAM_DATED, "A measure's limit, a due rule, a cut-off are settled when the definition is read; only expressions see a parameter change.",
        "limit: params.within  # which has versions", "limit: 30d")
EXPLAIN(WORKFLOW_ID, "An id goes into events, keys and addresses: at most 64 of a-z, 0-9 and minus.", "workflow: 大厅2024", "workflow: hall-2024")
EXPLAIN(NAME, "A name is letters of any script, digits and minus, and begins with a letter.", "params: {2nd-limit: …}", "params: {second-limit: …}")
EXPLAIN(DECLARED_TWICE, "All names of a section are shared between the workflow and what it uses.", "measures: {reminder: …}  # and in ../common/report.yaml",
        "measures: {own-reminder: …}")
EXPLAIN(ZONE, "Dates are reckoned in an IANA time zone.", "timezone: Beijing", "timezone: Asia/Shanghai")
EXPLAIN(CALENDAR, "../calendar/NAME.csv has date, work (yes or no) and name, each date once.", "2024-02-10,off,春节", "2024-02-10,no,春节")
EXPLAIN(EFFECTIVE, "FIRST/LAST, both included, the first not after the last.", "effective: 2024-12-31/2024-01-01", "effective: 2024-01-01/2024-12-31")
EXPLAIN(FRAGMENT, "A file under `use` begins with fragment: NAME.", "use: [../hall-2023/workflow.yaml]", "use: [../common/report.yaml]")
EXPLAIN(WORD, "The place allows certain words only.", "level: orange", "level: yellow")
EXPLAIN(NUMBER, "A number that is out of the range its place allows, or no whole one.", "at-least: 0", "at-least: 1")
EXPLAIN(DURATION, "30m, 2h, 3d, 2w, 1mo, 5 workdays.", "limit: 10 days", "limit: 10d")
EXPLAIN(ROSTER_ID, "Ids are 1 to 200 printable bytes.", ",公安窗口,window", "w-01,公安窗口,window")
EXPLAIN(ROSTER_TWICE, "An id may stand in several rows if their dates do not overlap.", "w-01,…,2024-01-01,\nw-01,…,2024-06-01,",
        "w-01,…,2024-01-01,2024-05-31\nw-01,…,2024-06-01,")
EXPLAIN(ROSTER_DATE, "`from` and `to` are dates, both included, `from` first.", "w-01,…,2024/1/1,", "w-01,…,2024-01-01,")
EXPLAIN(ROSTER_UNIT, "The unit that a relation, a successor or a cell names is not among the units.", "i-017,lead,u-99,,", "i-017,lead,u-09,,")
EXPLAIN(ROSTER_SUBJECT, "A relation is of a unit or of a table's row.", "i-999,lead,u-01,,", "i-017,lead,u-01,,")
EXPLAIN(ROSTER_COLUMN, "Each file has columns that must be there, and no others.", "id,name,role", "id,name,roles")
EXPLAIN(ROLE_UNKNOWN, "A role is a word of the column `roles`.", "owed-by: windows", "owed-by: window")
EXPLAIN(SUCCESSOR_NO_END, "Somebody takes over on the day after a unit's last: `successor` stands in the row whose `to` says which that is.",
        "id,…,to,successor\nw-01,…,,w-09", "id,…,to,successor\nw-01,…,2024-06-30,w-09")
EXPLAIN(SUCCESSOR_ABSENT, "Who takes over must be there on the day after the unit's last.", "w-01,…,2024-06-30,w-09\nw-09,…,2024-08-01,,",
        "w-01,…,2024-06-30,w-09\nw-09,…,2024-07-01,,")
EXPLAIN(SUCCESSOR_CIRCLE, "Units that end on one day and name each other hand everything to nobody.",
        "w-01,…,2024-06-30,w-02\nw-02,…,2024-06-30,w-01", "w-01,…,2024-06-30,w-09\nw-02,…,2024-06-30,w-09")
EXPLAIN(SUCCESSOR_TWICE, "Of a unit that is split, each part is named once; the first inherits counts, cases and open tasks.",
        "w-01,…,2024-06-30,w-08|w-08", "w-01,…,2024-06-30,w-08|w-09")
EXPLAIN(PARAM_UNKNOWN, "params.X must stand under `params`.", "limit: params.rectify", "limit: params.rectify-within")
EXPLAIN(PARAM_UNSET, "What the text leaves open is decided before it runs: a parameter has a value.", "tail: {why: 「靠后」}", "tail: {value: 3, why: 「靠后」：最后三位}")
EXPLAIN(FIELD_UNKNOWN, "The event, obligation or row has no such field.", "requires: [numbers]", "requires: [cases]")
EXPLAIN(EVENT_DATED, "`dated` says which field tells when it happened: a date, an instant or a period.", "dated: result", "dated: held")
EXPLAIN(RANKING_OF, "A ranking ranks the rows of a table, or units.", "of: text", "of: indicator")
EXPLAIN(EVENT_UNKNOWN, "A rule hears declared events, rankings, raised events and timers.", "when: confirm", "when: confirmed")
EXPLAIN(DUE, "Day n of the period's last month, a weekday of its last week, its last day …: each kind of period has rules that suit it.",
        "due: 24日", "due: day 24")
EXPLAIN(COUNTS, "EVENT, or EVENT where CONDITION.", "counts: dispatch if event.kind = 专班内部", "counts: dispatch where event.kind = 专班内部")
EXPLAIN(MACHINE_UNKNOWN, "An obligation lives in a machine that is `of: task`, declared here or in a fragment.", "machine: reports", "machine: report")
EXPLAIN(NOBODY_OWES, "No unit holds the role in the span, so no task would ever be born.", "owed-by: window  # nobody holds it in 2024", "owed-by: office")
EXPLAIN(NEVER_DUE, "In the effective span this obligation falls due on no day.", "from: 2025\ndue:  day 20  # effective ends 2024-12-31", "from: 2024")
EXPLAIN(BASIS, "Whoever gets a measure may ask for its article.", "circular: {title: 通报, level: circular, topic: supervision, to: [unit]}",
        "circular: {title: 通报, basis: 第三条, …}")
EXPLAIN(DOCUMENT_UNKNOWN, "A document stands under `documents`.", "document: notice", "document: circular")
EXPLAIN(DOCUMENT_NUMBER, "PREFIX〔year〕nSUFFIX: the year and the number are put in.", "number: 大厅通2024第1号", "number: 大厅通〔year〕n号")
EXPLAIN(TEMPLATE, "The template's file is not in the folder templates/, beside the file that names it.", "template: notice.html", "template: circular.html")
EXPLAIN(TEMPLATE_TAG, "A template is the main text alone: its looks are the page's.", "<p class=\"red\">…</p>", "<p>…</p>")
EXPLAIN(TEMPLATE_NESTING, "Text stands in paragraphs, cells and items, and what is opened is closed.", "<table><td>{unit}</td></table>", "<table><tr><td>{unit}</td></tr></table>")
EXPLAIN(TEMPLATE_EACH, "{each ROWS} … {end} repeats what is between for each of several; ROWS by KEY puts them in order.", "{each unit} … {end}", "{each units where role = office by title} … {end}")
EXPLAIN(TEMPLATE_VALUE, "A row has many fields: one of them is printed.", "{units where role = office}", "{each units where role = office}{title}{end}")
EXPLAIN(ATTACHMENT, "An attachment is named in one line, without a mark at its end; 附件： and the numbers are the page's.", "attachments: 附件1：考评情况表。", "attachments: 考评情况表")
EXPLAIN(BODY, "{…} holds an expression; each brace has its partner.", "body: \"{unit.title：请整改\"", "body: \"{unit.title}：请整改\"")
EXPLAIN(STATE_UNKNOWN, "`go`, `initial` and `part-of` name states and groups of this machine.", "go: circular", "go: circulated")
EXPLAIN(TIMER_UNKNOWN, "A timer is declared in a state, a group, or by an action of this machine.", "when: timer deadline", "when: timer limit")
EXPLAIN(MEASURE_UNKNOWN, "A measure stands under `measures`.", "do: [measure: circulars]", "do: [measure: circular]")
EXPLAIN(VAR_UNKNOWN, "A variable stands under the machine's `vars`.", "do: [set: rectify]", "do: [set: rectified]")
EXPLAIN(ACTION, "One action a line: set, clear, measure, raise, timer, cancel and what belongs to it.", "do: [issue: circular]", "do: [measure: circular]")
EXPLAIN(RULE, "A rule has `when`, and at least one of `do`, `go` and `refuse`.", "- {when: late, if: lates > 1}", "- {when: late, if: lates > 1, go: warned}")
EXPLAIN(REACH, "Which instance does the event mean? Its fields have no such names as the machine's key, so `reach` says it.",
        "per: [unit, subject]  # ranked has no field subject", "reach:\n  ranked: {unit: each lead of event.indicator, subject: event.indicator}")
EXPLAIN(RAISE, "A raised event has the fields that its first `raise` gave it.", "{raise: late, units: unit}", "{raise: late, unit: unit}")
EXPLAIN(MACHINE_KEY, "A key has up to four parts, each with a type that can be written down.", "per: [unit, lines]", "per: [unit, subject]")
EXPLAIN(MACHINE_EVENT, "A machine of tasks hears what happens to its task; other events reach it by the obligation's `counts`.",
        "of: task\n…\n- when: dispatch", "counts: dispatch where …   # of the obligation\n- when: counted")
EXPLAIN(START, "`start` fits the variable's type; `initial` names a state.", "told: {type: yes-no, start: 0}", "told: {type: yes-no, start: no}")
EXPLAIN(STATE_UNREACHABLE, "No rule leads to this state.", "states: {plain: …, warned: …}  # nothing goes to warned", "- {when: late, go: warned}")
EXPLAIN(STATE_STUCK, "What ends here should say so.", "done: {title: 销号}", "done: {title: 销号, final: yes}")
EXPLAIN(STATE_FINAL, "A final state is the end.", "done: {final: yes, rules: [{when: late, go: plain}]}", "done: {rules: [{when: late, go: plain}]}")
EXPLAIN(RULE_DEAD, "The first rule that holds is taken: one without a condition hides those after it.",
        "- {when: low, go: yellow}\n- {when: low, if: n ≥ 3, go: red}", "- {when: low, if: n ≥ 3, go: red}\n- {when: low, go: yellow}")
EXPLAIN(TIMER_UNHANDLED, "A timer that fires and changes nothing is a rule forgotten.", "timers: {limit: at limit}", "timers: {limit: at limit}\nrules:  [{when: timer limit, do: [measure: interview]}]")
EXPLAIN(RAISE_CYCLE, "Events that raise one another without a timer between them never come to an end.", "- {when: a, do: [raise: b]}\n- {when: b, do: [raise: a]}",
        "- {when: a, do: [raise: b]}\n- {when: b, go: done}")
EXPLAIN(NEVER_BORN, "`born-by` names the events that create an instance; of these, none can come.", "born-by: [late]  # nothing raises late", "born-by: [missed]")
EXPLAIN(LOAD_CHECK, "What the text says of itself does not hold of the roster and tables that are there.", "that: count(taskforce) = 11  # there are 10", "(the eleventh taskforce, in units.csv)")
EXPLAIN(TALLY_ITEM, "An item is valued by an expression, or credited by records (`each`) or rules (`score`).", "news: {title: 信息}",
        "news: {title: 信息, each: news, points: 1}")
EXPLAIN(TALLY_UNKNOWN, "A score names a tally and one of its items; words that choose an item must be items.", "{score: monthly.dynamics, points: 1}",
        "{score: monthly.dynamic, points: 1}")
EXPLAIN(TALLY_BOUNDS, "No number is at most the cap and at least the floor.", "cap: 0\nfloor: 20", "cap: 20\nfloor: 0")
EXPLAIN(TALLY_SPAN, "No period that is scored begins in the span, or the workflow is not in force then.", "span: 2023-04/2023-12  # effective 2022", "span: 2022-04/2022-12")
EXPLAIN(TALLY_CLOSES, "Publication names its period: an event with a field of that type.", "published: {by: [lead]}", "published: {by: [lead], fields: {month: month}}")
EXPLAIN(TALLY_COLUMN, "A self score or a review says an item (text or words) and its points (a number), by itself or line by line.",
        "self-score: {fields: {total: number}}", "self-score:\n  fields: {lines: {list of: {item: text, points: number}}}")
EXPLAIN(RANKING_COMPUTED, "It names a tally's total, whose units it ranks; nobody publishes it.", "computed: monthly\nby: office", "computed: monthly.total, highest first")
EXPLAIN(SOFT_SANCTION, "「原则上」, 不定期, 适时 carry no day: their end may remind, and nobody is warned or listed by it.",
        "- {when: timer soft, do: [measure: warning]}", "- {when: timer soft, do: [measure: reminder]}")
EXPLAIN(ORDER, "不得早于: what sums up others' reports must not be over before these are due, in any period of the span; the first one is named.",
        "due:   last week   # week: full-week: in 2022Q2 over on the 26th\nafter: monthly     # due on the 28th", "due:   last week\nweek:  days\nafter: monthly")
EXPLAIN(ROLE_VACANT, "Some unit had the role, but none has it while the workflow is in force.", "by: [former]", "by: [office]")
EXPLAIN(COUNTS_FOR_ALL, "Each owner has a task of its own; what counts without a condition counts for all of them, whoever reported it.",
        "owed-by: window  # three of them\ncounts:  meeting", "counts:  meeting where event.by = unit")
EXPLAIN(UNHANDLED, "It may be reported, and nothing would come of it.", "events: {visited: …}  # no rule hears it", "- {when: visited, do: [set: seen]}")
EXPLAIN(UNUSED_PARAM, "A parameter that nothing uses decides nothing.", "params: {grace: {value: 3d}}", "missed-after: params.grace")
EXPLAIN(UNUSED_MEASURE, "No rule issues it.", "measures: {interview: …}", "- {when: timer limit, do: [measure: interview]}")
EXPLAIN(UNUSED_DOCUMENT, "No measure carries it.", "documents: {slip: …}", "document: slip")
EXPLAIN(LIFE_UNKNOWN, "A ledger's rows live a machine `of: row`, of the workflow's own file or of a fragment under `use:`.", "life: items",
        "use:  [../common/item.yaml]\nlife: item")
EXPLAIN(LEDGER_EVENT, "What files, marks, closes or reopens rows is an event, with a condition or parts of the key where need be.",
        "filed-by: {event: finding}", "filed-by: {when: finding, where: event.limit is given}")
EXPLAIN(LEDGER_FIELD, "The fields of what files a row, its marks and variables are one set of names; version, closed and result are taken.",
        "finding: {fields: {unit: unit, version: text}}", "finding: {fields: {unit: unit, edition: text}}")
EXPLAIN(LEDGER_LIFE, "A life asks for fields of the events that stand for closing or reopened, or of the row, and this ledger's have none.",
        "settled: {fields: {unit: unit, problem: text}}", "settled: {fields: {unit: unit, problem: text, result: optional text}}")
EXPLAIN(LEDGER_LIMIT, "A row's limit is a day, to its 24:00, or a moment. The field `limit` of what files it is taken where `limit:` says nothing.",
        "finding: {fields: {limit: text}}", "finding: {fields: {limit: optional date}}")
EXPLAIN(MARK, "A mark says which event sets it; nothing takes it back.", "marks: {done: []}", "marks: {done: measure-done where event.month = month}")
EXPLAIN(TARGET, "A reading is compared with a number.", "target: 不低于89%", "target: ≥ 89%")
EXPLAIN(ROSTER_CHECK, "The roster does not have what the text wants of each such unit: mend the row, or let the warning stand.",
        "c-01,甲县,county,,2024-01-01,", "c-01,甲县,county,c-01-liaison,2024-01-01,")
EXPLAIN(RRULE, "An RFC 5545 rule has a FREQ and parts that suit it; which of its days a period is due on is asked within that period, so the obligation needs one.",
        "due: {rrule: FREQ=MONTHLY;BYDAY=5XX}", "due: {rrule: FREQ=MONTHLY;BYDAY=-1FR}")
EXPLAIN(BIRTH, "`born-by` names an event, `directive`, or `rules`; what it says of unit, about, period and due must have their types, and a rule that bears a task says them itself.",
        "born-by: timer limit", "born-by: problem-found")
EXPLAIN(BIRTHS_ALIKE, "Two events of one unit in one period would mean the same task: the second would bear nothing.", "born-by: problem-found",
        "born-by: problem-found\nabout:   event.no")
EXPLAIN(NEVER_JUDGED, "The machine waits for the due date to judge what was done, and `due: none` never comes.", "due:     none\nmachine: duty", "due:     last day\nmachine: duty")
EXPLAIN(SOFT, "A soft window 「原则上」 reminds before the task is due; one that ends after it has nothing to remind of.", "due:  day 5\nsoft: last week", "due:  last day\nsoft: first week")
EXPLAIN(FILED_BY, "The event that stands for a submission is one that somebody reports; its fields are the submission's, and its period is of the obligation's kind.",
        "filed-by: late   # raised, reported by nobody", "filed-by: self-score")
EXPLAIN(ABOUT, "One task for each holder of a role, or for each row of a table; of a born task, a text, a unit, a row, a number, a date or a period.", "about: units.csv", "about: each of indicators")
EXPLAIN(SCHEDULE, "A schedule raises a declared event on days that fall in its span, with the fields that the event has.", "at: day 31   # each: week", "at: last day")
EXPLAIN(CORRECTION, "Corrections are made by the issuer, of tasks also by those who receive the reports; here there is neither.", "- {when: waived, go: clear}   # no issuer:", "issuer: office")
EXPLAIN(MIGRATE, "`migrate` says what becomes of instances in states that are no more.", "migrate: {carded: clear}   # carded is still a state", "migrate: {hung: carded}")
EXPLAIN(QUIET, "What falls before `quiet-before` issues nothing; here that is everything.", "quiet-before: 2025-01-01   # effective ends 2024-12-31", "quiet-before: 2024-07-01")
