// node node.js server MODE TRUTH | node node.js client MODE TRUTH: Node's ws. Reads talk.json; see ../README.md.
const { WebSocket, WebSocketServer } = require('ws');
const make = require('./log.js');
const [, , role, mode, file] = process.argv;
const { log } = make(file);
make.tap(WebSocket, file);
const TALK = require('./talk.json')[role];
const DEFLATE = {
  'plain': false,
  'takeover': { threshold: 0 },
  'no-takeover': { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true },
  'server-no-takeover': { threshold: 0, serverNoContextTakeover: true },
  'client-no-takeover': { threshold: 0, clientNoContextTakeover: true },
  'window-bits': { threshold: 0, serverMaxWindowBits: 10, clientMaxWindowBits: 9 },
}[mode];

// Sends up to and including the next data message; false when there is none left.
function sayer(ws) {
  let next = 0;
  return () => {
    while (next < TALK.length) {
      const m = TALK[next++];
      if ('ping' in m) { ws.ping(m.ping); continue; }
      if ('fragments' in m) m.fragments.forEach((part, i) => ws.send(part, { fin: i === m.fragments.length - 1 }));
      else ws.send('binary' in m ? Buffer.from(m.binary, 'hex') : m.text);
      return true;
    }
    return false;
  };
}

if (role === 'server') {
  const wss = new WebSocketServer({ host: '10.77.0.1', port: 8080, perMessageDeflate: DEFLATE });
  wss.on('connection', (ws, req) => {
    log({ ws: 0, set: { target: req.url, offered: req.headers['sec-websocket-extensions'] || '', extensions: ws.extensions } });
    ws.on('message', sayer(ws));
  });
} else {
  const ws = new WebSocket('ws://10.77.0.1:8080/talk', { perMessageDeflate: DEFLATE });
  const say = sayer(ws);
  ws.on('upgrade', res => log({ ws: 0, set: { extensions: res.headers['sec-websocket-extensions'] || '' } }));
  ws.on('open', () => { log({ ws: 0, set: { client: `${ws._socket.localAddress}:${ws._socket.localPort}` } }); say(); });
  ws.on('message', () => { if (!say()) ws.close(4100, 'fini: à bientôt'); });
}
