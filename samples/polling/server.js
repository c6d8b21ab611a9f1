// node server.js TRUTH POLLS: answers polls, and writes down what they were: how many of each, how many of them brought something new.
const http = require('http'), fs = require('fs');
const { log, rec } = require('./log.js')(process.argv[2]);
const polls = { '/state': { kind: 'short', polls: 0, new: 0 }, '/doc': { kind: 'conditional', polls: 0, new: 0 }, '/wait': { kind: 'long', polls: 0, new: 0 }, '/socket.io/': { kind: 'engine.io', polls: 0, messages: 0 } };
const save = () => fs.writeFileSync(process.argv[3], JSON.stringify({ polls }));
const note = (path, isNew) => { polls[path].polls++; polls[path].new += isNew ? 1 : 0; save(); };
const server = http.createServer((req, res) => {
  const path = req.url.split('?')[0];
  const json = (status, body) => { res.writeHead(status, body === undefined ? {} : { 'Content-Type': 'application/json' }); res.end(body === undefined ? undefined : JSON.stringify(body)); };
  if (path === '/state') {          // changes with every third poll
    const n = polls[path].polls;
    json(200, { state: 'revision ' + Math.floor(n / 3) }); note(path, n % 3 === 0);
  } else if (path === '/doc') {     // changes once
    const tag = polls[path].polls < 3 ? '"a"' : '"b"', known = req.headers['if-none-match'] === tag;
    res.setHeader('ETag', tag); note(path, !known);
    known ? json(304) : json(200, { tag });
  } else if (path === '/wait') {    // held until there is news; once there is none
    const n = polls[path].polls; note(path, n !== 2);
    setTimeout(() => n === 2 ? json(204) : json(200, { news: n }), 1200);
  }
});
const io = new (require('socket.io').Server)(server, { transports: ['polling'], pingInterval: 60000 });
io.on('connection', socket => {
  const p = polls['/socket.io/'];
  let round = 0;
  const t = setInterval(() => {     // three messages that share an answer
    if (++round > 5) { clearInterval(t); socket.emit('done'); p.messages++; return; }
    for (let i = 0; i < 3; i++) { socket.emit('tick', { round, i }); p.messages++; }
  }, 250);
});
// what requests and their answers contain
server.prependListener('request', (req, res) => {
  const isEngine = req.url.startsWith('/socket.io/');
  if (isEngine && req.method === 'GET' && req.url.includes('sid=')) { polls['/socket.io/'].polls++; save(); }
  let q = Buffer.alloc(0), a = Buffer.alloc(0);
  const { emit } = req;  // a listener of our own would start the flow too early
  req.emit = function (ev, d, ...x) { if (ev === 'data') q = Buffer.concat([q, Buffer.from(d)]); return emit.call(this, ev, d, ...x); };
  const { write, end } = res;
  res.write = function (d, ...x) { if (d) a = Buffer.concat([a, Buffer.from(d)]); return write.call(this, d, ...x); };
  res.end = function (d, ...x) { if (d && typeof d !== 'function') a = Buffer.concat([a, Buffer.from(d)]); return end.call(this, d, ...x); };
  res.on('close', () => { const c = rec('', a), r = rec('', q); log({ http: { api: isEngine ? 'engine.io polling' : 'fetch', method: req.method, target: req.url, status: res.statusCode, request_length: r.length, request_sha256: r.sha256, length: c.length, sha256: c.sha256 } }); });
});
server.listen(3000, '10.77.0.1');
