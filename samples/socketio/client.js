// node client.js TRUTH: polling first, then the upgrade; events both ways, acknowledgements, one binary attachment, a second namespace.
const make = require('./log.js');
make.tap(require('ws'), process.argv[2]);
const { io } = require('socket.io-client');
const wait = ms => new Promise(r => setTimeout(r, ms));
(async () => {
  const s = io('http://10.77.0.1:3000', { transports: ['polling', 'websocket'], autoConnect: false });
  const upgraded = new Promise(r => s.io.on('open', () => s.io.engine.on('upgrade', r)));
  s.on('connect', () => { s.emit('say', { from: 'ann', text: 'by polling' }); });
  s.connect();
  await upgraded; await wait(100);
  s.emit('say', { from: 'ann', text: 'by WebSocket' });
  console.log(await s.emitWithAck('sum', 19, 23));
  console.log(await s.emitWithAck('file', 'pixels.bin', Buffer.from(Array.from({ length: 700 }, (_, i) => (i * i + 7 * i) & 255))));
  s.emit('ticks', 10);
  const admin = s.io.socket('/admin'); admin.connect();
  await new Promise(r => admin.on('connect', r));
  console.log(await admin.emitWithAck('stat'));
  await wait(1500);
  admin.disconnect(); s.disconnect();
  await wait(200); process.exit(0);
})();
