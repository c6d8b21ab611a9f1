// node server.js PORT ZSTFILE: what nginx does not do by itself.
const http = require('http'), zlib = require('zlib'), fs = require('fs');
const zst = fs.readFileSync(process.argv[3]);
const TEXT = fs.readFileSync(process.argv[3].replace(/\.zst$/, ''));
const ENC = {
  identity: [TEXT, null], gzip: [zlib.gzipSync(TEXT), 'gzip'], deflate: [zlib.deflateSync(TEXT), 'deflate'], 'deflate-raw': [zlib.deflateRawSync(TEXT), 'deflate'],
  br: [zlib.brotliCompressSync(TEXT), 'br'], zstd: [zst, 'zstd'], twice: [zlib.gzipSync(zlib.deflateSync(TEXT)), 'deflate, gzip'],
};
const server = http.createServer((req, res) => {
  const path = req.url.split('?')[0];
  let n = 0;
  req.on('data', d => n += d.length);
  req.on('end', () => {
    if (path.startsWith('/enc/')) {
      const [body, enc] = ENC[path.slice(5)];
      res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length, Vary: 'Accept-Encoding', ...(enc ? { 'Content-Encoding': enc } : {}) }); res.end(body);
    } else if (path === '/trailers') {
      res.writeHead(200, { 'Content-Type': 'text/plain', Trailer: 'Server-Timing, X-Lines' });
      let i = 0;
      const t = setInterval(() => { if (++i <= 4) res.write(`line ${i} of a chunked answer\n`); else { clearInterval(t); res.addTrailers({ 'Server-Timing': 'total;dur=40', 'X-Lines': '4' }); res.end(); } }, 10);
    } else if (path === '/hints') {
      res.writeEarlyHints({ link: ['</style.css>; rel=preload; as=style', '</app.js>; rel=preload; as=script'] });
      setTimeout(() => { res.setHeader('Content-Type', 'text/html'); res.end('<!DOCTYPE html><title>hints</title><p>103 came first.\n'); }, 30);
    } else if (path === '/events') {
      res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
      let i = 0;
      const t = setInterval(() => { if (++i <= 6) res.write((i === 3 ? ': a comment\n\n' : '') + `id: ${i}\nevent: tick\ndata: {"n":${i},"price":${100 + i / 4}}\n\n`); else { clearInterval(t); res.end(); } }, 60);
    } else if (path === '/wait') {   // a long poll
      setTimeout(() => { res.setHeader('Content-Type', 'application/json'); res.end('{"news":[1,2,3]}'); }, 700);
    } else if (req.method === 'PUT' || req.method === 'DELETE') {
      res.statusCode = 204; res.end();
    } else if (path === '/nothing') {
      res.setHeader('Content-Type', 'text/plain'); res.end('');
    } else {
      res.setHeader('Content-Type', 'application/json'); res.end(JSON.stringify({ got: n }));
    }
  });
});
server.listen(+process.argv[2], '10.77.0.1');
