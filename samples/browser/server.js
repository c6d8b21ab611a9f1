// node server.js TRUTH: the same ticker over POST /api/tick and over WebSocket /live, behind nginx.
const http = require('http');
const { WebSocketServer } = require('ws');
const { log, rec, closing } = require('./log.js')(process.argv[2]);
const SYMBOLS = ['ALPHA', 'BRAVO', 'DELTA', 'GAMMA', 'OMEGA'];
function answer(q) {
  const rows = SYMBOLS.map((symbol, i) => ({ symbol, bid: 100 + ((q.seq * 7 + i * 13) % 50) / 4, ask: 100.25 + ((q.seq * 7 + i * 13) % 50) / 4, volume: 1000 + q.seq * 10 + i }));
  return JSON.stringify({ type: 'quotes', seq: q.seq, echo: q.text, rows });
}
const server = http.createServer((req, res) => {
  let b = '';
  req.on('data', d => b += d);
  req.on('end', () => {
    res.setHeader('Content-Type', 'application/json'); res.setHeader('Cache-Control', 'no-store');
    res.end(answer(JSON.parse(b)));
  });
});
const wss = new WebSocketServer({ server, path: '/live', perMessageDeflate: { threshold: 0 } });
wss.on('connection', (ws, req) => {
  log({ ws: 0, set: { target: req.url, extensions: ws.extensions } });
  ws.on('message', (d, bin) => {
    log({ ws: 0, received: rec(bin ? 'binary' : 'text', d) });
    const a = answer(JSON.parse(d)); ws.send(a); log({ ws: 0, sent: rec('text', a) });
    if (JSON.parse(d).seq === 12) { ws.ping('alive?'); log({ ws: 0, sent: rec('ping', 'alive?') }); }
  });
  ws.on('close', (code, reason) => log({ ws: 0, sent: closing(code, reason) }));  // ws answers a Close with the same code and reason
});
server.listen(3000, '127.0.0.1');
