<?php
// php client.php URI TRUTH: Textalk's client; it cuts messages into fragments of 4096 bytes by default.
require __DIR__ . '/common.php';
[, $uri, $file] = $argv;
$c = new WebSocket\Client($uri, ['timeout' => 5, 'headers' => ['Origin' => 'http://demo.example', 'Cookie' => 'PHPSESSID=7k2f0q1m8v4t6j3s9d5a2h1l04']]);
$say = function (string $opcode, string $data) use ($c, $file) {
    note($file, 'sent', $opcode, $data, in_array($opcode, ['text', 'binary']) ? ['fragments' => max(1, (int)ceil(strlen($data) / 4096))] : []);
    $c->send($data, $opcode);
};
$hear = function () use ($c, $file) {
    $m = $c->receive();
    note($file, 'received', $c->getLastOpcode(), $m);
};
for ($i = 1; $i <= 6; $i++) {
    $say('text', json_encode(['type' => 'message', 'user' => 'alice', 'seq' => $i, 'text' => "Bonjour n° $i"], JSON_UNESCAPED_UNICODE));
    $hear();
}
setup($file, ['client' => $c->getName()]);
$say('text', json_encode(['type' => 'long', 'text' => str_repeat('Lorem ipsum dolor sit amet. ', 350)]));
$hear();
$say('binary', implode('', array_map('chr', range(0, 255))));
$hear();
$say('ping', 'php alive');
$say('text', 'after the ping');
$hear();
note($file, 'sent', 'close', pack('n', 1000) . 'au revoir', ['code' => 1000, 'reason' => 'au revoir']);
$c->close(1000, 'au revoir');
