// Truth lines for truth.py: const { log, rec } = require(...)(FILE)
const fs = require('fs'), crypto = require('crypto');
module.exports = file => {
  const fd = fs.openSync(file, 'a');
  const log = o => fs.writeSync(fd, JSON.stringify(o) + '\n');
  const sha = b => crypto.createHash('sha256').update(b).digest('hex');
  const rec = (opcode, data, more) => { const b = Buffer.from(data); return { opcode, length: b.length, sha256: sha(b), ...more }; };
  const closing = (code, reason) => { const b = Buffer.from(reason || ''); const h = Buffer.alloc(2); h.writeUInt16BE(code); return rec('close', Buffer.concat([h, b]), { code, reason: String(reason || '') }); };
  return { log, rec, sha, closing };
};
// tap(WebSocket, FILE, key, received): note every message and control frame that this process's `ws` objects send and receive.
module.exports.tap = (WebSocket, file, key = () => 0) => {
  const { log, rec, closing } = module.exports(file);
  const P = WebSocket.prototype;
  const open = new WeakMap();
  for (const name of ['ping', 'pong']) { const f = P[name]; P[name] = function (d, ...a) { log({ ws: key(this), sent: rec(name, d || '') }); return f.call(this, d, ...a); }; }
  const send = P.send;
  P.send = function (d, o, cb) {
    const opts = typeof o === 'object' && o ? o : {};
    const binary = opts.binary !== undefined ? opts.binary : typeof d !== 'string';
    const m = open.get(this) || { binary, parts: [] };
    m.parts.push(Buffer.from(d)); open.set(this, m);
    if (opts.fin !== false) { open.delete(this); log({ ws: key(this), sent: rec(m.binary ? 'binary' : 'text', Buffer.concat(m.parts), m.parts.length > 1 ? { fragments: m.parts.length } : {}) }); }
    return send.call(this, d, o, cb);
  };
  const close = P.close;
  P.close = function (code, reason) {
    if (this.readyState === 1) log({ ws: key(this), sent: code ? closing(code, reason && reason.toString()) : rec('close', '') });
    return close.call(this, code, reason);
  };
  const emit = P.emit;
  P.emit = function (ev, d, b) {
    if (ev === 'message') log({ ws: key(this), received: rec(b ? 'binary' : 'text', d) });
    if (ev === 'pong') log({ ws: key(this), received: rec(ev, d) });
    if (ev === 'ping') { log({ ws: key(this), received: rec(ev, d) }); }
    return emit.call(this, ev, d, b);
  };
};
