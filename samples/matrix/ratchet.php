<?php
// php ratchet.php client|server MODE TRUTH: Ratchet's RFC 6455 library, of which the socket is left to us. Reads talk.json; see ../README.md.
use GuzzleHttp\Psr7\{HttpFactory, Message, Uri};
use Ratchet\RFC6455\Handshake\{ClientNegotiator, PermessageDeflateOptions, RequestVerifier, ServerNegotiator};
use Ratchet\RFC6455\Messaging\{CloseFrameChecker, Frame, MessageBuffer};

require __DIR__ . '/autoload.php';
[, $role, $mode, $file] = $argv;
$talk = json_decode(file_get_contents(__DIR__ . '/talk.json'), true)[$role];
$close = [4100, 'fini: à bientôt'];

$deflate = PermessageDeflateOptions::createEnabled();
switch ($mode) {
    case 'plain': $deflate = PermessageDeflateOptions::createDisabled(); break;
    case 'no-takeover': $deflate = $deflate->withServerNoContextTakeover()->withClientNoContextTakeover(); break;
    case 'server-no-takeover': $deflate = $deflate->withServerNoContextTakeover(); break;
    case 'client-no-takeover': $deflate = $deflate->withClientNoContextTakeover(); break;
    case 'window-bits': $deflate = $deflate->withServerMaxWindowBits(10)->withClientMaxWindowBits(9); break;
}

/** Reads up to the end of a header section; what follows stays for the frames. */
function head($socket): array
{
    $read = '';
    while (($end = strpos($read, "\r\n\r\n")) === false) {
        $read .= $more = fread($socket, 8192);
        if ($more === '') exit(1);
    }
    return [substr($read, 0, $end + 4), substr($read, $end + 4)];
}

if ($role === 'client') {
    $negotiator = new ClientNegotiator(new HttpFactory(), $deflate);
    $request = $negotiator->generateRequest(new Uri('http://10.77.0.1:8080/talk'));
    $socket = stream_socket_client('tcp://10.77.0.1:8080');
    fwrite($socket, Message::toString($request));
    [$text, $rest] = head($socket);
    $response = Message::parseResponse($text);
    if (!$negotiator->validateResponse($request, $response)) exit(1);
    $agreed = PermessageDeflateOptions::fromRequestOrResponse($response)[0];
    setup($file, ['client' => stream_socket_get_name($socket, false), 'offered' => $request->getHeaderLine('Sec-WebSocket-Extensions'), 'extensions' => $response->getHeaderLine('Sec-WebSocket-Extensions')]);
} else {
    $listening = stream_socket_server('tcp://10.77.0.1:8080');
    $socket = stream_socket_accept($listening, 60);
    [$text, $rest] = head($socket);
    $request = Message::parseRequest($text);
    $negotiator = new ServerNegotiator(new RequestVerifier(), new HttpFactory(), $mode !== 'plain');
    $response = $negotiator->handshake($request);
    if ($response->getStatusCode() !== 101) exit(1);
    fwrite($socket, Message::toString($response));
    $agreed = $mode === 'plain' ? $deflate : PermessageDeflateOptions::fromRequestOrResponse($request)[0];
    setup($file, ['target' => $request->getRequestTarget(), 'offered' => $request->getHeaderLine('Sec-WebSocket-Extensions'), 'extensions' => $response->getHeaderLine('Sec-WebSocket-Extensions')]);
}
socket_set_option(socket_import_stream($socket), SOL_TCP, TCP_NODELAY, 1);

$keeps = $agreed->isEnabled() && !($role === 'server' ? $agreed->getServerNoContextTakeover() : $agreed->getClientNoContextTakeover());
// Sends up to and including the next data message; false when there is none left.
$say = function (MessageBuffer $buffer) use (&$talk, $file, $mode, $keeps): bool {
    while ($m = array_shift($talk)) {
        if (isset($m['ping'])) {
            note($file, 'sent', 'ping', $m['ping']);
            $buffer->sendFrame($buffer->newFrame($m['ping'], true, Frame::OP_PING));
            continue;
        }
        if (isset($m['fragments']) && $mode === 'plain') {   // its compressor cannot: RSV1 would be on the last fragment
            note($file, 'sent', 'text', implode('', $m['fragments']), ['fragments' => count($m['fragments'])]);
            foreach ($m['fragments'] as $i => $part) {
                $buffer->sendFrame($buffer->newFrame($part, $i === count($m['fragments']) - 1, $i ? Frame::OP_CONTINUE : Frame::OP_TEXT));
            }
            return true;
        }
        $data = isset($m['fragments']) ? implode('', $m['fragments']) : (isset($m['binary']) ? hex2bin($m['binary']) : $m['text']);
        // Of nothing PHP's deflate_add() makes no octet, which is no DEFLATE block: a receiver whose context goes on is derailed by it.
        if ($data === '' && $keeps) $data = '.';
        note($file, 'sent', isset($m['binary']) ? 'binary' : 'text', $data);
        $buffer->sendMessage($data, true, isset($m['binary']));
        return true;
    }
    return false;
};
$over = false;
$buffer = new MessageBuffer(
    new CloseFrameChecker(),
    function ($message, $buffer) use ($say, $file, $role, $close) {
        note($file, 'received', $message->isBinary() ? 'binary' : 'text', $message->getPayload());
        if (!$say($buffer) && $role === 'client') {
            note($file, 'sent', 'close', pack('n', $close[0]) . $close[1], ['code' => $close[0], 'reason' => $close[1]]);
            $buffer->sendFrame($buffer->newCloseFrame(...$close));
        }
    },
    function ($frame, $buffer) use (&$over, $file, $role) {
        if ($frame->getOpcode() === Frame::OP_PING) {
            $buffer->sendFrame($buffer->newFrame($frame->getPayload(), true, Frame::OP_PONG));
        } elseif ($frame->getOpcode() === Frame::OP_CLOSE) {
            $over = true;
            if ($role === 'server') {
                $data = $frame->getPayload();
                note($file, 'sent', 'close', $data, ['code' => unpack('n', $data)[1], 'reason' => substr($data, 2)]);
                $buffer->sendFrame($buffer->newFrame($data, true, Frame::OP_CLOSE));
            }
        }
    },
    $role === 'server', null, null, null,
    fn (string $bytes) => fwrite($socket, $bytes),
    $agreed
);
if ($role === 'client') $say($buffer);
if ($rest !== '') $buffer->onData($rest);
while (!$over && ($bytes = fread($socket, 65536)) !== '' && $bytes !== false) $buffer->onData($bytes);
fclose($socket);
