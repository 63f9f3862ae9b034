'use strict';

// The page: one overview fetched when the live stream says that something changed. Text only ever goes in as text.

const TEXT = {
  zh: {
    other: 'English', skip: '跳到主要内容', name: '督办', connecting: '正在连接…', live: '实时', offline: '连接中断，正在重连…',
    asOf: '截至 {0}', applied: '已受理', rejected: '已拒收', outputs: '已发出', lag: '待处理', open: '未结任务', overdue: '逾期',
    carded: '督办中', unknown: '未知', cases: '督办中', casesCaption: '预警、黄牌、红牌尚未解除的单位与事项', casesEmpty: '没有预警，没有挂牌。',
    state: '状态', unitAndSubject: '单位与事项', sinceAndLimit: '起始与限期', since: '{0} 起', limit: '限 {0}', limitPassed: '限期 {0} 已过',
    due: '报送期限', dueCaption: '未结任务，按期限先后', dueEmpty: '没有未结的任务。', task: '任务与单位', deadline: '期限',
    overdueGroup: '已逾期，最近 {0} 项（共 {1} 项）', dueGroup: '将到期',
    measures: '最近措施', measuresCaption: '最近三十项，新的在前', measuresEmpty: '尚未发出任何措施。', time: '时间', measure: '措施',
    why: '依据与来由', rule: '规则 {0}', byEvent: '来自 {0}', byTimer: '到期 {0}', read: '查看{0}', readWithdrawn: '查看已撤销的{0}',
    left: '还有 {0}', past: '已过 {0}', days: '{0} 天', hours: '{0} 小时', minutes: '{0} 分钟', moment: '不足一分钟',
    cut: '任务或事项过多，只计入了一部分。', noWorkflow: '尚无制度生效：在配置的 workflows 中列出其文件夹，或用 dubanctl publish 发布。',
    partly: '本节点只载有 {0} / {1} 个分区：别处的制度不在此列。', starting: '正在启动。', news: '新增 {0} 项措施：{1}', late: '逾期', missed: '漏报',
    WARNING: '预警', CIRCULAR: '通报', LISTING: '挂牌督办', YELLOW: '黄牌', RED: '红牌',
  },
  en: {
    other: '中文', skip: 'Skip to main content', name: 'Supervision', connecting: 'Connecting…', live: 'Live',
    offline: 'Connection lost, trying again…', asOf: 'as of {0}', applied: 'Applied', rejected: 'Rejected', outputs: 'Issued', lag: 'Waiting',
    open: 'Open tasks', overdue: 'Overdue', carded: 'Under supervision', unknown: 'unknown', cases: 'Under supervision',
    casesCaption: 'Units and subjects with a warning, a yellow or a red card', casesEmpty: 'No warnings, no cards.', state: 'State',
    unitAndSubject: 'Unit and subject', sinceAndLimit: 'Since, limit', since: 'since {0}', limit: 'by {0}', limitPassed: 'limit {0} passed',
    due: 'Deadlines', dueCaption: 'Open tasks, by deadline', dueEmpty: 'No open tasks.', task: 'Task and unit', deadline: 'Deadline',
    overdueGroup: 'Overdue, the latest {0} of {1}', dueGroup: 'Coming', measures: 'Latest measures',
    measuresCaption: 'The last thirty, newest first', measuresEmpty: 'Nothing has been issued yet.', time: 'Time', measure: 'Measure',
    why: 'Basis and cause', rule: 'rule {0}', byEvent: 'from {0}', byTimer: 'deadline {0}', read: 'Open {0}',
    readWithdrawn: 'Open the withdrawn {0}', left: '{0} left', past: '{0} past', days: '{0} d', hours: '{0} h', minutes: '{0} min', moment: 'under a minute',
    cut: 'Too many tasks or cases: only some are counted.',
    noWorkflow: 'No workflow is in force: list its folder under workflows in the configuration, or run dubanctl publish.',
    partly: 'This node holds {0} of {1} partitions: workflows of the others are not shown.', starting: 'Starting.', news: '{0} new measures: {1}', late: 'late', missed: 'missed',
    WARNING: 'Warning', CIRCULAR: 'Circular', LISTING: 'Listed', YELLOW: 'Yellow card', RED: 'Red card',
  },
};
const RANK = { RED: 5, YELLOW: 4, LISTING: 3, CIRCULAR: 2, WARNING: 1 };
const OVERDUE_SHOWN = 10;
const MINUTE = 60000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

