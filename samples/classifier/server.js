// node server.js TRUTH PORT: one page that asks in every way a page can; the path says what made the request.
const http = require('http'), zlib = require('zlib');
const { log, rec } = require('./log.js')(process.argv[2]);
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
// One silent sample of 8-bit mono: RIFF, fmt, data.
const wav = Buffer.from('UklGRiYAAABXQVZFZm10IBAAAAABAAEARKwAAESsAAABAAgAZGF0YQIAAACAgA==', 'base64');
const PAGE = `<!DOCTYPE html><title>what asks</title><link rel="stylesheet" href="/style/site.css"><link rel="icon" href="/image/icon.png"><link rel="manifest" href="/manifest/app.webmanifest">
<img src="/image/logo.png"><script src="/script/app.js"></script><script type="module" src="/script/module.mjs"></script><script src="/script/data?callback=jsonp"></script>
<iframe src="/iframe/part.html"></iframe><audio src="/audio/beep.wav" preload="auto"></audio><object data="/object/drawing.svg" type="image/svg+xml"></object>
<form id="form" action="/document/form" method="post" target="frame"><input name="a" value="1"></form><iframe name="frame"></iframe><link rel="prefetch" href="/prefetch/next.html">`;
const APP = `function jsonp() {}
const wait = ms => new Promise(r => setTimeout(r, ms));
const xhr = (method, path, headers = {}, body) => new Promise(r => { const x = new XMLHttpRequest(); x.onloadend = r; x.open(method, path); for (const h in headers) x.setRequestHeader(h, headers[h]); x.send(body); });
addEventListener('load', async () => {
  await document.fonts.load('12px sample').catch(() => {});
  await fetch('/fetch/list.json'); await fetch('/fetch/part.html'); await fetch('/fetch/plain'); await fetch('/fetch/logo.png');
  await fetch('/fetch/item', { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: '{"a":1}' });
  await fetch('/fetch/form', { method: 'POST', body: new URLSearchParams({ a: 1 }) });
  await fetch('/fetch/delete', { method: 'DELETE' }); await fetch('/fetch/empty');
  await xhr('GET', '/xhr/list.json'); await xhr('GET', '/xhr/fragment', { 'X-Requested-With': 'XMLHttpRequest' });
  await xhr('POST', '/xhr/send', { 'Content-Type': 'application/json' }, '{"b":2}'); await xhr('GET', '/xhr/data.xml');
  navigator.sendBeacon('/beacon/log', 'seen');
  const events = new EventSource('/EventSource/ticks'); await new Promise(r => { events.onmessage = r; events.onerror = r; }); events.close();
  new Worker('/script/worker.js'); await wait(200);
  document.getElementById('form').submit(); await wait(400);
  console.log('DONE');
});`;
const CSS = `@font-face { font-family: sample; src: url(/font/sample.woff2); } body { font: 16px sample; background: url(/image/paper.png); }`;
const TYPES = { html: 'text/html', css: 'text/css', js: 'application/javascript', mjs: 'text/javascript', png: 'image/png', svg: 'image/svg+xml', wav: 'audio/wav', woff2: 'font/woff2', json: 'application/json', xml: 'application/xml', webmanifest: 'application/manifest+json' };
http.createServer((req, res) => {
  const path = req.url.split('?')[0], api = path === '/' ? 'document' : path.split('/')[1];
  const name = path.split('/').pop(), extension = name.includes('.') ? name.split('.').pop() : '';
  let asked = Buffer.alloc(0);
  req.on('data', d => asked = Buffer.concat([asked, d]));
  req.on('end', () => {
    let status = 200, type = TYPES[extension] || 'text/plain', body = Buffer.from('nothing much');
    if (path === '/') [type, body] = ['text/html', Buffer.from(PAGE)];
    else if (name === 'app.js') body = Buffer.from(APP);
    else if (name === 'data') [type, body] = ['application/javascript', Buffer.from('jsonp({"a":1})')];
    else if (extension === 'js' || extension === 'mjs') body = Buffer.from('/* nothing */');
    else if (extension === 'css') body = Buffer.from(CSS);
    else if (extension === 'png') body = png;
    else if (extension === 'wav') body = wav;
    else if (extension === 'svg') body = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>');
    else if (extension === 'json') body = Buffer.from('{"list":[1,2,3]}');
    else if (extension === 'webmanifest') body = Buffer.from('{"name":"what asks"}');
    else if (extension === 'xml') body = Buffer.from('<list/>');
    else if (extension === 'html' || api === 'document' || name === 'fragment') [type, body] = ['text/html', Buffer.from('<p>part')];
    else if (api === 'EventSource') [type, body] = ['text/event-stream', Buffer.from('data: tick\n\n')];
    else if (name === 'empty' || api === 'beacon' || req.method === 'DELETE') [status, body] = [204, Buffer.alloc(0)];
    else if (api === 'favicon.ico') [status, body] = [404, Buffer.alloc(0)];
    const gzips = body.length > 200 && /gzip/.test(req.headers['accept-encoding'] || '');
    const sent = gzips ? zlib.gzipSync(body) : body;
    res.writeHead(status, { ...(status === 204 ? {} : { 'Content-Type': type, 'Content-Length': sent.length }), 'Cache-Control': 'no-store', ...(gzips ? { 'Content-Encoding': 'gzip' } : {}) });
    res.end(sent);
    const r = rec('', asked), c = rec('', body);
    log({ http: { api: api === 'favicon.ico' ? 'image' : api, method: req.method, target: req.url, status, request_length: r.length, request_sha256: r.sha256, length: c.length, sha256: c.sha256 } });
  });
}).listen(+process.argv[3], '10.77.0.1');
