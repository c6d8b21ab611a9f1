// note(FILE)(direction, kind, name, id, payload): what the application itself knows of a message, one JSON object a line.
const fs = require('fs');
module.exports = file => (direction, kind, name, id, payload) => fs.appendFileSync(file, JSON.stringify({
  direction: { up: 'client_to_server', down: 'server_to_client' }[direction], kind, name, id,
  payload_bytes: payload === undefined ? undefined : Buffer.byteLength(payload),
}) + '\n');