const $ = (id) => document.getElementById(id);
let language = 'zh';
let overview = null;
let fetchedAt = 0; // when, by this machine's monotonic clock
let connection = 'connecting';

function t(key, ...values) {
  return TEXT[language][key].replace(/\{(\d)\}/g, (_, i) => values[i]);
}

// ---- times, in the workflow's own zone

const formats = new Map();

function format(zone, instant, withTime) {
  const key = `${zone}/${withTime}`;
  if (!formats.has(key)) {
    const options = { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' };
    if (withTime) Object.assign(options, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    formats.set(key, new Intl.DateTimeFormat('sv-SE', options)); // 2024-03-29 09:00
  }
  return formats.get(key).format(instant);
}

function zoneOf(workflow) {
  const found = overview.workflows.find((w) => w.id === workflow) || overview.workflows[0];
  return found ? found.timezone : undefined;
}

const dayOf = (row, time) => format(zoneOf(row.workflow), new Date(time), false);
const minuteOf = (row, time) => format(zoneOf(row.workflow), new Date(time), true);
// A limit is the end of its day, 24:00: name that day, not the next.
const lastDayOf = (row, time) => dayOf(row, Date.parse(time) - 1);

function now() {
  const at = overview.now ? Date.parse(overview.now) : Date.now();
  return overview.events_time ? at : at + (performance.now() - fetchedAt);
}

function length(ms) {
  if (ms >= 2 * DAY) return t('days', Math.floor(ms / DAY));
  if (ms >= HOUR) return t('hours', Math.floor(ms / HOUR));
  if (ms >= MINUTE) return t('minutes', Math.floor(ms / MINUTE));
  return t('moment');
}

const distance = (time) => {
  const ms = Date.parse(time) - now();
  return ms >= 0 ? t('left', length(ms)) : t('past', length(-ms));
};

// ---- elements

function make(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== undefined && value !== null) e.setAttribute(name, value);
  }
  e.append(...children.filter((c) => c !== null && c !== undefined && c !== ''));
  return e;
}

const cell = (attributes, ...children) => make('td', { role: 'cell', ...attributes }, ...children);
const main = (...c) => make('span', { class: 'main' }, ...c);
const more = (...c) => make('span', { class: 'more' }, ...c);
const badge = (level, text) => make('span', { class: 'badge', 'data-level': level }, text);

function joined(parts) {
  const out = [];
  for (const part of parts.filter((p) => p)) {
    if (out.length) out.push(' · ');
    out.push(part);
  }
  return out;
}

const shown = new WeakMap(); // table row → what it was made from

// Puts rows into a table body. A row whose content is what it was stays as it is: focus and selection survive an update.
function fill(body, rows, keyOf, cellsOf, markFresh) {
  const before = new Map([...body.children].map((tr) => [tr.dataset.key, tr]));
  const known = before.size > 0;
  const wanted = rows.map((row) => {
    const key = keyOf(row);
    const text = language + JSON.stringify(row);
    const old = before.get(key);
    if (old && shown.get(old) === text) return old;
    const tr = make('tr', { role: 'row', 'data-key': key }, ...cellsOf(row));
    shown.set(tr, text);
    if (markFresh && known && !old) tr.classList.add('fresh');
    return tr;
  });
  for (const tr of [...body.children]) if (!wanted.includes(tr)) tr.remove();
  wanted.forEach((tr, i) => {
    if (body.children[i] !== tr) body.insertBefore(tr, body.children[i] || null);
  });
}

// ---- the parts of the page

const taskKey = (r) => [r.workflow, r.obligation, r.period, r.unit, r.about].join('/');
const caseKey = (r) => [r.workflow, r.machine, ...Object.values(r.key)].join('/');

function taskCells(row) {
  const state = row.missed ? t('missed') : row.late ? t('late') : row.state_title;
  return [
    cell({}, main(row.title || row.obligation), more(...joined([row.unit_title || row.unit, row.about_title || row.about, row.period, state]))),
    cell({ class: 'when' }, main(row.day || dayOf(row, row.due)), make('span', { class: 'more', 'data-until': row.due })),
  ];
}

function caseCells(row) {
  const level = language === 'zh' && row.state_title ? row.state_title : t(row.level);
  return [
    cell({}, badge(row.level, level)),
    cell({}, main(row.unit_title || row.unit), more(row.subject_title || row.subject)),
    cell(
      { class: 'when' },
      main(t('since', dayOf(row, row.since))),
      row.limit ? make('span', { class: 'more', 'data-limit': row.limit, 'data-day': lastDayOf(row, row.limit) }) : null,
    ),
  ];
}

