// node server.js TRUTH
const http = require('http'), crypto = require('crypto');
const { Server } = require('socket.io');
const make = require('./log.js');
const { log, rec } = make(process.argv[2]);
make.tap(require('ws'), process.argv[2]);
const server = http.createServer();
const io = new Server(server, { pingInterval: 600, pingTimeout: 400 });
// what the polling requests and their answers contain
server.prependListener('request', (req, res) => {
  let q = Buffer.alloc(0), a = Buffer.alloc(0);
  const { emit } = req;  // a listener of our own would start the flow too early
  req.emit = function (ev, d, ...x) { if (ev === 'data') q = Buffer.concat([q, Buffer.from(d)]); return emit.call(this, ev, d, ...x); };
  const { write, end } = res;
  res.write = function (d, ...x) { if (d) a = Buffer.concat([a, Buffer.from(d)]); return write.call(this, d, ...x); };
  res.end = function (d, ...x) { if (d && typeof d !== 'function') a = Buffer.concat([a, Buffer.from(d)]); return end.call(this, d, ...x); };
  res.on('close', () => { const c = rec('', a), r = rec('', q); log({ http: { api: 'engine.io polling', method: req.method, target: req.url, status: res.statusCode, request_length: r.length, request_sha256: r.sha256, length: c.length, sha256: c.sha256 } }); });
});
server.on('upgrade', req => log({ ws: 0, set: { target: req.url, envelope: 'engine.io 4, socket.io 5' } }));
io.on('connection', s => {
  s.emit('welcome', { id: 'room-1', users: ['ann', 'bob'] });
  s.on('say', m => io.emit('said', m));
  s.on('sum', (a, b, reply) => reply({ total: a + b }));
  s.on('file', (name, data, reply) => { reply({ name, size: data.length, sha256: crypto.createHash('sha256').update(data).digest('hex') }); s.emit('thumb', { name, bytes: data.subarray(0, 48) }); });
  s.on('ticks', n => { let i = 0; const t = setInterval(() => { s.emit('tick', { n: ++i, price: 100 + i / 4 }); if (i === n) clearInterval(t); }, 30); });
});
io.of('/admin').on('connection', s => s.on('stat', reply => reply({ clients: 1, up: true })));
server.listen(3000, '10.77.0.1');
