// node talk.js server HOST TRUTH | node talk.js client HOST TRUTH: a tiny exchange, or one with TEXT octets in each message.
const { WebSocket, WebSocketServer } = require('ws');
const crypto = require('crypto');
const make = require('./log.js');
const [, , role, host, file] = process.argv;
make.tap(WebSocket, file);
const { log } = make(file);
const at = (a, p) => (a.includes(':') ? `${a}:${p}` : `${a}:${p}`);
// Hashes: deflate makes little of them.
const noise = n => crypto.createHash('sha512').update(String(n)).digest('base64');
const text = n => { let t = 'bonjour'; for (let i = 0; t.length < (+process.env.TEXT || 0); i++) t += noise(n * 1000 + i); return t; };
if (role === 'server') {
  new WebSocketServer({ host, port: 8080, perMessageDeflate: { threshold: 0 } }).on('connection', (ws, req) => {
    log({ ws: 0, set: { target: req.url } });
    ws.on('message', d => ws.send(JSON.stringify({ echo: JSON.parse(d), at: 'server' })));
  });
} else {
  const ws = new WebSocket(`ws://${host.includes(':') ? `[${host}]` : host}:8080/tiny`, { perMessageDeflate: { threshold: 0 } });
  let n = 0;
  const next = () => ++n > 3 ? ws.close(1000) : ws.send(JSON.stringify({ seq: n, text: text(n) }));
  ws.on('upgrade', res => log({ ws: 0, set: { extensions: res.headers['sec-websocket-extensions'] || '' } }));
  ws.on('open', () => { log({ ws: 0, set: { client: at(ws._socket.localAddress, ws._socket.localPort), server: at(ws._socket.remoteAddress, ws._socket.remotePort) } }); next(); });
  ws.on('message', () => setTimeout(next, 10));
  ws.on('close', () => setTimeout(() => process.exit(0), 50));
}