function causeOf(row) {
  const c = row.caused_by || {};
  if (c.timer) return t('byTimer', minuteOf(row, c.due || row.time));
  if (!c.id) return null;
  const href = `/v1/events/${encodeURIComponent(c.source)}/${encodeURIComponent(c.id)}`;
  return make('a', { href }, t('byEvent', `${c.source} ${c.id}`));
}

// A measure's document; of a withdrawal, the one that holds no more. Without either, the number alone.
function documentOf(row) {
  const gone = row.withdrawn && row.withdrawn.document ? row.withdrawn : null;
  if (!row.document_text && !gone) return row.number;
  const { document: title, number } = gone || row;
  const id = gone ? row.withdraws : row.id;
  const href = `/v1/workflows/${encodeURIComponent(row.workflow)}/documents/${encodeURIComponent(id)}`;
  return make('a', { href, class: 'document' }, t(gone ? 'readWithdrawn' : 'read', number ? `${title} ${number}` : title));
}

function measureCells(row) {
  const [day, minute] = minuteOf(row, row.time).split(' ');
  const about = row.subject_title || row.subject || joined([row.obligation_title || row.obligation, row.about_title || row.about]).join('');
  return [
    cell({ class: 'when' }, main(day), more(minute)),
    cell({}, main(badge(row.level, row.title || row.measure), ' ', row.unit_title || row.unit), more(...joined([about, row.period, documentOf(row)]))),
    cell({}, main(row.basis), more(...joined([t('rule', row.rule), causeOf(row)]))),
  ];
}

function groupRow(text) {
  return make('tr', { role: 'row', 'data-key': 'group' }, make('th', { scope: 'rowgroup', colspan: '2', role: 'rowheader' }, text));
}

function fillGroup(body, rows, heading) {
  const old = body.querySelector('[data-key="group"]');
  if (old) old.remove();
  fill(body, rows, taskKey, taskCells, false);
  if (rows.length > 0 && heading) body.prepend(groupRow(heading));
}

function renderTasks() {
  const overdue = overview.overdue.slice(0, OVERDUE_SHOWN);
  const total = overview.counts.overdue_tasks;
  fillGroup($('overdue-rows'), overdue, t('overdueGroup', overdue.length, total));
  fillGroup($('due-rows'), overview.due, overdue.length > 0 ? t('dueGroup') : '');
  $('due-number').textContent = overview.counts.open_tasks || '';
  show('due', overdue.length + overview.due.length > 0);
}

function renderCases() {
  const rows = [...overview.cases].sort(
    (a, b) => (RANK[b.level] || 0) - (RANK[a.level] || 0) || (a.since < b.since ? 1 : a.since > b.since ? -1 : 0));
  fill($('cases').tBodies[0], rows, caseKey, caseCells, true);
  $('cases-number').textContent = overview.counts.cases || '';
  show('cases', rows.length > 0);
}

function show(id, has) {
  $(id).hidden = !has;
  $(`${id}-empty`).hidden = has;
}

let told = null; // ids of the measures that the reader knows of

function renderMeasures() {
  const rows = overview.measures;
  fill($('measures').tBodies[0], rows, (r) => r.id, measureCells, true);
  show('measures', rows.length > 0);
  const fresh = told ? rows.filter((r) => !told.has(r.id)) : [];
  told = new Set(rows.map((r) => r.id));
  if (fresh.length > 0) {
    const first = fresh.slice(0, 3).map((r) => `${r.unit_title || r.unit} ${r.title}`);
    $('news').textContent = t('news', fresh.length, first.join(language === 'zh' ? '，' : ', '));
  }
}

function renderCounts() {
  const c = overview.counts;
  const items = [
    ['applied', c.applied], ['rejected', c.rejected, c.rejected > 0], ['outputs', c.outputs], ['lag', c.lag === null ? t('unknown') : c.lag],
    ['open', c.open_tasks], ['overdue', c.overdue_tasks, c.overdue_tasks > 0], ['carded', c.cases],
  ];
  const number = (v) => (typeof v === 'number' ? v.toLocaleString('en-US') : v);
  $('counts').replaceChildren(
    ...items.map(([key, value, bad]) => make('div', { class: bad ? 'bad' : null }, make('dt', {}, t(key)), make('dd', {}, number(value)))));
}

