// Drives the page at URL in a real browser. Prints one line a check, and exits with 1 if any failed.
// usage: node page.mjs URL [FOLDER for screenshots]; events to post come on stdin, one JSON object a line, as they are asked for on stdout.
import { createInterface } from 'node:readline';
import { existsSync, mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [url, shots] = process.argv.slice(2);
const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
let failed = 0;

function check(what, ok, detail = '') {
  console.log(`${ok ? 'ok' : 'not ok'} - ${what}${ok || detail === '' ? '' : `: ${String(detail).replaceAll('\n', ' ')}`}`);
  if (!ok) failed++;
}

// The page's policy forbids what waitForFunction does.
async function until(page, holds, argument) {
  for (const end = Date.now() + 20000; Date.now() < end; await new Promise((r) => setTimeout(r, 50))) {
    if (await page.evaluate(holds, argument)) return;
  }
  throw new Error(`does not come true: ${holds}`);
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
// Asks whoever started this to do something to the daemon, and waits until it is done.
async function ask(what) {
  console.log(`ask ${what}`);
  return (await lines.next()).value;
}

async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.said = [];
  page.outside = [];
  page.on('console', (m) => ['error', 'warning'].includes(m.type()) && page.said.push(m.text()));
  page.on('pageerror', (e) => page.said.push(e.message));
  page.on('request', (r) => r.url().startsWith(url) || page.outside.push(r.url()));
  await page.goto(url);
  await page.waitForSelector('#measures tbody tr');
  await until(page, () => document.getElementById('link').dataset.state === 'live');
  return page;
}

async function shoot(page, name) {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: `${shots}/${name}.png` });
}

const texts = (page, selector) => page.locator(selector).allInnerTexts();

async function content(page) {
  check('the title is the workflow’s', (await page.innerText('h1')).includes('督导考评'));
  const due = await texts(page, '#due-rows tr[data-key]');
  check('tasks that are due are shown', due.length > 0 && due.length <= 31, `${due.length}`);
  check('a task has its date and a countdown', due.some((d) => /\d{4}-\d\d-\d\d/.test(d) && /还有|已过/.test(d)), due[0]);
  check('an overdue task says so', (await texts(page, '#overdue-rows tr')).some((d) => d.includes('已过')));
  const cases = await texts(page, '#cases tbody tr');
  for (const [word, level] of [['黄牌', 'YELLOW'], ['红牌', 'RED'], ['预警', 'WARNING']]) {
    const badges = await texts(page, `#cases .badge[data-level="${level}"]`);
    check(`${word} is text, not colour alone`, badges.length > 0 && badges.every((b) => b.includes(word)), badges.join());
  }
  check('a card has its limit', cases.some((c) => /限/.test(c)), cases[0]);
  const measures = await texts(page, '#measures tbody tr');
  check('at most thirty measures, with basis, rule and cause', measures.length <= 30 && measures.every((m) => /[一二三四五]/.test(m) && /规则 .*:\d+/.test(m)),
    measures[0]);
  const papers = await page.locator('#measures a.document').evaluateAll((all) => all.map((a) => [a.textContent, a.getAttribute('href')]));
  check('a document has a link that says what opens', papers.length > 0 && papers.every(([text]) => /^查看\S+( \S+〔2024〕\d+号)?$/.test(text)),
    JSON.stringify(papers));
  const opened = await page.evaluate(async (href) => [(await fetch(href)).status, await (await fetch(href)).text()], papers[0][1]);
  check('and leads to it', opened[0] === 200 && opened[1].includes(`<title>${papers[0][0].replace('查看', '')}</title>`), opened[1].slice(0, 300));
  const issued = (await (await page.request.get(`${url}v1/overview`)).json()).measures.filter((m) => m.document_text).length;
  check('wherever there is one', papers.length === issued, `${papers.length} of ${issued}`);
  check('a cause can be followed', (await page.locator('#measures a[href^="/v1/events/"]').count()) > 0);
}

async function live(page) {
  const seen = await page.locator('#measures tbody tr').first().getAttribute('data-key');
  await ask('post');
  await until(page, (key) => document.querySelector('#measures tbody tr').dataset.key !== key, seen);
  check('a posted event shows without a reload', (await page.locator('#measures tbody tr').first().innerText()).includes('浏览器检验'));
  check('what is new is announced', (await page.innerText('#news')).includes('新增'));
  const named = await page.locator('#measures tbody tr a.document').first().innerText();
  await ask('annul');
  await until(page, (named) => document.querySelector('#measures a.document').textContent === named.replace('查看', '查看已撤销的'), named);
  const href = await page.locator('#measures a.document').first().getAttribute('href');
  check('a withdrawal leads to the document that holds no more', (await page.evaluate(async (h) => (await fetch(h)).text(), href)).includes('已撤销：'), href);
}

