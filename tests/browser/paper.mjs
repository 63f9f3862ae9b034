// Lays out every page of FOLDER on paper and measures it. Prints one line a check, and exits with 1 if any failed.
// usage: node paper.mjs FOLDER [FOLDER for screenshots]
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [folder, shots] = process.argv.slice(2);
const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
let failed = 0;

function check(what, ok, detail = '') {
  console.log(`${ok ? 'ok' : 'not ok'} - ${what}${ok || detail === '' ? '' : `: ${String(detail).replaceAll('\n', ' ')}`}`);
  if (!ok) failed++;
}

const near = (a, b, within = 0.6) => Math.abs(a - b) <= within;

// In millimetres, on the sheet as the screen shows it.
const measure = (page) => page.evaluate(() => {
  const mm = 96 / 25.4;
  const box = (e) => {
    const r = e.getBoundingClientRect();
    const sheet = document.querySelector('.page').getBoundingClientRect();
    return { top: (r.top - sheet.top) / mm, left: (r.left - sheet.left) / mm, right: (r.right - sheet.left) / mm, bottom: (r.bottom - sheet.top) / mm };
  };
  const first = (selector) => (document.querySelector(selector) ? box(document.querySelector(selector)) : null);
  const ruler = document.createElement('p');
  ruler.textContent = '督'.repeat(28);
  document.querySelector('.page').append(ruler);
  const oneLine = ruler.getClientRects()[0].height;
  ruler.textContent = '督'.repeat(29);
  const twoLines = ruler.getClientRects()[0].height;
  ruler.remove();
  const style = (selector) => getComputedStyle(document.querySelector(selector));
  return {
    header: first('header'), number: first('.number'), h1: first('h1'), to: first('.to'), main: first('.main'), sign: first('.sign'),
    colophon: first('.colophon'), line: oneLine / mm, lines: twoLines / oneLine,
    wide: [...document.querySelectorAll('.page *')].filter((e) => box(e).right > 184.1 || box(e).left < 27.9).map((e) => e.tagName),
    red: style('.mark').color, rule: style('header').borderBottomColor, size: style('.page').fontSize, heading: style('h1').fontSize,
  };
});

const browser = await chromium.launch({ executablePath, args });
for (const name of readdirSync(folder).filter((f) => f.endsWith('.html')).sort()) {
  const page = await browser.newPage({ viewport: { width: 900, height: 1200 } });
  const said = [];
  page.on('console', (m) => said.push(m.text()));
  page.on('request', (r) => r.url().startsWith('file:') || said.push(r.url()));
  await page.goto(`file://${encodeURI(`${folder}/${name}`)}`);
  const m = await measure(page);
  check(`${name}: its policy lets its style through`, said.length === 0 && m.red === 'rgb(224, 0, 0)' && m.rule === m.red, said.join(' ') || m.red);
  check(`${name}: nothing leaves the core of 156 mm`, m.wide.length === 0, m.wide.join(' '));
  check(`${name}: 28 characters a line, 22 lines a page`, m.lines === 2 && near(m.line, 225 / 22, 0.1), `${m.line} ${m.lines}`);
  check(`${name}: 3号 text, 2号 title`, near(parseFloat(m.size), 16 * 4 / 3, 0.01) && near(parseFloat(m.heading), 22 * 4 / 3, 0.01), `${m.size} ${m.heading}`);
  check(`${name}: the issuer stands 35 mm under the core's top`, near(m.header.top, 72), m.header.top);
  check(`${name}: the number ends 4 mm above the red line`, !m.number || near(m.number.bottom, m.header.bottom - 0.6), JSON.stringify(m));
  check(`${name}: one below the other`, m.header.bottom < m.h1.top && m.h1.bottom < m.to.top && m.to.bottom <= m.main.top + 0.1
    && m.main.bottom < m.sign.top && m.sign.bottom < m.colophon.top, JSON.stringify(m));
  const pdf = (await page.pdf({ preferCSSPageSize: true })).toString('latin1');
  const sheets = pdf.match(/\/Type\s*\/Page\b(?!s)/g).length;
  const sizes = [...pdf.matchAll(/\/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]/g)].map((s) => [Number(s[1]), Number(s[2])]);
  check(`${name}: on A4`, sizes.length > 0 && sizes.every(([w, h]) => near(w, 595.3, 1) && near(h, 841.9, 1)), JSON.stringify(sizes));
  const short = m.colophon.bottom <= 262.1;
  check(`${name}: ${short ? 'one page' : 'two pages'}`, sheets === (short ? 1 : 2), sheets);
  if (shots) {
    mkdirSync(shots, { recursive: true });
    await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
  }
  await page.close();
}
await browser.close();
process.exit(failed ? 1 : 0);
