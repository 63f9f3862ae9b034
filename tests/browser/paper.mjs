// Lays out every page of FOLDER on paper and measures it. Prints one line a check, and exits with 1 if any failed.
// usage: node paper.mjs FOLDER [FOLDER for screenshots]
import { execFileSync } from 'node:child_process';
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

// The lines of each sheet of a PDF as pdftotext finds them: { text, left, top, bottom } in millimetres from the sheet's corner.
function printed(pdf) {
  const mm = (points) => Number(points) * 25.4 / 72;
  const plain = (s) => s.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
  const xml = execFileSync('pdftotext', ['-bbox-layout', '-', '-'], { input: pdf, encoding: 'utf8' });
  return xml.split('<page ').slice(1).map((sheet) => [...sheet.matchAll(/<line xMin="([\d.]+)" yMin="([\d.]+)" xMax="[\d.]+" yMax="([\d.]+)">([^]*?)<\/line>/g)]
    .map(([, left, top, bottom, words]) => ({ left: mm(left), top: mm(top), bottom: mm(bottom),
      text: plain([...words.matchAll(/<word [^>]*>([^<]*)<\/word>/g)].map((w) => w[1]).join('')) })));
}

const middle = (line) => (line.top + line.bottom) / 2;

// What stands where on paper: the colophon once, at the foot of the last sheet's core; 附件 below the main text; 已撤销 on every sheet.
function paper(name, sheets, m) {
  const where = (start) => sheets.flatMap((lines, sheet) => lines.filter((l) => l.text.startsWith(start)).map((line) => ({ sheet, line })));
  const imprint = sheets.flatMap((lines, sheet) => lines.filter((l) => l.text.includes('印发')).map((line) => ({ sheet, line })));
  check(`${name}: the imprint once, on the last of ${sheets.length}`, imprint.length === 1 && imprint[0].sheet === sheets.length - 1,
    JSON.stringify(imprint));
  // Its line is 9 mm high and ends the core, 262 mm from the top.
  check(`${name}: the imprint ends the core`, imprint.length > 0 && near(middle(imprint[0].line), 262 - 4.7, 1.5), JSON.stringify(imprint));
  const within = sheets.at(-1).filter((l) => middle(l) > 262 - m.imprint && middle(l) < 262);
  const copies = where('抄送：');
  check(`${name}: nothing runs into the colophon`, within.every((l) => m.says.includes(l.text)), JSON.stringify(within));
  check(`${name}: 抄送 stands above it`, copies.length === (m.copies ? 1 : 0) && copies.every((c) => c.sheet === sheets.length - 1), JSON.stringify(copies));
  const attached = where('附件：');
  check(`${name}: 附件 ${m.attached ? 'is two characters in' : 'is not there'}`,
    attached.length === (m.attached ? 1 : 0) && attached.every((x) => near(x.line.left, 28 + 2 * 156 / 28, 1)), JSON.stringify(attached));
  const numbers = attached.flatMap((x) => sheets[x.sheet].filter((l) => l.top > x.line.top && /^\d+\./.test(l.text)).slice(0, Math.max(0, m.numbers - 1)));
  check(`${name}: 附件 ${m.numbers ? `numbered to ${m.numbers}, one below the other` : 'not numbered'}`,
    attached.every((x) => x.line.text.startsWith('附件：1.') === m.numbers > 0) && numbers.length === Math.max(0, m.numbers - 1)
      && numbers.every((l, i) => l.text.startsWith(`${i + 2}.`) && near(l.left, numbers[0].left, 0.5) && near(l.left, 28 + 5 * 156 / 28, 1)), JSON.stringify(numbers));
  const stamped = sheets.filter((lines) => lines.some((l) => middle(l) < 37 && l.text === '已撤销')).length;
  check(`${name}: ${m.void ? 'every sheet says' : 'no sheet says'} 已撤销`, stamped === (m.void ? sheets.length : 0), `${stamped} of ${sheets.length}`);
}

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
    colophon: first('.colophon'), attached: first('.attached'), void: document.querySelector('.void') !== null,
    numbers: document.querySelectorAll('.attached ol > li').length, copies: document.querySelector('.copies') !== null,
    says: document.querySelector('.colophon').innerText.replace(/\s/g, ''), imprint: box(document.querySelector('.colophon')).bottom - box(document.querySelector('.colophon')).top, line: oneLine / mm, lines: twoLines / oneLine,
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
  if (m.attached) {
    check(`${name}: 附件 a line below the main text, two characters in, above the signature`, near(m.attached.top - m.main.bottom, m.line)
      && near(m.attached.left, 28 + 2 * 156 / 28) && m.attached.bottom < m.sign.top, JSON.stringify(m));
  }
  const pdf = await page.pdf({ preferCSSPageSize: true });
  const sheets = printed(pdf);
  const sizes = [...pdf.toString('latin1').matchAll(/\/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]/g)].map((s) => [Number(s[1]), Number(s[2])]);
  check(`${name}: on A4`, sizes.length > 0 && sizes.every(([w, h]) => near(w, 595.3, 1) && near(h, 841.9, 1)), JSON.stringify(sizes));
  const short = m.colophon.bottom <= 262.1;
  check(`${name}: ${short ? 'one page' : 'several pages'}`, short ? sheets.length === 1 : sheets.length > 1, sheets.length);
  paper(name, sheets, m);
  if (shots) {
    mkdirSync(shots, { recursive: true });
    await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
  }
  await page.close();
}
await browser.close();
process.exit(failed ? 1 : 0);
