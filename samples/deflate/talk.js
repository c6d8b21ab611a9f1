// node talk.js server VARIANT TRUTH | node talk.js client VARIANT TRUTH
const { WebSocket, WebSocketServer } = require('ws');
const make = require('./log.js');
const [, , role, variant, file] = process.argv;
const { log } = make(file);
make.tap(WebSocket, file);
const OPTIONS = {
  'takeover': { threshold: 0 },
  'no-takeover': { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true },
  'server-no-takeover': { threshold: 0, serverNoContextTakeover: true },
  'client-no-takeover': { threshold: 0, clientNoContextTakeover: true },
  'window-bits': { threshold: 0, serverMaxWindowBits: 10, clientMaxWindowBits: 9 },
  'plain': false,
}[variant];
const wait = ms => new Promise(r => setTimeout(r, ms));
const WORDS = 'alpha bravo price bid ask volume symbol order user status online typing room message payload event time value level depth'.split(' ');
let seed = 7; const rnd = n => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return (seed >>> 8) % n; };
const word = () => WORDS[rnd(WORDS.length)];
const json = i => JSON.stringify({ type: 'update', seq: i, symbol: word().toUpperCase(), price: 100 + rnd(4000) / 100, status: word(), text: `${word()} ${word()} ${word()}` });
// longer than a window of 512 or 1024 bytes, repeating across it
const long = n => JSON.stringify({ type: 'book', rows: Array.from({ length: n }, (_, i) => ({ level: i, bid: 100 + rnd(500) / 100, ask: 105 + rnd(500) / 100, who: word() })) });
async function talk(ws, name) {
  for (let i = 1; i <= 6; i++) { ws.send(json(i)); await wait(5); }
  ws.send(`{"type":"again","from":"${name}"}`); ws.send(`{"type":"again","from":"${name}"}`);       // the same twice
  await wait(5);
  const l = long(+process.env.ROWS || 30), a = Math.floor(l.length / 3);                                              // in three fragments, a ping between
  ws.send(l.slice(0, a), { fin: false }); ws.ping('between'); ws.send(l.slice(a, 2 * a), { fin: false }); ws.send(l.slice(2 * a), { fin: true });
  await wait(10);
  ws.send('');                                                                                    // empty
  ws.send(json(7), { compress: false });                                                          // mixed with uncompressed
  ws.send(json(8));
  ws.send(Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 37) & 255)));                     // binary
  ws.send('{"fin":', { fin: false }); ws.send('', { fin: false }); ws.send('"empty fragment"}', { fin: true });
  ws.send(JSON.stringify({ type: 'accents', text: 'Éléphant, naïveté, 東京, 🙂' }));
  ws.send(json(9));
  await wait(20);
}
if (role === 'server') {
  const wss = new WebSocketServer({ host: '10.77.0.1', port: 8080, perMessageDeflate: OPTIONS });
  wss.on('connection', async (ws, req) => {
    log({ ws: 0, set: { target: req.url, offered: req.headers['sec-websocket-extensions'] || '' } });
    ws._socket.setNoDelay(true);
    await talk(ws, 'server');
  });
} else {
  const ws = new WebSocket('ws://10.77.0.1:8080/talk', { perMessageDeflate: OPTIONS && { threshold: 0 } });
  ws.on('upgrade', res => log({ ws: 0, set: { extensions: res.headers['sec-websocket-extensions'] || '' } }));
  ws.on('open', async () => { log({ ws: 0, set: { client: `${ws._socket.localAddress}:${ws._socket.localPort}` } }); await talk(ws, 'client'); await wait(150); ws.close(1000, 'bye'); });
  ws.on('close', () => setTimeout(() => process.exit(0), 50));
}
