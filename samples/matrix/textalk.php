<?php
// php textalk.php TRUTH: Textalk's client, which knows no extension. Reads talk.json; see ../README.md.
require __DIR__ . '/autoload.php';
[, $file] = $argv;
$talk = json_decode(file_get_contents(__DIR__ . '/talk.json'), true)['client'];
$c = new WebSocket\Client('ws://10.77.0.1:8080/talk', ['timeout' => 5]);
foreach ($talk as $m) {
    if (isset($m['ping'])) {
        note($file, 'sent', 'ping', $m['ping']);
        $c->ping($m['ping']);
        continue;
    }
    $data = isset($m['fragments']) ? implode('', $m['fragments']) : (isset($m['binary']) ? hex2bin($m['binary']) : $m['text']);
    if ($data === '') $data = '.';   // it sends no frame for an empty message
    $opcode = isset($m['binary']) ? 'binary' : 'text';
    $c->setFragmentSize(isset($m['fragments']) ? 40 : 4096);
    note($file, 'sent', $opcode, $data, ['fragments' => isset($m['fragments']) ? (int)ceil(strlen($data) / 40) : 1]);
    $c->send($data, $opcode);
    $answer = $c->receive();
    note($file, 'received', $c->getLastOpcode(), $answer);
}
setup($file, ['client' => $c->getName()]);
note($file, 'sent', 'close', pack('n', 4100) . 'fini: à bientôt', ['code' => 4100, 'reason' => 'fini: à bientôt']);
$c->close(4100, 'fini: à bientôt');
