// node server.js WHICH: the server of one protocol, on port 3000.
const http = require('http'), { WebSocketServer } = require('ws');
const host = '10.77.0.1', port = 3000, server = http.createServer();
const listen = () => server.listen(port, host);
const schema = () => {
  const { buildSchema } = require('graphql');
  const built = buildSchema('type Query { greeting(name: String): String } type Subscription { count(to: Int!): Int }');
  built.getSubscriptionType().getFields().count.subscribe = async function* (_, { to }) { for (let i = 1; i <= to; i++) yield { count: i }; };
  built.getQueryType().getFields().greeting.resolve = (_, { name }) => `Hello, ${name}`;
  return built;
};
const servers = {
  sockjs() {
    const echo = require('sockjs').createServer({ prefix: '/echo', heartbeat_delay: 400, log() {} });
    echo.on('connection', c => c.on('data', text => c.write(text)));
    echo.installHandlers(server); listen();
  },
  stomp() {
    const Broker = require('stomp-broker-js');
    const broker = new Broker({ server, path: '/stomp', heartbeat: [300, 300] });
    // It does not give messages back to who sent them: prices are the server's own. (Its content-length counts characters: ASCII only.)
    broker.on('subscribe', ({ topic }) => ['1.25', 'two', '{"price":3}'].forEach((body, i) => setTimeout(() => broker.send(topic, { 'content-type': 'text/plain' }, body), 100 * (i + 1))));
    listen();
  },
  async mqtt() {
    const { Aedes } = require('aedes'), { createWebSocketStream } = require('ws');
    const broker = await Aedes.createBroker();
    new WebSocketServer({ server, handleProtocols: offered => offered.has('mqtt') && 'mqtt' })
      .on('connection', (ws, req) => broker.handle(createWebSocketStream(ws), req));
    listen();
  },
  // mosquitto listens on TCP: what comes from it in one piece is one message.
  mosquitto() {
    const { createWebSocketStream } = require('ws');
    new WebSocketServer({ server, handleProtocols: () => 'mqtt' }).on('connection', ws => {
      const web = createWebSocketStream(ws), tcp = require('net').connect(1883, '127.0.0.1');
      web.pipe(tcp).pipe(web); for (const s of [web, tcp]) s.on('error', () => {});
    });
    listen();
  },
  wamp() {
    const Router = require('fox-wamp');
    new Router().listenWAMP({ server, path: '/wamp' }); listen();
  },
  graphql() { const { useServer } = require('graphql-ws/use/ws'); useServer({ schema: schema() }, new WebSocketServer({ server, path: '/graphql' })); listen(); },
  subscriptions() {
    const { SubscriptionServer } = require('subscriptions-transport-ws'), { execute, subscribe } = require('graphql');
    SubscriptionServer.create({ schema: schema(), execute, subscribe, keepAlive: 300 }, { server, path: '/graphql' });
    listen();
  },
  jsonrpc() {
    const { Server } = require('rpc-websockets');
    const rpc = new Server({ host, port });
    rpc.register('sum', ([a, b]) => a + b); rpc.register('shout', ({ text }) => text.toUpperCase());
    rpc.register('fail', () => { throw rpc.createError(-32001, 'no such thing', { asked: 'fail' }); });
    rpc.register('bye', () => null); rpc.event('tick'); let n = 0; setInterval(() => rpc.emit('tick', ++n), 150);
  },
  socketio2() {
    const io = require('io-server-2')(server, { pingInterval: 400, pingTimeout: 300 });
    io.on('connection', s => {
      s.on('say', text => s.emit('said', text));
      s.on('sum', (a, b, reply) => reply(a + b));
      s.on('bytes', (data, reply) => { reply({ size: data.length }); s.emit('echoed', data); });
    });
    listen();
  },
};
servers[process.argv[2]]();
