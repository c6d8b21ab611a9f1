// node server.js PORT TRUTH: ws repeats what it is told.
const { WebSocket, WebSocketServer } = require('ws');
const make = require('./log.js');
const [, , port, file] = process.argv;
make.tap(WebSocket, file);
new WebSocketServer({ host: '10.77.0.1', port: +port }).on('connection', (ws, req) => {
  make(file).log({ ws: 0, set: { target: req.url } });
  ws.on('message', (d, binary) => ws.send(binary ? d : d.toString()));
});
