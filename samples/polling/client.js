// node client.js: four ways of asking again and again.
const wait = ms => new Promise(r => setTimeout(r, ms));
const at = 'http://10.77.0.1:3000';
const ask = async (path, headers = {}) => {
  const res = await fetch(at + path, { headers: { Accept: 'application/json', ...headers } });
  await res.arrayBuffer();
  return res;
};
const short = async () => { for (let i = 0; i < 8; i++) { await ask('/state?_=' + (1800000000000 + i)); await wait(200); } };
const conditional = async () => {
  let tag;
  for (let i = 0; i < 6; i++) { const res = await ask('/doc', tag ? { 'If-None-Match': tag } : {}); tag = res.headers.get('etag'); await wait(200); }
};
const long = async () => { for (let i = 0; i < 4; i++) await ask('/wait?since=' + (1000 + i)); };
const engine = () => new Promise(done => {
  const socket = require('socket.io-client').io(at, { transports: ['polling'] });
  socket.on('done', () => setTimeout(() => { socket.disconnect(); setTimeout(done, 100); }, 100));
});
Promise.all([short(), conditional(), long()]).then(engine).then(() => process.exit(0));
