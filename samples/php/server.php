<?php
// php server.php PORT TRUTH: Textalk's server repeats what it is told, once. Its frames are masked, against RFC 6455 section 5.1.
require __DIR__ . '/common.php';
[, $port, $file] = $argv;
$s = new WebSocket\Server(['port' => (int)$port, 'timeout' => 10, 'filter' => ['text', 'binary', 'close']]);
$s->accept();
try {
    $first = true;
    while (($m = $s->receive()) !== null) {
        if ($first) { setup($file, ['target' => $s->getPath(), 'server_masks' => true]); $first = false; }
        $op = $s->getLastOpcode();
        if ($op === 'close') break;
        note($file, 'received', $op, $m);
        note($file, 'sent', $op, $m, ['fragments' => max(1, (int)ceil(strlen($m) / 4096))]);
        $s->send($m, $op);
    }
} catch (WebSocket\ConnectionException $e) {
    // the client has closed
}
