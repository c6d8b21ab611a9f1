// node client.js WHICH LOG: what an application does by one protocol, and what it knows of its messages.
const WebSocket = require('ws');
const [, , which, file] = process.argv, note = require('./log.js')(file);
const at = '10.77.0.1:3000', wait = ms => new Promise(r => setTimeout(r, ms)), json = JSON.stringify;
const texts = ['plain', 'quotes " and \\ backslashes\nlines', 'Grüße, 世界 😀', json({ kind: 'order', items: [1, 2, 3] })];
const clients = {
  async sockjs() {
    const SockJS = require('sockjs-client');
    const s = new SockJS(`http://${at}/echo`, null, { transports: ['websocket'] });
    await new Promise(r => { s.onopen = r; });
    s.onmessage = e => note('down', 'message', null, null, e.data);
    for (const text of texts) { note('up', 'message', null, null, text); s.send(text); await wait(60); }
    await wait(900); s.close(); await wait(200);
  },
  async signalr(protocol) {
    const { HubConnectionBuilder, LogLevel } = require('@microsoft/signalr'), { MessagePackHubProtocol } = require('@microsoft/signalr-protocol-msgpack');
    let b = new HubConnectionBuilder().withUrl(`http://${at}/hub`).configureLogging(LogLevel.None).withServerTimeout(20000).withKeepAliveInterval(400);
    if (protocol) b = b.withHubProtocol(new MessagePackHubProtocol());
    const hub = b.build(), sized = args => protocol ? undefined : json(args);
    hub.on('said', (...args) => note('down', 'invocation', 'said', null, sized(args)));
    await hub.start();
    const invoke = (name, id, ...args) => { note('up', 'invocation', name, id, sized(args)); return hub.invoke(name, ...args); };
    note('down', 'completion', null, '0', sized(await invoke('sum', '0', 19, 23)));
    note('down', 'completion', null, '1', sized(await invoke('upper', '1', 'grüße')));
    note('up', 'invocation', 'say', null, sized(['ann', 'hello'])); await hub.send('say', 'ann', 'hello');
    await wait(100);
    note('up', 'stream_invocation', 'count', '2', sized([3]));
    await new Promise((complete, error) => hub.stream('count', 3).subscribe({ next: n => note('down', 'stream_item', null, '2', sized(n)), complete, error }));
    note('down', 'completion', null, '2', protocol ? undefined : '');
    await wait(600); await hub.stop(); await wait(200);
  },
  'signalr-messagepack': () => clients.signalr(true),
  async stomp() {
    const { Client } = require('@stomp/stompjs');
    const c = new Client({ webSocketFactory: () => new WebSocket(`ws://${at}/stomp`, ['v12.stomp', 'v11.stomp', 'v10.stomp']), heartbeatIncoming: 300, heartbeatOutgoing: 300, reconnectDelay: 0 });
    await new Promise(r => { c.onConnect = r; c.activate(); });
    c.subscribe('/topic/prices', m => note('down', 'MESSAGE', m.headers.destination, m.headers['message-id'] ?? null, m.body), { id: 'sub-7' });
    note('up', 'SUBSCRIBE', '/topic/prices', 'sub-7', '');
    await wait(50);
    for (const body of texts) { note('up', 'SEND', '/topic/prices', null, body); c.publish({ destination: '/topic/prices', body, headers: { 'content-type': 'text/plain' } }); await wait(40); }
    await wait(700); note('down', 'RECEIPT', null, 'close-0', ''); await c.deactivate(); await wait(100);
  },
  async mqtt(version = 4) {
    const c = require('mqtt').connect(`ws://${at}/mqtt`, { protocolVersion: version, clientId: 'shop-1', keepalive: 1, reschedulePings: false, reconnectPeriod: 0 });
    const know = way => p => note(way, p.cmd, p.topic || (p.cmd === 'subscribe' ? p.subscriptions[0].topic : p.unsubscriptions && p.unsubscriptions[0]) || null, p.messageId || null, p.cmd === 'publish' ? p.payload : '');
    c.on('packetsend', know('up')); c.on('packetreceive', know('down'));
    await new Promise(r => c.on('connect', r));
    await c.subscribeAsync({ 'prices/#': { qos: 1 }, 'orders/new': { qos: 2 } });
    await c.publishAsync('prices/apples', '1.25', { qos: 0 });
    await c.publishAsync('prices/pears', json({ price: 2.5, unit: 'kg' }), { qos: 1, ...(version === 5 ? { properties: { contentType: 'application/json', userProperties: { shop: 'Köln' } } } : {}) });
    await c.publishAsync('orders/new', Buffer.alloc(900, 7), { qos: 2 });
    await Promise.all([1, 2, 3].map(n => c.publishAsync('prices/plums', String(n), { qos: 1 })));
    await wait(1300); await c.unsubscribeAsync('prices/#'); await c.endAsync(); await wait(200);
  },
  mqtt5: () => clients.mqtt(5),
  async wamp() {
    const autobahn = require('autobahn');
    const connection = new autobahn.Connection({ url: `ws://${at}/wamp`, realm: 'shop', max_retries: 0 });
    const session = await new Promise(r => { connection.onopen = r; connection.open(); });
    note('up', 'register', 'shop.sum'); await session.register('shop.sum', ([a, b]) => a + b);
    note('up', 'subscribe', 'shop.prices'); await session.subscribe('shop.prices', (args, kw) => note('down', 'event', null, undefined, json(args) + (kw && Object.keys(kw).length ? json(kw) : '')));
    await wait(50);
    note('up', 'call', 'shop.sum', undefined, json([19, 23])); console.log(await session.call('shop.sum', [19, 23]));
    for (const [args, kw] of [[[1.25], undefined], [['grüße'], { unit: 'kg' }]]) {
      note('up', 'publish', 'shop.prices', undefined, json(args) + (kw ? json(kw) : ''));
      await session.publish('shop.prices', args, kw, { acknowledge: true, exclude_me: false });
    }
    note('up', 'call', 'no.such.procedure'); await session.call('no.such.procedure').catch(e => console.log(e.error));
    await wait(300); connection.close(); await wait(200);
  },
  async graphql() {
    const { createClient } = require('graphql-ws');
    const c = createClient({ url: `ws://${at}/graphql`, webSocketImpl: WebSocket, lazy: false, keepAlive: 250, generateID: (n => () => `op-${++n}`)(0) });
    c.on('message', m => note('down', m.type, null, m.id ?? null, m.payload === undefined ? '' : json(m.payload)));
    const run = (payload, id, name) => new Promise((complete, error) => {
      note('up', 'subscribe', name, id, json(payload));
      c.subscribe(payload, { next() {}, error, complete });
    });
    await run({ query: 'subscription Counting($to: Int!) { count(to: $to) }', variables: { to: 3 } }, 'op-1', 'Counting');
    await run({ query: 'query Greet { greeting(name: "Zoë") }', operationName: 'Greet' }, 'op-2', 'Greet');
    await run({ query: '{ greeting(name: "Bob") }' }, 'op-3', null);
    await wait(700); await c.dispose(); await wait(200);
  },
  async subscriptions() {
    const { SubscriptionClient } = require('subscriptions-transport-ws');
    const c = new SubscriptionClient(`ws://${at}/graphql`, {}, WebSocket);
    const process = c.processReceivedMessage || c.processReceivedData;
    c.processReceivedData = function (d) { const m = JSON.parse(d); note('down', m.type, null, m.id ?? null, m.payload === undefined ? '' : json(m.payload)); return process.call(this, d); };
    const run = payload => new Promise((complete, error) => c.request(payload).subscribe({ next() {}, error, complete }));
    note('up', 'start', 'Counting', '1'); await run({ query: 'subscription Counting($to: Int!) { count(to: $to) }', variables: { to: 3 }, operationName: 'Counting' });
    note('up', 'start', 'Greet', '2'); await run({ query: 'query Greet { greeting(name: "Zoë") }' });
    await wait(500); c.close(); await wait(200);
  },
  async jsonrpc() {
    const { Client } = require('rpc-websockets');
    const c = new Client(`ws://${at}`, { reconnect: false });
    await new Promise(r => c.on('open', r));
    let id = 0;
    const call = async (name, params) => {
      note('up', 'request', name, ++id, json(params));
      const mine = id;
      try { note('down', 'response', null, mine, json(await c.call(name, params))); } catch (e) { note('down', 'error', null, mine, json({ code: e.code, message: e.message, data: e.data })); }
    };
    await call('sum', [19, 23]); await call('shout', { text: 'grüße' }); await call('fail', []);
    note('up', 'request', 'rpc.on', ++id); await c.subscribe('tick'); note('down', 'response', null, id);
    await new Promise(r => c.once('tick', n => { r(); }));  // rpc-websockets sends its own events in a form that is not JSON-RPC
    note('up', 'request', 'rpc.off', ++id); await c.unsubscribe('tick'); note('down', 'response', null, id);
    note('up', 'notification', 'bye', null, json({ why: 'done' })); c.notify('bye', { why: 'done' });
    await wait(200); c.close(); await wait(200);
  },
  async socketio2() {
    const s = require('io-client-2')(`http://${at}`, { transports: ['polling', 'websocket'] });
    s.on('said', text => note('down', 'event', 'said', null, json(text)));
    s.on('echoed', () => note('down', 'binary_event', 'echoed', null, ''));
    const upgraded = new Promise(r => s.io.engine.once('upgrade', r));
    await new Promise(r => s.on('connect', r));
    await upgraded; await wait(100);
    for (const text of texts) { note('up', 'event', 'say', null, json(text)); s.emit('say', text); await wait(40); }
    note('up', 'event', 'sum', 0, '19,23'); note('down', 'ack', null, 0, String(await new Promise(r => s.emit('sum', 19, 23, r))));
    note('up', 'binary_event', 'bytes', 1, ''); note('down', 'ack', null, 1, json(await new Promise(r => s.emit('bytes', Buffer.alloc(300, 5), r))));
    await wait(900); s.close(); await wait(200);
  },
};
clients[which]().then(() => process.exit(0), e => { console.error(e); process.exit(1); });
