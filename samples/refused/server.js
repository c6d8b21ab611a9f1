// node server.js: on 8080 a WebSocket server that lets few in, on 8081 an HTTP server that knows no WebSocket.
const http = require('http');
const { WebSocketServer } = require('ws');
const verifyClient = ({ req }, answer) => {
  if (req.url === '/members') return answer(false, 401, 'Unauthorized', { 'WWW-Authenticate': 'Basic realm="members"' });
  if (req.url === '/staff') return answer(false, 403);
  answer(true);
};
new WebSocketServer({ host: '10.77.0.1', port: 8080, verifyClient });
http.createServer((req, res) => res.end('plain HTTP\n')).listen(8081, '10.77.0.1');
