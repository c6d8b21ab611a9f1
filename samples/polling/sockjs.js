// node sockjs.js client | node sockjs.js TRUTH POLLS: SockJS without WebSocket, by polls and by an answer that goes on.
const at = 'http://10.77.0.1:3001/talk', wait = ms => new Promise(r => setTimeout(r, ms));
const talk = transport => new Promise(done => {
  const socket = new (require('sockjs-client'))(at, null, { transports: [transport] });
  socket.onopen = async () => { for (const text of ['hello', 'a "quoted" word', 'bye']) { socket.send(text); await wait(1500); } };
  socket.onclose = () => setTimeout(done, 200);
});
const client = () => talk('xhr-polling').then(() => talk('xhr-streaming')).then(() => process.exit(0));
const server = (truth, file) => {
  const { log, rec } = require('./log.js')(truth);
  const polls = { kind: 'long', polls: 0, messages: 0 };
  const save = () => require('fs').writeFileSync(file, JSON.stringify({ polls: { '/talk/xhr': polls } }));
  const server = require('http').createServer();
  const sockjs = require('sockjs').createServer({ log() {} });
  sockjs.on('connection', connection => connection.on('data', text => {
    connection.write('heard ' + text); polls.messages += connection.protocol === 'xhr-polling'; save();
    if (text === 'bye') setTimeout(() => connection.close(4000, 'bye'), 1200);
  }));
  sockjs.installHandlers(server, { prefix: '/talk' });
  // what requests and their answers contain
  server.prependListener('request', (req, res) => {
    const transport = req.url.split('/').pop();
    if (transport === 'xhr') { polls.polls++; save(); }
    let q = Buffer.alloc(0), a = Buffer.alloc(0);
    const { emit } = req, { write, end } = res;
    req.emit = function (ev, d, ...x) { if (ev === 'data') q = Buffer.concat([q, Buffer.from(d)]); return emit.call(this, ev, d, ...x); };
    res.write = function (d, ...x) { if (d) a = Buffer.concat([a, Buffer.from(d)]); return write.call(this, d, ...x); };
    res.end = function (d, ...x) { if (d && typeof d !== 'function') a = Buffer.concat([a, Buffer.from(d)]); return end.call(this, d, ...x); };
    res.on('close', () => { const c = rec('', a), r = rec('', q); log({ http: { api: 'xhr', method: req.method, target: req.url, status: res.statusCode, request_length: r.length, request_sha256: r.sha256, length: c.length, sha256: c.sha256 } }); });
  });
  server.listen(3001, '10.77.0.1');
};
process.argv[2] === 'client' ? client() : server(...process.argv.slice(2));
