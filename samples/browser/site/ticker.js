// The same 25 questions and answers three times. What happened goes to the console, for truth.json.
const COUNT = 25;
const note = o => console.log('TRUTH ' + JSON.stringify(o));
const wait = ms => new Promise(r => setTimeout(r, ms));
const question = seq => JSON.stringify({ type: 'ask', seq, user: 'visitor-7', text: `update ${seq} of ${COUNT}`, symbols: ['ALPHA', 'BRAVO', 'DELTA', 'GAMMA', 'OMEGA'] });
function show(text) {
  document.getElementById('rows').innerHTML = JSON.parse(text).rows.map(r => `<tr><td>${r.symbol}<td>${r.bid}<td>${r.ask}<td>${r.volume}`).join('');
}
async function byFetch() {
  for (let i = 1; i <= COUNT; i++) {
    const q = question(i);
    const r = await fetch('/api/tick', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: q });
    const text = await r.text(); show(text);
    note({ api: 'fetch', method: 'POST', target: '/api/tick', status: r.status, sent: q, text });
    await wait(20);
  }
}
function xhr(q) {
  return new Promise((resolve, reject) => {
    const x = new XMLHttpRequest();
    x.open('POST', '/api/tick');
    x.setRequestHeader('Content-Type', 'application/json'); x.setRequestHeader('X-Requested-With', 'XMLHttpRequest');
    x.onload = () => resolve(x); x.onerror = reject; x.send(q);
  });
}
async function byXhr() {
  for (let i = 1; i <= COUNT; i++) {
    const q = question(i), x = await xhr(q); show(x.responseText);
    note({ api: 'xhr', method: 'POST', target: '/api/tick', status: x.status, sent: q, text: x.responseText });
    await wait(20);
  }
}
function bySocket() {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(`ws://${location.host}/live`);
    let i = 0;
    const next = () => { if (++i > COUNT) { ws.close(1000, 'done'); note({ close: 1000, reason: 'done' }); return; } const q = question(i); note({ sent: q }); ws.send(q); };
    ws.onopen = next; ws.onerror = reject;
    ws.onmessage = async e => { note({ received: e.data }); show(e.data); await wait(20); next(); };
    ws.onclose = e => { note({ closed: e.code, reason: e.reason, clean: e.wasClean }); resolve(); };
  });
}
addEventListener('load', async () => {
  await wait(300); await byFetch(); await byXhr(); await bySocket();
  document.getElementById('state').textContent = 'done'; console.log('DONE');
});