function renderNotice() {
  const says = overview.trouble || (!overview.ready ? t('starting') : overview.workflows.length === 0 ? t('noWorkflow') : '') ||
    (overview.partitions.readable < overview.partitions.all ? t('partly', overview.partitions.readable, overview.partitions.all) : '') ||
    (overview.counts.cut ? t('cut') : '');
  if ($('notice').textContent !== says) $('notice').textContent = says;
  $('notice').hidden = says === '';
}

function renderLink() {
  const zone = overview && overview.workflows.length > 0 ? overview.workflows[0].timezone : undefined;
  const at = overview && overview.now ? ` · ${t('asOf', format(zone, new Date(now()), true))}` : '';
  const text = t(connection) + (connection === 'live' ? at : '');
  if ($('link').textContent !== text) {
    // Only what the state of the connection is, is worth hearing; the time goes on quietly.
    $('link').setAttribute('aria-live', $('link').dataset.state === connection ? 'off' : 'polite');
    $('link').textContent = text;
  }
  $('link').dataset.state = connection;
}

// What depends on the time alone.
function renderTimes() {
  if (!overview) return;
  for (const e of document.querySelectorAll('[data-until]')) {
    e.textContent = distance(e.dataset.until);
    e.classList.toggle('late', Date.parse(e.dataset.until) <= now());
  }
  for (const e of document.querySelectorAll('[data-limit]')) {
    const passed = Date.parse(e.dataset.limit) <= now();
    e.textContent = passed ? t('limitPassed', e.dataset.day) : `${t('limit', e.dataset.day)} · ${distance(e.dataset.limit)}`;
    e.classList.toggle('late', passed);
  }
  renderLink();
}

function render() {
  renderLink();
  if (!overview) return;
  const titles = overview.workflows.map((w) => w.title || w.id);
  $('title').textContent = titles.join(language === 'zh' ? '、' : ', ') || t('name');
  document.title = titles.length > 0 ? `${titles[0]} · ${t('name')}` : `${t('name')} · duband`;
  renderCounts();
  renderNotice();
  renderCases();
  renderTasks();
  renderMeasures();
  renderTimes();
}

function speak(which) {
  language = which;
  document.documentElement.lang = which === 'zh' ? 'zh-CN' : 'en';
  for (const e of document.querySelectorAll('[data-text]')) if (TEXT.zh[e.dataset.text]) e.textContent = t(e.dataset.text);
  $('language').textContent = t('other');
  $('language').lang = which === 'zh' ? 'en' : 'zh-CN';
  render();
}

// ---- staying up to date

let fetching = false, again = false;

async function refresh() {
  if (fetching) {
    again = true;
    return;
  }
  fetching = true;
  try {
    const answer = await fetch('/v1/overview', { cache: 'no-store' });
    if (!answer.ok) throw new Error(String(answer.status));
    overview = await answer.json();
    fetchedAt = performance.now();
    if (stream.readyState === EventSource.OPEN) connection = 'live';
    if (answer.headers.has('Retry-After')) setTimeout(refresh, 1000);
    render();
  } catch (e) {
    connection = 'offline';
    renderLink();
  }
  fetching = false;
  if (again) {
    again = false;
    refresh();
  }
}

let stream = null;

function listen() {
  stream = new EventSource('/v1/live');
  stream.addEventListener('open', () => {
    connection = 'live';
    renderLink();
  });
  stream.addEventListener('changed', refresh);
  stream.addEventListener('error', () => {
    connection = 'offline';
    renderLink();
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 3000); // it was refused: a browser does not come again by itself
  });
}

function remembered() {
  try {
    return localStorage.getItem('language');
  } catch (e) {
    return null; // storage is switched off
  }
}

function remember(which) {
  try {
    localStorage.setItem('language', which);
  } catch (e) {
    // storage is switched off: the choice lasts as long as the page
  }
}

$('language').addEventListener('click', () => {
  speak(language === 'zh' ? 'en' : 'zh');
  remember(language);
});
for (const table of document.querySelectorAll('table')) {
  table.setAttribute('role', 'table');
  for (const e of table.querySelectorAll('thead, tbody')) e.setAttribute('role', 'rowgroup');
  for (const e of table.querySelectorAll('thead tr')) e.setAttribute('role', 'row');
  for (const e of table.querySelectorAll('thead th')) e.setAttribute('role', 'columnheader');
}
speak(remembered() === 'en' ? 'en' : 'zh');
listen();
setInterval(renderTimes, 15000);
setInterval(refresh, 60000); // what falls due without an event