async function keyboard(page) {
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('Tab');
  check('the first stop is the skip link', (await page.evaluate(() => document.activeElement.className)) === 'skip');
  const box = await page.locator('.skip').boundingBox();
  check('it shows when it has the focus', box !== null && box.x >= 0);
  await page.keyboard.press('Enter');
  check('it leads to the main part', (await page.evaluate(() => document.activeElement.id)) === 'main');
  await page.focus('#language');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Tab');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  check('focus can be seen', outline !== 'none', outline);
  await page.keyboard.press('Enter');
  check('the language changes', (await page.innerText('#language')) === '中文' && (await page.innerText('#measures-head')) === 'Latest measures');
  check('and the document says so', (await page.evaluate(() => document.documentElement.lang)) === 'en');
  await page.reload();
  await page.waitForSelector('#measures tbody tr');
  check('the choice is kept', (await page.innerText('#measures-head')) === 'Latest measures');
  await page.keyboard.press('Tab');
  await page.focus('#language');
  await page.keyboard.press('Space');
  check('and goes back', (await page.evaluate(() => document.documentElement.lang)) === 'zh-CN');
}

// Runs in the page: what a reader with a screen reader, or with weak eyes, would miss.
function audit() {
  const wrong = [];
  const visible = (e) => e.getClientRects().length > 0 && getComputedStyle(e).visibility !== 'hidden';
  for (const landmark of ['header', 'main']) if (document.querySelectorAll(landmark).length !== 1) wrong.push(`${landmark}: not exactly one`);
  if (document.querySelectorAll('h1').length !== 1) wrong.push('h1: not exactly one');
  for (const s of document.querySelectorAll('section')) {
    const head = document.getElementById(s.getAttribute('aria-labelledby'));
    if (!head || !head.textContent.trim()) wrong.push('a section without a name');
  }
  for (const table of document.querySelectorAll('table')) {
    if (!table.caption || !table.caption.textContent.trim()) wrong.push(`table ${table.id}: no caption`);
    for (const th of table.querySelectorAll('th')) if (!th.scope || !th.textContent.trim()) wrong.push(`table ${table.id}: a heading without scope or text`);
    for (const tr of table.querySelectorAll('tbody tr')) if (tr.getAttribute('role') !== 'row') wrong.push(`table ${table.id}: a row without its role`);
  }
  for (const e of document.querySelectorAll('a, button')) if (!e.textContent.trim()) wrong.push('a control without a name');
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  if (new Set(ids).size !== ids.length) wrong.push('an id stands twice');
  if (!document.querySelector('[aria-live="polite"]')) wrong.push('no polite live region');

  const parse = (c) => (c.match(/[\d.]+/g) || []).map(Number);
  const channel = (v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] > 0.99) return c;
    }
    return [255, 255, 255];
  };
  const low = new Set();
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !visible(e)) continue;
    const [a, b] = [luminance(parse(getComputedStyle(e).color)), luminance(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.add(`${e.tagName}.${e.className} ${e.dataset.level || ''} ${ratio.toFixed(2)}`);
  }
  return wrong.concat([...low].map((l) => `contrast: ${l}`));
}

async function looks(browser) {
  for (const [name, options] of [['light', {}], ['dark', { colorScheme: 'dark' }], ['narrow', { viewport: { width: 360, height: 740 } }],
    ['narrow dark', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' }], ['still', { reducedMotion: 'reduce' }]]) {
    const page = await open(browser, options);
    const wrong = await page.evaluate(audit);
    check(`${name}: nothing is out of reach`, wrong.length === 0, wrong.join('; '));
    const [wide, has] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    check(`${name}: it fits`, wide <= has, `${wide} > ${has}`);
    check(`${name}: nothing in the console`, page.said.length === 0, page.said.join('; '));
    check(`${name}: no request leaves`, page.outside.length === 0, page.outside.join());
    if (name === 'still') {
      const moving = await page.evaluate(() => {
        const tr = document.querySelector('#measures tbody tr');
        tr.classList.add('fresh');
        return getComputedStyle(tr).animationName;
      });
      check('still: nothing moves', moving === 'none', moving);
    }
    await shoot(page, name);
    await page.context().close();
  }
}

async function offline(page) {
  page.said.length = 0;
  await ask('stop');
  await until(page, () => document.getElementById('link').dataset.state === 'offline');
  check('it says when it is offline', (await page.innerText('#link')).includes('中断'));
  check('and keeps what it knows', (await page.locator('#measures tbody tr').count()) > 0);
  await ask('start');
  await until(page, () => document.getElementById('link').dataset.state === 'live');
  check('it comes back by itself', true);
}

const browser = await chromium.launch({ executablePath, args });
try {
  const page = await open(browser);
  page.setDefaultTimeout(20000);
  await content(page);
  await live(page);
  await keyboard(page);
  check('nothing in the console', page.said.length === 0, page.said.join('; '));
  check('no request leaves', page.outside.length === 0, page.outside.join());
  await looks(browser);
  await offline(page);
} catch (e) {
  check('the checks ran to their end', false, e.message);
} finally {
  await browser.close();
}
process.exit(failed ? 1 : 0);
